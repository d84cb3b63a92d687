import Postgres

/// The audit log as it was sealed. Written from the tables alone: a row that was edited, removed, put in, or moved to another
/// time changes what its link covers.
extension LawCheck {
  static let audit = [
    LawCheck(
      7, "every sealed entry of the audit log is as it was when it was sealed, and none was put in",
      names: ("law_audit_sealed", "law_audit_sealed_count"),
      breaches: """
        select l.org_id, 'link ' || l.number || ' covers other entries than it sealed' from audit_links l
        left join lateral (
          select count(*) as entry_count,
        """ + AuditSealSQL.rows
          + """
           as digest from audit_log a where a.org_id = l.org_id and a.transaction_id >= l.from_transaction
            and a.transaction_id < l.before_transaction) now on true
          where now.entry_count <> l.entry_count or l.hash is distinct from
          """ + AuditSealSQL.link
            + """
            now.digest)
            union all
            select a.org_id, 'entry ' || a.id || ' is older than the last sealing, and no link covers it'
            from audit_log a, audit_sealing s
            where a.transaction_id < s.before_transaction and not exists (
              select 1 from audit_links l where l.org_id = a.org_id and a.transaction_id >= l.from_transaction
                and a.transaction_id < l.before_transaction)
            """, counting: "select 1 from audit_log a, audit_sealing s where a.transaction_id < s.before_transaction"),
    LawCheck(
      7, "the audit log's chains are whole, and each checkpoint is of its links and the one before it",
      names: ("law_audit_chains", "law_audit_chains_count"),
      breaches: """
        select org_id, 'link ' || number || ' does not follow the one before it' from (
          select org_id, number, previous_hash,
            lag(number, 1, 0::bigint) over chain as number_before,
            lag(hash, 1, decode(repeat('00', 32), 'hex')) over chain as hash_before
          from audit_links window chain as (partition by org_id order by number)) l
        where number <> number_before + 1 or previous_hash <> hash_before
        union all
        select null, 'checkpoint ' || number || ' does not follow the one before it' from (
          select number, body, lag(number, 1, 0::bigint) over (order by number) as number_before,
            lag(encode(sha256(convert_to(body, 'UTF8')), 'hex'), 1, repeat('00', 32)) over (order by number) as hash_before
          from audit_checkpoints) c
        where number <> number_before + 1 or body::jsonb ->> 'previous' <> hash_before
          or (body::jsonb ->> 'number')::bigint <> number
        union all
        select null, 'checkpoint ' || c.number || ' is not of its links' from audit_checkpoints c
        left join lateral (select count(*) as links, encode(
        """ + AuditSealSQL.root
          + """
          , 'hex') as root from audit_links l where l.checkpoint = c.number) now on true
          where now.links <> (c.body::jsonb ->> 'links')::bigint or now.root is distinct from c.body::jsonb ->> 'root'
          union all
          select org_id, 'link ' || number || ' is of no checkpoint' from audit_links l
          where not exists (select 1 from audit_checkpoints c where c.number = l.checkpoint)
          union all
          select null, 'the last checkpoint is not the one that was sealed last' from audit_sealing s
          where s.checkpoint <> (select coalesce(max(number), 0) from audit_checkpoints)
          """, counting: "select 1 from audit_links"),
  ]
}
