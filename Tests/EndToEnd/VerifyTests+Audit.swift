import ServiceHarness

extension EndToEnd {
  /// What can be done to a sealed audit log: edit, delete, insert, swap, and a cut off tail, with and without the end of
  /// its chain.
  static let breachesOfAudit: [Breach] = [
    Breach(
      plant: [
        """
        update audit_log set outcome = 'nothing' where (org_id, id) in (select org_id, id from audit_log order by id limit 1)
        """
      ], found: "every sealed entry of the audit log"),
    Breach(
      plant: ["delete from audit_log where (org_id, id) in (select org_id, id from audit_log order by id limit 1)"],
      found: "every sealed entry of the audit log"),
    Breach(
      plant: [
        """
        insert into audit_log (org_id, id, at, recorded_at, key_id, action, outcome, transaction_id)
        select org_id, gen_random_uuid(), at, recorded_at, key_id, action, outcome, transaction_id
        from audit_log order by id limit 1
        """
      ], found: "every sealed entry of the audit log"),
    Breach(
      plant: [
        """
        insert into audit_log (org_id, id, at, recorded_at, key_id, action, outcome, transaction_id)
        select gen_random_uuid(), id, at, recorded_at, key_id, action, outcome, transaction_id
        from audit_log order by id limit 1
        """
      ], found: "every sealed entry of the audit log"),
    Breach(
      plant: [
        """
        update audit_log a set at = b.at, action = b.action, subject_id = b.subject_id from audit_log b
        where a.org_id = b.org_id and a.action <> b.action and (a.id, b.id) in (
          (select x.id, y.id from audit_log x join audit_log y using (org_id) where x.action < y.action limit 1)
          union all
          (select y.id, x.id from audit_log x join audit_log y using (org_id) where x.action < y.action limit 1))
        """
      ], found: "every sealed entry of the audit log"),
    Breach(
      plant: [
        """
        delete from audit_log a using (
          select org_id, max(number) as number from audit_links group by 1) last
        join audit_links l using (org_id, number)
        where a.org_id = last.org_id and a.transaction_id >= l.from_transaction
        """
      ], found: "every sealed entry of the audit log"),
    Breach(
      plant: [
        "delete from audit_checkpoints where number = (select max(number) from audit_checkpoints)",
        "delete from audit_links where checkpoint not in (select number from audit_checkpoints)",
      ], found: "the audit log's chains are whole"),
    Breach(
      plant: ["update audit_links set hash = sha256(hash) where number = 1"], found: "the audit log's chains are whole"),
    Breach(
      plant: ["update audit_checkpoints set body = replace(body, '\"links\":', '\"links\":1') where number = 1"],
      found: "the audit log's chains are whole"),
  ]

  /// Waits until all that was written is sealed.
  static func sealed(_ deployment: Deployment) throws {
    let console = try deployment.console()
    let isSealed = try eventually(within: 20) {
      try console.number(
        """
        select count(*) from audit_log a, audit_sealing s where a.transaction_id >= s.before_transaction
        """) == 0
    }
    guard isSealed else { throw HTTPFault.unexpected("the audit log is not sealed") }
  }
}
