import Postgres

/// Statements that seal the audit log, and that read its checkpoints.
package enum AuditSealSQL {
  /// A row as bytes that no setting of the server changes and in which no two different rows are alike: each field with
  /// its length before it, null as a sign of its own.
  static let row: SQL = """
    sha256(convert_to(concat(
      a.org_id, a.id, (extract(epoch from a.at) * 1000000)::bigint, ' ',
      (extract(epoch from a.recorded_at) * 1000000)::bigint, ' ',
      coalesce(a.key_id::text, 'binding ' || a.binding_id), coalesce(a.person_id::text, '-'),
      octet_length(a.action), ':', a.action, coalesce(a.subject_id::text, '-'), octet_length(a.outcome), ':', a.outcome,
      coalesce(octet_length(a.request_id) || ':' || a.request_id, '-')), 'UTF8'))
    """
  /// All rows of an organisation that one link covers.
  static let rows: SQL = "sha256(string_agg(" + row + ", ''::bytea order by a.id))"
  /// What a link's hash covers besides.
  static let link: SQL = "sha256(l.previous_hash || int8send(l.number) || int8send(l.entry_count) || "

  /// Who holds the row seals; others come back with nothing. And before which transaction nothing can appear any more:
  /// all of them have ended. Taken before the rows are read, in a statement and thus a snapshot of its own.
  package static let begin = Statement(
    "audit_seal_begin",
    """
    select before_transaction, checkpoint, pg_snapshot_xmin(pg_current_snapshot())::text::bigint from audit_sealing
    where id = 1 for update skip locked
    """, columns: [.int8, .int8, .int8])

  /// `$1` to before `$2`, as the checkpoint `$3`: a link for each organisation with rows.
  package static let seal = Statement(
    "audit_seal",
    """
    with found as (
      select a.org_id, count(*) as entry_count,
    """ + rows
      + """
       as digest
        from audit_log a where a.transaction_id >= $1 and a.transaction_id < $2
        group by a.org_id
      ), l as (
        select f.org_id, coalesce(p.number, 0) + 1 as number, f.entry_count, f.digest,
          coalesce(p.hash, decode(repeat('00', 32), 'hex')) as previous_hash
        from found f left join lateral (
          select number, hash from audit_links p where p.org_id = f.org_id order by number desc limit 1) p on true
      )
      insert into audit_links
        (org_id, number, from_transaction, before_transaction, entry_count, previous_hash, hash, checkpoint)
      select l.org_id, l.number, $1, $2, l.entry_count, l.previous_hash,
      """ + link + "l.digest), $3 from l", parameters: [.int8, .int8, .int8])

  /// The links of a checkpoint, as one digest.
  static let root: SQL =
    "sha256(string_agg(uuid_send(l.org_id) || int8send(l.number) || l.hash, ''::bytea order by l.org_id))"

  package static let rooted = Statement(
    "audit_seal_root",
    "select count(*), coalesce(sum(l.entry_count), 0)::bigint, " + root
      + " from audit_links l where l.checkpoint = $1 having count(*) > 0",
    parameters: [.int8], columns: [.int8, .int8, .bytea])

  package static let previous = Statement(
    "audit_seal_previous", "select sha256(convert_to(body, 'UTF8')) from audit_checkpoints where number = $1",
    parameters: [.int8], columns: [.bytea])

  package static let checkpoint = Statement(
    "audit_seal_checkpoint",
    """
    insert into audit_checkpoints (number, sealed_at, before_transaction, body, signature, public_key)
    values ($1, $2, $3, $4, $5, $6)
    """, parameters: [.int8, .timestamptz, .int8, .text, .bytea, .bytea])

  package static let advance = Statement(
    "audit_seal_advance", "update audit_sealing set before_transaction = $1, checkpoint = $2 where id = 1",
    parameters: [.int8, .int8])

  /// Checkpoints after a number, the oldest first.
  package static let checkpoints = Statement(
    "audit_checkpoints",
    """
    select number, sealed_at, body, signature, public_key from audit_checkpoints
    where number > $1 order by number limit $2
    """, parameters: [.int8, .int8], columns: [.int8, .timestamptz, .text, .bytea, .bytea])

  package static var statements: [Statement] {
    [begin, seal, rooted, previous, checkpoint, advance, checkpoints]
  }
}
