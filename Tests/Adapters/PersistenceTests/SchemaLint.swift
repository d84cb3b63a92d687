import Postgres
import SchemaFixtures

/// The rules that the schema keeps so that one DDL runs on one PostgreSQL and distributed, read from the catalogue: each
/// rule is a query that returns its breaches.
enum SchemaLint {
  /// Tables of the schema with the tag of their comment; the migrator's own two are not ours to tag.
  private static let tables: SQL = """
    with t as (
      select c.oid, c.relname, obj_description(c.oid, 'pg_class') as tag,
        substring(obj_description(c.oid, 'pg_class') from '^key (\\w+)$') as key,
        c.relrowsecurity, c.relforcerowsecurity
      from pg_class c
      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
        and c.relname not in ('schema_lock', 'schema_versions'))
    """

  private static func rule(_ name: StaticString, _ query: SQL) -> Statement {
    Statement(name, tables + query, columns: [.text])
  }

  static let tag = rule(
    "lint_tag",
    """
    select relname::text from t
    where tag is null or tag !~ '^(key (borrower_id|lender_id|org_id)|reference|local)$'
    """)

  static let keyColumn = rule(
    "lint_key_column",
    """
    select relname::text from t left join pg_attribute a on a.attrelid = t.oid and a.attname = t.key
    where key is not null and (a.attname is null or not a.attnotnull or a.atttypid <> 'uuid'::regtype)
    """)

  static let primaryKey = rule(
    "lint_primary_key",
    """
    select relname::text from t left join pg_constraint p on p.conrelid = t.oid and p.contype = 'p'
    where p.oid is null or key <> (
      select attname from pg_attribute a where a.attrelid = t.oid and a.attnum = p.conkey[1])
    """)

  static let unique = rule(
    "lint_unique",
    """
    select i.indexrelid::regclass::text from t join pg_index i on i.indrelid = t.oid
    where key is not null and (i.indisunique or i.indisexclusion) and not exists (
      select 1 from pg_attribute a
      where a.attrelid = t.oid and a.attnum = any(i.indkey::int2[]) and a.attname = t.key)
    """)

  /// A foreign key stays within one family and carries the key on both sides, at one place; or it goes to reference data.
  static let foreignKeys = rule(
    "lint_foreign_keys",
    """
    select con.conname::text from pg_constraint con
      join t f on f.oid = con.conrelid join t r on r.oid = con.confrelid
    where con.contype = 'f' and r.tag <> 'reference' and not (f.tag = 'local' and r.tag = 'local') and not (
      f.key is not null and f.tag = r.tag and exists (
        select 1 from unnest(con.conkey, con.confkey) as pair (here, there)
          join pg_attribute h on h.attrelid = f.oid and h.attnum = pair.here and h.attname = f.key
          join pg_attribute e on e.attrelid = r.oid and e.attnum = pair.there and e.attname = r.key))
    """)

  static let triggers = rule(
    "lint_triggers",
    """
    select g.tgname::text from t join pg_trigger g on g.tgrelid = t.oid
    where not g.tgisinternal and (t.relname, g.tgfoid::regproc::text) not in (
      ('journal_entries', 'refuse_change'), ('journal_lines', 'refuse_change'), ('chain_links', 'refuse_change'),
      ('journal_lines', 'check_entry_balance'), ('audit_log', 'refuse_change'), ('audit_links', 'refuse_change'),
      ('audit_checkpoints', 'refuse_change'))
    """)

  /// What PostgreSQL makes up when nobody names a constraint. A primary key's own name looks the same either way.
  static let names = rule(
    "lint_names",
    """
    select con.conname::text from t join pg_constraint con on con.conrelid = t.oid
    where con.contype in ('p', 'u', 'f', 'c', 'x') and (
      con.conname !~ ('^' || t.relname || '_') or con.conname ~ '_(check|key|fkey|excl)[0-9]*$')
    """)

  /// The types that the codec reads and writes; above all no binary floating point and no time without its zone.
  static let types = rule(
    "lint_types",
    """
    select t.relname || '.' || a.attname from t join pg_attribute a on a.attrelid = t.oid
    where a.attnum > 0 and not a.attisdropped and a.atttypid::regtype::text not in (
      'uuid', 'text', 'text[]', 'integer', 'bigint', 'boolean', 'date', 'timestamp with time zone', 'bytea', 'jsonb',
      'xid8')
    """)

