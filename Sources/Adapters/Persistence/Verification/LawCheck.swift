import Postgres

/// One check of a law of the domain, as a statement that returns a row for each breach: what is wrong, and how.
///
/// These statements are written apart from the code that posts and decides, and read the journal's lines, never the
/// balances that the service keeps beside them (those are themselves checked).
package struct LawCheck: Sendable {
  /// The law's number in the list that the product publishes (README).
  package let law: Int
  package let title: String
  package let breaches: Statement
  /// How many things were looked at.
  package let checked: Statement

  init(_ law: Int, _ title: String, names: (StaticString, StaticString), breaches: SQL, counting: SQL) {
    self.law = law
    self.title = title
    self.breaches = Statement(
      names.0, "select subject::text, detail::text from (" + breaches + ") as found (subject, detail) limit 20",
      columns: [.text, .text])
    self.checked = Statement(names.1, "select count(*) from (" + counting + ") as looked_at", columns: [.int8])
  }
}

extension LawCheck {
  /// Every check, by law.
  package static let all: [LawCheck] =
    journal + custody + debts + acts + order + money + currencies + clawbacks + assignments + lateness + marks
    + taxes + margin + audit + events

  package static var statements: [Statement] { all.flatMap { [$0.breaches, $0.checked] } }

  /// Sums of the journal's lines by account, over whatever assets it counts.
  static let sums: SQL =
    "select org_id, account_code, subject_id, asset, sum(amount) as total from journal_lines group by 1, 2, 3, 4"

  static let journal = [
    LawCheck(
      1, "every journal entry sums to zero for each asset", names: ("law_entries_balance", "law_entries_balance_count"),
      breaches: """
        select entry_id, 'in the book of ' || org_id || ' ' || asset || ' sums to ' || sum(amount)
        from journal_lines group by org_id, entry_id, asset having sum(amount) <> 0
        """, counting: "select 1 from journal_entries"),
    LawCheck(
      1, "entries of a book are numbered without gaps, each has lines, and no line is without its entry",
      names: ("law_entries_numbered", "law_entries_numbered_count"),
      breaches: """
        select org_id, count(*) || ' entries, the last numbered ' || max(sequence)
        from journal_entries group by org_id having count(*) <> max(sequence)
        union all
        select e.org_id, 'entry ' || e.id || ' has no lines' from journal_entries e
        where not exists (select 1 from journal_lines l where l.org_id = e.org_id and l.entry_id = e.id)
        union all
        select l.org_id, 'a line names entry ' || l.entry_id || ', which is not there' from journal_lines l
        where not exists (select 1 from journal_entries e where e.org_id = l.org_id and e.id = l.entry_id)
        union all
        select org_id, 'the book has no head' from (select org_id from journal_entries union select org_id from chain_links) b
        where not exists (select 1 from heads h where h.org_id = b.org_id)
        """, counting: "select 1 from heads"),
    LawCheck(
      1, "each balance is the sum of its lines", names: ("law_balances", "law_balances_count"),
      breaches: """
        select coalesce(a.org_id, l.org_id), coalesce(a.account_code, l.account_code) || ' stands at '
          || coalesce(a.balance, 0) || ', its lines sum to ' || coalesce(l.total, 0)
        from accounts a full join (
        """ + sums
          + """
          ) l on l.org_id = a.org_id and l.account_code = a.account_code and l.subject_id = a.subject_id
            and l.asset = a.asset
          where coalesce(a.balance, 0) <> coalesce(l.total, 0)
          """, counting: "select 1 from accounts"),
    LawCheck(
      1, "what crosses between lender and borrower is the same on both sides",
      names: ("law_clearing", "law_clearing_count"),
      breaches: """
        select entry_id, account_code || ' sums to ' || sum(amount) || ' over the books' from journal_lines
        where account_code in ('clearing.chips', 'clearing.assignment')
        group by entry_id, account_code, asset having sum(amount) <> 0
        """, counting: "select distinct entry_id from journal_lines where account_code like 'clearing.%'"),
  ]

