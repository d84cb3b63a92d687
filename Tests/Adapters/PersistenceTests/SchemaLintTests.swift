import Postgres
import PostgresHarness
import SchemaFixtures
import Testing

@Suite("The schema", .timeLimit(.minutes(2)))
struct SchemaLintTests {
  @Test("keeps every rule of distribution, naming, types and grants")
  func keepsTheRules() async throws {
    try await MigratedDatabase.with { database in
      try await database.withConnection { connection in
        for rule in SchemaLint.rules {
          let breaches = try await SchemaLint.breaches(of: rule, connection)
          #expect(breaches == [], "\(rule.name)")
        }
      }
    }
  }

  /// A breach planted on purpose, what undoes it, and what the rule must then name.
  struct Planted: Sendable {
    let rule: Statement
    let plant: String
    let undo: String
    let names: String
  }

  private static let scratch =
    "create table scratch (borrower_id uuid not null, id uuid not null, note text, "
    + "constraint scratch_pkey primary key (borrower_id, id)); comment on table scratch is 'key borrower_id';"
  private static let drop = "drop table scratch"

  static let planted: [Planted] = [
    Planted(
      rule: SchemaLint.tag, plant: scratch + "comment on table scratch is 'key tenant'", undo: drop, names: "scratch"),
    Planted(rule: SchemaLint.tag, plant: scratch + "comment on table scratch is null", undo: drop, names: "scratch"),
    Planted(
      rule: SchemaLint.keyColumn,
      plant: "create table scratch (borrower_id text not null, constraint scratch_pkey primary key (borrower_id)); "
        + "comment on table scratch is 'key borrower_id'", undo: drop, names: "scratch"),
    Planted(
      rule: SchemaLint.keyColumn, plant: scratch + "comment on table scratch is 'key lender_id'", undo: drop,
      names: "scratch"),
    Planted(
      rule: SchemaLint.primaryKey,
      plant: "create table scratch (borrower_id uuid not null, id uuid not null, "
        + "constraint scratch_pkey primary key (id, borrower_id)); comment on table scratch is 'key borrower_id'",
      undo: drop, names: "scratch"),
    Planted(
      rule: SchemaLint.primaryKey,
      plant: "create table scratch (borrower_id uuid not null); comment on table scratch is 'local'", undo: drop,
      names: "scratch"),
    Planted(
      rule: SchemaLint.unique, plant: scratch + "alter table scratch add constraint scratch_note unique (note)",
      undo: drop, names: "scratch_note"),
    Planted(
      rule: SchemaLint.unique, plant: scratch + "create unique index scratch_by_id on scratch (id)", undo: drop,
      names: "scratch_by_id"),
    Planted(
      rule: SchemaLint.foreignKeys,
      plant: scratch + "alter table scratch add constraint scratch_lot foreign key (borrower_id, id) "
        + "references lots (lender_id, id)", undo: drop, names: "scratch_lot"),
    Planted(
      rule: SchemaLint.foreignKeys,
      plant: scratch + "alter table scratch add column round_id uuid; alter table scratch add constraint scratch_round "
        + "foreign key (round_id) references match_rounds (id)", undo: drop, names: "scratch_round"),
    Planted(
      rule: SchemaLint.foreignKeys,
      plant: scratch + "alter table scratch add constraint scratch_crossed foreign key (id, borrower_id) "
        + "references loans (borrower_id, id)", undo: drop, names: "scratch_crossed"),
    Planted(
      rule: SchemaLint.triggers,
      plant: scratch + "create trigger scratch_kept before update on scratch for each row "
        + "execute function refuse_change()", undo: drop, names: "scratch_kept"),
    Planted(
      rule: SchemaLint.names, plant: scratch + "alter table scratch add check (note <> '')", undo: drop,
      names: "scratch_note_check"),
    Planted(
      rule: SchemaLint.names,
      plant: scratch + "alter table scratch add constraint sensible unique (borrower_id, note)", undo: drop,
      names: "sensible"),
    Planted(
      rule: SchemaLint.types, plant: scratch + "alter table scratch add column at timestamp", undo: drop,
      names: "scratch.at"),
    Planted(
      rule: SchemaLint.types, plant: scratch + "alter table scratch add column rate double precision", undo: drop,
      names: "scratch.rate"),
    Planted(
      rule: SchemaLint.defaults, plant: scratch + "alter table scratch add column number bigserial", undo: drop,
      names: "scratch.number"),
    Planted(
      rule: SchemaLint.defaults,
      plant: scratch + "alter table scratch add column number bigint generated always as identity", undo: drop,
      names: "scratch.number"),
    Planted(
      rule: SchemaLint.ownership, plant: scratch + "alter table scratch owner to chipbridge_reader", undo: drop,
      names: "pg_class"),
    Planted(
      rule: SchemaLint.writer, plant: "grant update (kind) on journal_entries to chipbridge_writer",
      undo: "revoke update (kind) on journal_entries from chipbridge_writer", names: "journal_entries UPDATE"),
    Planted(
      rule: SchemaLint.writer, plant: "grant delete on loans to chipbridge_writer",
      undo: "revoke delete on loans from chipbridge_writer", names: "loans DELETE"),
    Planted(
      rule: SchemaLint.writer, plant: "grant truncate on audit_log to public",
      undo: "revoke truncate on audit_log from public", names: "audit_log TRUNCATE"),
    Planted(
      rule: SchemaLint.reader, plant: "grant insert (subject) on outbox to chipbridge_reader",
      undo: "revoke insert (subject) on outbox from chipbridge_reader", names: "outbox INSERT"),
    Planted(
      rule: SchemaLint.reader, plant: "grant select on api_keys to chipbridge_reader",
      undo: "revoke select on api_keys from chipbridge_reader", names: "api_keys SELECT"),
    Planted(
      rule: SchemaLint.rowSecurity, plant: scratch + "alter table scratch enable row level security", undo: drop,
      names: "scratch"),
    Planted(
      rule: SchemaLint.rowSecurity, plant: "alter table loans no force row level security",
      undo: "alter table loans force row level security", names: "loans"),
    Planted(
      rule: SchemaLint.rowSecurity, plant: "create policy wide on lots for select to public using (true)",
      undo: "drop policy wide on lots", names: "lots"),
  ]