  /// Ids, times and numbers are parameters; only a local table may count for itself.
  static let defaults = rule(
    "lint_defaults",
    """
    select t.relname || '.' || a.attname from t join pg_attribute a on a.attrelid = t.oid
    where t.tag <> 'local' and a.attnum > 0 and not a.attisdropped
      and (a.attidentity <> '' or a.atthasdef and a.attgenerated = '')
      -- Which transaction wrote an audit row only the server knows; the sealer goes by it.
      and (t.relname, a.attname) <> ('audit_log', 'transaction_id')
    """)

  static let ownership = rule(
    "lint_ownership",
    """
    select d.classid::regclass::text || ' ' || d.objid from pg_shdepend d join pg_roles r on r.oid = d.refobjid
    where r.rolname in ('chipbridge_writer', 'chipbridge_reader') and d.deptype = 'o'
      and d.dbid = (select oid from pg_database where datname = current_database())
    """)

  static let roles = rule(
    "lint_roles",
    """
    select rolname::text from pg_roles
    where rolname in ('chipbridge_writer', 'chipbridge_reader')
      and (rolsuper or rolbypassrls or rolcreatedb or rolcreaterole or rolcanlogin or rolreplication)
    """)

  /// Nothing of the record may be changed, and only stored answers are ever deleted. Of a mark one thing may be: since
  /// when it is known to be wrong.
  static let writer = rule(
    "lint_writer",
    """
    select t.relname || ' ' || privilege
    from t, unnest(array['UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) as privilege
    where (has_table_privilege('chipbridge_writer', t.oid, privilege)
        or privilege in ('UPDATE', 'REFERENCES')
          and has_any_column_privilege('chipbridge_writer', t.oid, privilege))
      and not (privilege = 'DELETE' and t.relname = 'idempotency')
      and not (privilege = 'UPDATE' and t.relname in ('chip_marks', 'startup_marks')
        and not has_table_privilege('chipbridge_writer', t.oid, 'UPDATE')
        and array['superseded_at'::name] = (
          select array_agg(a.attname) from pg_attribute a
          where a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
            and has_column_privilege('chipbridge_writer', t.oid, a.attnum, 'UPDATE')))
      and not (privilege = 'UPDATE' and t.relname not in (
        'journal_entries', 'journal_lines', 'chain_links', 'audit_log', 'allocations', 'verdicts', 'payouts',
        'repayment_explanations', 'closing_corrections', 'startup_waterfalls', 'prepayment_declines',
        'listing_options', 'loan_conversions',
        'bank_statements', 'bank_statement_lines', 'reconciliation_matches',
        'chip_marks', 'startup_marks', 'round_reports', 'chip_quotes',
        'mark_derivations', 'reference_documents', 'idempotency', 'outbox', 'webhook_attempts'))
    """)

  static let reader = rule(
    "lint_reader",
    """
    select t.relname || ' ' || privilege
    from t, unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) as privilege
    where (has_table_privilege('chipbridge_reader', t.oid, privilege)
        or privilege in ('INSERT', 'UPDATE', 'REFERENCES')
          and has_any_column_privilege('chipbridge_reader', t.oid, privilege))
      and not (privilege = 'SELECT' and t.relname not in ('api_keys', 'idempotency', 'webhook_secrets', 'webhook_leases'))
    """)

  /// Each table of a tenant, and the local ones that hold rows of tenants, is under forced row security, with a policy
  /// for each role.
  static let rowSecurity = rule(
    "lint_row_security",
    """
    select t.relname::text from t
    where (t.key is not null or t.relname in (
      'outbox', 'match_rounds', 'settlement_runs', 'settlement_shards', 'closed_days',
      'identity_bindings')) and not (
      t.relrowsecurity and t.relforcerowsecurity
      and exists (
        select 1 from pg_policies p where p.schemaname = 'public' and p.tablename = t.relname and p.cmd = 'SELECT'
          and p.roles = array['chipbridge_reader'::name] and p.qual like '%app_sees_all()%')
      and exists (
        select 1 from pg_policies p where p.schemaname = 'public' and p.tablename = t.relname and p.cmd = 'ALL'
          and p.roles = array['chipbridge_writer'::name])
      and 2 = (select count(*) from pg_policies p where p.schemaname = 'public' and p.tablename = t.relname))
    """)

  static let rules: [Statement] = [
    tag, keyColumn, primaryKey, unique, foreignKeys, triggers, names, types, defaults, ownership, roles, writer, reader,
    rowSecurity,
  ]

  static func breaches(of rule: Statement, _ connection: PostgresConnection) async throws -> [String] {
    try await connection.run(Query(rule), deadline: soon()).map { try $0.text(0) }.sorted()
  }
}
