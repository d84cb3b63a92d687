import Ledger
import Parties
import Persistence
import Postgres
import PostgresHarness
import Primitives
import SchemaFixtures

/// The laws of the domain that a database can be asked about from outside, without a line of the code that keeps them.
package enum BookLaws {
  /// Every breach of a law, in words.
  package static func breaches(_ connection: PostgresConnection) async throws -> [String] {
    var found: [String] = []
    let results = try await connection.pipeline(laws.map { Query($0) }, deadline: soon())
    for (law, result) in zip(laws, results) {
      for row in result { found.append("\(law.name): \(try row.text(0))") }
    }
    return found
  }

  private static func law(_ name: StaticString, _ query: SQL) -> Statement {
    Statement(name, query, columns: [.text])
  }

  private static let laws: [Statement] = [
    law(
      "law_entries_are_numbered_without_gaps",
      """
      select h.org_id::text from heads h left join lateral (
        select count(*) as n, coalesce(max(sequence), 0) as last from journal_entries e where e.org_id = h.org_id) j
      on true where j.n <> h.journal_sequence or j.last <> h.journal_sequence
      """),
    law(
      "law_every_book_has_a_head",
      "select e.org_id::text from journal_entries e where not exists (select 1 from heads h where h.org_id = e.org_id)"
    ),
    law(
      "law_balances_are_sums_of_lines",
      """
      select coalesce(a.account_code, l.account_code) || ' ' || coalesce(a.balance, 0) || ' / ' || coalesce(l.sum, 0)
      from accounts a full join (
        select org_id, account_code, subject_id, asset, sum(amount) from journal_lines group by 1, 2, 3, 4) l
      on l.org_id = a.org_id and l.account_code = a.account_code and l.subject_id = a.subject_id and l.asset = a.asset
      where coalesce(a.balance, 0) <> coalesce(l.sum, 0)
      """),
    law(
      "law_entries_sum_to_zero",
      """
      select entry_id::text from journal_lines group by org_id, entry_id, asset having sum(amount) <> 0
      """),
    law(
      "law_custody_of_lots_is_that_of_the_ledger",
      """
      select lot.id || ' ' || state.code || ' ' || state.units || ' / ' || coalesce(a.balance, 0)
      from lots lot cross join lateral (values
        ('custody.on_order', lot.on_order), ('custody.promised', lot.promised), ('custody.available', lot.available), ('custody.reserved', lot.reserved),
        ('custody.in_transit', lot.in_transit), ('custody.on_loan', lot.on_loan), ('custody.returning', lot.in_return),
        ('custody.in_inspection', lot.in_inspection), ('custody.in_repair', lot.in_repair),
        ('custody.frozen', lot.frozen), ('custody.repossessed', lot.repossessed), ('custody.lost', lot.lost),
        ('custody.sold', lot.sold)) as state (code, units)
      left join accounts a on a.org_id = lot.lender_id and a.account_code = state.code and a.subject_id = lot.id
      where state.units <> coalesce(a.balance, 0)
      """),
    law(
      "law_listed_units_are_those_of_live_listings",
      """
      select lot.id::text from lots lot where lot.listed <> (
        select coalesce(sum(remaining), 0) from listings l
        where l.lender_id = lot.lender_id and l.lot_id = lot.id and l.state in ('open', 'paused'))
      """),
    law(
      "law_reserved_units_are_those_of_offers_and_undelivered_loans",
      """
      select lot.id::text from lots lot where lot.reserved + lot.promised <> (
        select coalesce(sum(quantity), 0) from offers o where o.lot_id = lot.id and o.state = 'pending') + (
        select coalesce(sum(quantity), 0) from loans l where l.lot_id = lot.id and l.state = 'agreed')
      """),
    law(
      "law_units_on_loan_are_those_of_loans",
      """
      select lot.id::text from lots lot cross join lateral (
        select coalesce(sum(units_out) filter (where held_on is null), 0) as out,
          coalesce(sum(units_out) filter (where held_on is not null), 0) as held,
          coalesce(sum(units_lost), 0) + (
            select coalesce(sum(e.quantity), 0) from unit_events e
            where e.lot_id = lot.id and e.loan_id is null and e.kind = 'lost') as lost,
          coalesce(sum(units_repossessed - units_resold - units_kept), 0) as repossessed,
          coalesce(sum(units_owned + units_resold + units_assigned), 0) as sold
        from loans l where l.lot_id = lot.id) n
      where (lot.on_loan, lot.frozen, lot.lost, lot.repossessed, lot.sold)
        <> (n.out, n.held, n.lost, n.repossessed, n.sold)
      """),
    law(
      "law_offers_of_requests",
      """
      select r.id::text from loan_requests r where r.offered <> (
        select coalesce(sum(quantity), 0) from offers o where o.request_id = r.id and o.state = 'pending')
      or r.matched <> (
        select coalesce(sum(quantity), 0) from offers o where o.request_id = r.id and o.state = 'accepted')
      """),
    law(
      "law_outstanding_is_that_of_both_books",
      """
      select l.id || ' ' || part.receivable || ' ' || part.amount
      from loans l cross join lateral (values
        ('receivable.principal', 'payable.principal',
          case when l.delivered_on is null then 0 else l.outstanding_principal end),
        ('receivable.fee', 'payable.fee', l.outstanding_fee),
        ('receivable.charges', 'payable.charges', l.outstanding_charges - coalesce(l.outstanding_tax, 0)),
        ('receivable.tax', 'payable.tax', coalesce(l.outstanding_tax, 0))) as part (receivable, payable, amount)
      where part.amount <> coalesce((
          select balance from accounts a where a.org_id = l.lender_id and a.account_code = part.receivable
            and a.subject_id = l.id), 0)
        or part.amount <> -coalesce((
          select balance from accounts a where a.org_id = l.borrower_id and a.account_code = part.payable
            and a.subject_id = l.id), 0)
      """),
    law(
      "law_allowance_is_what_was_written_off",
      """
      select l.id::text from loans l where l.written_off <> -coalesce((
        select balance from accounts a where a.org_id = l.lender_id and a.account_code = 'allowance.loan'
          and a.subject_id = l.id), 0)
      """),
    law(
      "law_fee_income_is_what_was_accrued",
      """
      select l.id::text from loans l where l.fee_accrued_total <> -coalesce((
        select balance from accounts a where a.org_id = l.lender_id and a.account_code = 'income.fee'
          and a.subject_id = l.id), 0)
        or l.fee_accrued_total <> coalesce((
        select balance from accounts a where a.org_id = l.borrower_id and a.account_code = 'expense.fee'
          and a.subject_id = l.id), 0)
      """),
    law(
      "law_clearing_is_zero_over_both_books",
      """
      select subject_id::text from accounts where account_code in ('clearing.chips', 'chips.settled')
      group by account_code, subject_id, asset having sum(balance) <> 0
      """),
    law(
      "law_sales_of_loans_are_zero_over_both_lenders",
      """
      select asset from accounts where account_code = 'clearing.assignment' group by asset having sum(balance) <> 0
      """),
    law(
      "law_what_was_sold_of_a_loan_is_another",
      """
      select l.id::text from loans l where (l.units_assigned, l.principal_assigned) <> (
        select coalesce(sum(n.quantity), 0), coalesce(sum(n.principal), 0) from loans n
        where n.borrower_id = l.borrower_id and n.lineage[1] = l.id::text)
      """),
    law(
      "law_bought_loans_have_verdicts_of_their_day",
      """
      select l.id::text from loans l where l.lineage is not null and not exists (
        select 1 from verdicts v where v.borrower_id = l.lender_id and v.subject_id = l.id and v.act = 'title_transfer'
          and v.acted and v.on_date = l.acquired_on and v.quantity = l.quantity)
      """),
    law(
      "law_client_money_is_what_tenants_see",
      """
      select coalesce(p.subject_id, t.org_id) || ' ' || coalesce(p.balance, 0) || ' ' || coalesce(t.sum, 0)
      from (select subject_id, asset, balance from accounts where account_code = 'client_money') p
      full join (
        select org_id, asset, sum(balance) from accounts where account_code = 'cash_at_platform' group by 1, 2) t
      on t.org_id = p.subject_id and t.asset = p.asset
      where coalesce(p.balance, 0) <> -coalesce(t.sum, 0)
      """),
    law(
      "law_client_money_is_covered",
      """
      select asset from accounts where account_code in (
        'bank.client', 'payable.bank', 'client_money', 'suspense', 'deposit.held')
      group by asset having sum(balance) <> 0
      """),
    law(
      "law_parts_of_receipts",
      """
      select r.id::text from cash_receipts r where r.amount <> r.remainder + coalesce(r.converted, 0)
        + coalesce(r.deposit_held, 0) + r.claim_paid + (
        select coalesce(sum(amount), 0) from allocations a where a.receipt_id = r.id) + (
        select coalesce(sum(from_remainder), 0) from claw_backs b where b.receipt_id = r.id)
      """),
    law(
      "law_acts_have_verdicts_of_their_day",
      """
      select l.id::text from loans l where l.dispatched_on is not null and l.lineage is null and not exists (
        select 1 from verdicts v where v.borrower_id = l.borrower_id and v.subject_id = l.id and v.act = 'hand_over'
          and v.acted and v.on_date = l.dispatched_on)
      """),
  ]

  /// Computes every link of every chain again from the stored entries, and compares.
  package static func chainBreaches(_ connection: PostgresConnection) async throws -> [String] {
    let answers = try await connection.pipeline(
      [Query(allHeads), Query(allEntries), Query(allLines), Query(allLinks)], deadline: soon())
    let heads = try Tables.heads.decode(answers[0])
    let entries = Dictionary(grouping: try Tables.journalEntries.decode(answers[1]), by: \.book)
    var lines: [EntryKey: [JournalLine]] = [:]
    for row in try Tables.journalLines.decode(answers[2]) {
      lines[EntryKey(book: row.line.account.book, id: row.entryID), default: []].append(row.line)
    }
    let links = Dictionary(grouping: try Tables.chainLinks.decode(answers[3]), by: \.book)
    var found: [String] = []
    for head in heads {
      let book = head.organizationID
      var (hash, number, sequence) = (SHA256Digest.zero, Int64(0), Int64(0))
      for link in links[book] ?? [] {
        let covered = try (entries[book] ?? []).filter {
          (link.firstSequence...link.lastSequence).contains($0.sequence)
        }
        .map { row in
          JournalEntry(
            draft: try EntryDraft(
              id: row.id, book: book, kind: row.kind, businessDate: row.businessDate, subject: row.subject,
              lines: lines[EntryKey(book: book, id: row.id)] ?? []),
            sequence: row.sequence, recordedAt: row.recordedAt)
        }
        let again = ChainLink(book: book, number: number + 1, previous: hash, entries: covered)
        if again != link || link.firstSequence != sequence + 1 { found.append("link \(link.number) of \(book)") }
        (hash, number, sequence) = (link.hash, link.number, link.lastSequence)
      }
      if hash != head.chainHash || number != head.chainNumber || sequence != head.journalSequence {
        found.append("head of \(book)")
      }
    }
    return found
  }

  private struct EntryKey: Hashable {
    let book: OrganizationID
    let id: JournalEntryID
  }

  private static let allHeads = Statement("law_heads", Tables.heads.selectList)
  private static let allEntries = Statement(
    "law_entries", Tables.journalEntries.selectList + "order by org_id, sequence")
  private static let allLines = Statement(
    "law_lines", Tables.journalLines.selectList + "order by org_id, entry_id, line_no")
  private static let allLinks = Statement("law_links", Tables.chainLinks.selectList + "order by org_id, number")
}

/// How many rows each table has.
package enum RowCounts {
  private static let all = Statement(
    "row_counts",
    """
    select relname::text, (xpath('/row/n/text()', query_to_xml(
      format('select count(*) as n from %I', relname), false, true, '')))[1]::text::bigint
    from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'
    """, columns: [.text, .int8])

  package static func of(_ connection: PostgresConnection) async throws -> [String: Int64] {
    var counts: [String: Int64] = [:]
    for row in try await connection.run(Query(all), deadline: soon()) { counts[try row.text(0)] = try row.int8(1) }
    return counts
  }
}