  @Test("breached on purpose, is named by the rule that was breached")
  func rulesCanFail() async throws {
    try await MigratedDatabase.with { database in
      try await database.withConnection { connection in
        for breach in Self.planted {
          try await connection.execute(breach.plant)
          let found = try await SchemaLint.breaches(of: breach.rule, connection)
          #expect(found.contains { $0.hasPrefix(breach.names) }, "\(breach.rule.name): \(breach.plant)")
          try await connection.execute(breach.undo)
          let left = try await SchemaLint.breaches(of: breach.rule, connection)
          #expect(left == [], "\(breach.undo)")
        }
      }
    }
  }

  @Test("every rule but the one on the server's roles, which all databases share, is breached by a test")
  func everyRuleIsTried() {
    let tried = Set(Self.planted.map(\.rule.name))
    #expect(Set(SchemaLint.rules.map(\.name)).subtracting(tried) == ["lint_roles"])
  }

  @Test("has exactly the guards of the journal and of the audit log")
  func guards() async throws {
    let triggers = Statement(
      "lint_all_triggers",
      """
      select tgname::text from pg_trigger where not tgisinternal and tgenabled = 'O' order by tgname collate "C"
      """, columns: [.text])
    try await MigratedDatabase.with { database in
      try await database.withConnection { connection in
        let names = try await connection.run(Query(triggers), deadline: soon()).map { try $0.text(0) }
        #expect(
          names == [
            "audit_checkpoints_immutable", "audit_checkpoints_kept", "audit_links_immutable", "audit_links_kept",
            "audit_log_immutable", "audit_log_kept", "chain_links_immutable", "chain_links_kept",
            "journal_entries_immutable", "journal_entries_kept",
            "journal_lines_balance", "journal_lines_immutable", "journal_lines_kept",
          ])
      }
    }
  }
}