  /// The columns of a lot by state.
  private static let lotStates: SQL = """
    select l.id, s.state, s.units from lots l cross join lateral (values
      ('on_order', l.on_order), ('promised', l.promised), ('available', l.available), ('reserved', l.reserved), ('in_transit', l.in_transit),
      ('on_loan', l.on_loan), ('returning', l.in_return), ('in_inspection', l.in_inspection),
      ('in_repair', l.in_repair), ('frozen', l.frozen), ('repossessed', l.repossessed), ('lost', l.lost),
      ('sold', l.sold)) as s (state, units)
    """

  static let custody = [
    LawCheck(
      2, "the states of each lot sum to its quantity", names: ("law_lots_conserved", "law_lots_conserved_count"),
      breaches: "select l.id, sum(s.units) || ' of ' || l.quantity from lots l join (" + lotStates
        + ") s on s.id = l.id group by l.id, l.quantity having sum(s.units) <> l.quantity",
      counting: "select 1 from lots"),
    LawCheck(
      2, "each lot stands as its custody accounts say", names: ("law_lots_custody", "law_lots_custody_count"),
      breaches: "select s.id, s.state || ' ' || s.units || ', custody ' || coalesce(c.total, 0) from (" + lotStates
        + ") s left join (" + sums
          + """
          ) c on c.subject_id = s.id and c.account_code = 'custody.' || s.state
          where s.units <> coalesce(c.total, 0)
          """, counting: lotStates),
    LawCheck(
      2, "no custody, claim, cash or bank account is negative, no debt to others positive",
      names: ("law_signs", "law_signs_count"),
      breaches: "select org_id, account_code || ' of ' || subject_id || ' is ' || total || ' ' || asset from (" + sums
        + """
        ) s where (total < 0 and (account_code ~ '^(receivable|bank)[.]' or account_code in ('cash_at_platform',
            'deposit.pledged', 'holdings.on_loan', 'holdings.owned', 'tax.input', 'tax.credit')
            or (account_code like 'custody.%' and account_code not in ('custody.ordered', 'custody.received'))))
          or (total > 0 and (account_code like 'payable.%' or account_code in ('client_money', 'suspense', 'deposit.held',
            'tax.output', 'tax.withheld', 'custody.ordered', 'custody.received', 'holdings.source')))
        """, counting: "select 1 from accounts"),
    LawCheck(
      2, "chips on loan, reserved or promised, and in transit are those of loans and offers; no chip is in two",
      names: ("law_units_of_loans", "law_units_of_loans_count"),
      breaches: """
        select l.id, 'on loan ' || l.on_loan || ' against ' || coalesce(n.out, 0) || ', sold ' || l.sold || ' against '
          || coalesce(n.owned, 0) || ', in transit ' || l.in_transit || ' against ' || coalesce(n.moving, 0)
          || ', reserved or promised ' || l.reserved + l.promised || ' against ' || coalesce(n.agreed, 0) + coalesce(p.pending, 0)
          || ', frozen ' || l.frozen || ' against ' || coalesce(n.held, 0) || ', lost ' || l.lost || ' against '
          || coalesce(n.lost, 0) + coalesce(s.lost, 0) || ', repossessed ' || l.repossessed || ' against ' || coalesce(n.repossessed, 0)
        from lots l
        left join (
          select lot_id, sum(units_out) filter (where held_on is null) as out, sum(units_owned + units_resold + units_assigned) as owned,
            sum(units_out) filter (where held_on is not null) as held, sum(units_lost) as lost,
            sum(units_repossessed - units_resold - units_kept) as repossessed,
            sum(quantity) filter (where state = 'in_transit') as moving,
            sum(quantity) filter (where state = 'agreed') as agreed
          from loans group by lot_id) n on n.lot_id = l.id
        left join (select lot_id, sum(quantity) as pending from offers where state = 'pending' group by lot_id) p
          on p.lot_id = l.id
        left join (
          select lot_id, sum(quantity) as lost from unit_events where loan_id is null and kind = 'lost' group by lot_id
        ) s on s.lot_id = l.id
        where l.on_loan <> coalesce(n.out, 0) or l.sold <> coalesce(n.owned, 0)
          or l.frozen <> coalesce(n.held, 0) or l.lost <> coalesce(n.lost, 0) + coalesce(s.lost, 0)
          or l.repossessed <> coalesce(n.repossessed, 0)
          or l.in_transit <> coalesce(n.moving, 0) or l.reserved + l.promised <> coalesce(n.agreed, 0) + coalesce(p.pending, 0)
        """, counting: "select 1 from loans"),
    LawCheck(
      2, "chips on their way back are those of returns", names: ("law_returns", "law_returns_count"),
      breaches: """
        select l.id, 'on the way back ' || l.in_return || ' against ' || coalesce(r.returning, 0) || ', in inspection '
          || l.in_inspection || ' against ' || coalesce(r.inspected, 0)
        from lots l left join (
          select lot_id, sum(quantity) filter (where state = 'returning') as returning,
            sum(quantity) filter (where state = 'in_inspection') as inspected from loan_returns group by lot_id
        ) r on r.lot_id = l.id
        where l.in_return <> coalesce(r.returning, 0) or l.in_inspection <> coalesce(r.inspected, 0)
        union all
        select n.id, 'returned ' || n.units_returned || ' and returning ' || n.units_returning || ' against '
          || coalesce(r.done, 0) || ' and ' || coalesce(r.under_way, 0)
        from loans n left join (
          select loan_id, sum(quantity) filter (where state = 'accepted') as done,
            sum(quantity) filter (where state in ('returning', 'in_inspection')) as under_way
          from loan_returns group by loan_id) r on r.loan_id = n.id
        where n.units_returned <> coalesce(r.done, 0) or n.units_returning <> coalesce(r.under_way, 0)
        """, counting: "select 1 from loan_returns"),
    LawCheck(
      2, "a numbered unit is in the loan of its own lender, and no loan has more of them than units",
      names: ("law_numbered_units", "law_numbered_units_count"),
      breaches: """
        select u.id, 'the unit ' || u.serial || ' is in a loan that is not there, or not its lender''s' from chip_units u
        where u.loan_id is not null and not exists (select 1 from loans l where l.id = u.loan_id
          and l.lender_id = u.lender_id and l.borrower_id = u.borrower_id and l.lot_id = u.lot_id)
        union all
        select l.id, count(*) || ' numbered units in a loan of ' || l.units_out + l.units_returning + l.units_owned
          + l.units_lost + l.units_assigned from loans l join chip_units u on u.loan_id = l.id
        where l.delivered_on is not null
        group by l.id, l.units_out, l.units_returning, l.units_owned, l.units_lost, l.units_assigned
        having count(*) > l.units_out + l.units_returning + l.units_owned + l.units_lost + l.units_assigned
        """, counting: "select 1 from chip_units where loan_id is not null"),
    LawCheck(
      2, "listings offer no more than is there, requests count their offers",
      names: ("law_orders", "law_orders_count"),
      breaches: """
        select l.id, 'listed ' || l.listed || ', listings offer ' || coalesce(n.remaining, 0) from lots l
        left join (select lot_id, sum(remaining) as remaining from listings
          where state in ('open', 'paused', 'exhausted') group by lot_id) n on n.lot_id = l.id
        where l.listed <> coalesce(n.remaining, 0)
        union all
        select r.id, 'offered ' || r.offered || ', matched ' || r.matched from loan_requests r
        left join (select request_id, sum(quantity) filter (where state = 'pending') as pending,
          sum(quantity) filter (where state = 'accepted') as accepted from offers group by request_id) o
          on o.request_id = r.id
        where r.offered <> coalesce(o.pending, 0) or r.matched <> coalesce(o.accepted, 0)
        """, counting: "select 1 from listings union all select 1 from loan_requests"),
  ]
}
