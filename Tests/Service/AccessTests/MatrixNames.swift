import BankFiles
import Catalogue
import Ledger
import Lending
import Parties
import Persistence
import Primitives
import Repayment
import Valuation

@testable import RowFixtures

/// What stands for the parts of a path, and what members of a body hold.
struct MatrixNames: Sendable {
  static let seed: UInt64 = 0xbe
  /// What every id of the book begins with, so that it is found in whatever is shown.
  static let mark = "000000be-0000-0000"

  /// Tables whose rows hold records as bytes, which in these rows are bytes of nothing.
  static let unreadable: Set<String> = [
    "repayment_explanations", "favoured_claims", "loan_conversions", "prepayment_declines",
  ]

  /// Ids by the family of the route, and by the parameter where a path has several.
  let ids: [String: String]
  let samples: [String: String]

  init(_ rows: RowSet) throws {
    let day = "2026-06-02"
    let (lender, borrower) = ("\(rows.lender)", "\(rows.borrower)")
    let round = FundingRoundID(rows.uuid(17))
    ids = [
      "api-keys": "\(rows.apiKey.id)", "identity-bindings": "\(rows.identityBinding.id)",
      "licences": "\(try rows.licence().id)", "lots": "\(rows.lot.id)",
      "listings": "\(rows.listing.id)", "loan-requests": "\(rows.request.id)", "offers": "\(rows.offer.id)",
      "loans": "\(rows.loans[0].id)", "loan-assignments": "\(rows.assignment.id)",
      "funding-rounds": "\(round)", "valuations": "\(ValuationID(rows.uuid(22)))",
      "valuation-proposals": "\(rows.markProposal.id)", "valuation-disputes": "\(rows.markDispute.id)",
      "valuation-imports": "\(rows.valuationImport.id)", "mark-series": "\(try rows.markSeries().id)",
      "margin-tests": "\(MarginTestID(rows.uuid(66)))", "margin-calls": "\(rows.marginCall.call.id)",
      "cash-receipts": "\(CashReceiptID(rows.uuid(23)))", "deposit-acts": "\(rows.depositAct.id)",
      "payouts": "\(PayoutID(rows.uuid(24)))", "statement-documents": "\(rows.statementDocument.id)",
      "calendars": "\(try rows.referenceEntry().id)", "tax-rules": "\(ReferenceEntryID(rows.uuid(999)))",
      "haircuts": "\(try rows.haircutEntry().id)", "webhooks": "\(rows.webhook.id)",
      "events": "\(EventID(rows.uuid(996)))",
      "platform-invoices": "\(rows.invoice.id)", "fx-rates": "\(try rows.fxRate().id)",
      "cash-conversions": "\(rows.conversion.id)", "rule-packs": "\(rows.rulePack.id)",
      "compliance-items": "\(rows.complianceItem.id)", "claw-backs": "\(rows.clawback.id)",
      "client-money": "\(rows.topUp.id)", "control-choices": "\(rows.choice.id)",
      "warrants": "\(try rows.warrant().id)",
      "bank-statements": "\(rows.bankStatement.id)", "reconciliation-breaks": "\(rows.bankBreak.id)",
      "ledger": "\(JournalEntryID(rows.uuid(27)))", "chip-models": "\(rows.chip)", "startups": borrower,
      "lenders": lender, "organizations": borrower, "match-rounds": "\(MatchRoundID(rows.uuid(9)))",
      "settlement-runs": "\(SettlementRunID(rows.uuid(25)))",
      "approvals": "\(try rows.payee().id)", "{payee}": "\(try rows.payee().id)",
      "{amendment}": "\(rows.amendments[0].id)",
      "{mark}": "\(ValuationID(rows.uuid(21)))", "{certificate}": "\(rows.taxCertificate.id)",
      "{decision}": "\(ScreeningDecisionID(rows.uuid(998)))",
    ]
    let money = #"{"amount":1000,"currency":"USD"}"#
    let site = #"{"country":"US","region":"US-west"}"#
    let lot = #"{"chip_model_id":"\#(rows.chip)","quantity":8,"site":\#(site),"available_on":"\#(day)"}"#
    samples = [
      "reason": "\"a reason\"", "occurred_on": "\"\(day)\"", "quantity": "8", "amount": money, "source": "\"a source\"",
      "name": "\"A name\"", "evidence": "\"a paper\"", "on": "\"\(day)\"", "jurisdiction": "\"US\"",
      "chip_model_id": "\"\(rows.chip)\"", "reference": "\"ref\"", "note": "\"a note\"", "end_use": "\"training\"",
      "organization_id": "\"\(borrower)\"", "closing_id": "\"\(rows.closing.id)\"", "effective_on": "\"\(day)\"",
      "from_on": "\"\(day)\"", "list_id": "\"list\"", "entry_id": "\"entry\"", "legal_name": "\"A name\"",
      "authority": "\"An authority\"", "site": site, "from_site": site, "to_site": site, "roles": #"["lender"]"#,
      "regions": #"["US-west"]"#, "currencies": #"["USD"]"#, "sweep_bps": "2500", "share_bps": "1000",
      "rate_bps": "900", "since_at": "\"2026-06-02T08:00:00Z\"", "haircut_bps": "900",
      "url": "\"https://hooks.example.com/\"",
      "operations": "[{\"path\":\"/v1/lots\",\"body\":\(lot)}]",
      "max_rate_bps": "1500", "ask_rate_bps": "900", "quota": "64", "region": "\"US-west\"", "quote": "\"CNY\"",
      "base": "\"USD\"", "month": "\"2026-07\"", "currency": "\"USD\"", "points": "[{}]", "months": "[]",
      "holidays": "[]", "closings": "[{}]", "closed_on": "\"\(day)\"", "acceptable": "[{}]", "repayment": "{}",
      "pattern": "\"round_sweep\"", "withheld": money, "price": money, "net_new_cash": money, "monthly_burn": money,
      "into": #"{"amount":7000,"currency":"CNY"}"#, "fee": money, "cash": money, "window_days": "30",
      "term_days": "180",
      "overlap_seconds": "60", "min_term_days": "30", "max_term_days": "720", "least_quotes": "3",
      "first_price_micros": "1000000", "expires_after_days": "30", "now": "\"2026-06-02T08:00:00Z\"",
      "to_organization_id": "\"\(borrower)\"", "payer_organization_id": "\"\(borrower)\"",
      "lot_id": "\"\(rows.lot.id)\"", "loan_id": "\"\(rows.loans[0].id)\"", "holder_organization_id": "\"\(lender)\"",
      "funding_round_id": "\"\(round)\"", "from_organization_id": "\"\(lender)\"",
      "buyer_organization_id": "\"\(rows.assignment.buyerID)\"", "accedes": "true", "upheld": "true",
      "is_same": "false",
      "valid_from": "\"\(day)\"", "through_on": "\"\(day)\"", "taken_back_on": "\"\(day)\"", "start_on": "\"\(day)\"",
      "received_on": "\"\(day)\"", "paid_on": "\"\(day)\"", "first_price_on": "\"\(day)\"",
      "converted_on": "\"\(day)\"", "business_date": "\"\(day)\"", "available_on": "\"\(day)\"",
      "code": "\"TEST\"", "announced_on": "\"\(day)\"", "destination": "\"US\"", "country": "\"US\"",
      "workload": "\"training\"",
      "delivery_mode": "\"physical\"", "job": "\"accrual\"", "method": "\"admin_mark\"", "act": "\"offer\"",
      "ids": "[\"\(try rows.fxRate().id)\"]", "rate": "\"7.1\"", "quote_basis": "\"list\"", "kind": "\"priced\"",
      "cause": "\"non_payment\"", "outcome": "\"sold\"", "age_months": "12", "residual_bps": "8000",
      "resolution": "\"cleared\"", "choice": "\"accelerate\"", "holder_name": "\"A name\"", "threshold_bps": "1000",
      "issuer": "\"https://issuer.example/\"", "subject": "\"somebody\"",
      "account_holder": "\"A name\"", "iban": "\"DE89370400440532013000\"", "bic": "\"COBADEFFXXX\"",
    ]
  }

  /// The parts of a path in braces, filled.
  func filled(_ target: String) -> String { filled(target) { $0 } }

  /// The same path to what is not there: the last digits of each id are others.
  func unknown(_ target: String) -> String {
    filled(target) { id in id.contains(Self.mark) ? String(id.dropLast(6)) + "fffff0" : "unknown" }
      .split(separator: "?").first.map { String($0) } ?? ""
  }

  private func filled(_ target: String, _ change: (String) -> String) -> String {
    let (path, query) = target.firstIndex(of: "?").map { (target[..<$0], target[$0...]) } ?? (target[...], "")
    let parts = path.split(separator: "/")
    let family = parts.count > 1 ? String(parts[1]) : ""
    return "/"
      + parts.map { part in
        part.hasPrefix("{") ? change(ids[String(part)] ?? ids[family] ?? "nothing") : String(part)
      }.joined(separator: "/") + query
  }

  /// A match round and a settlement run that are over, the startup's role, and a rule pack that waits.
  static func runs(_ rows: RowSet) -> String {
    """
    update organizations set roles = '{startup}' where org_id = '\(rows.borrower.value)';
    update rule_packs set state = 'loaded', decided_by = null, decided_at = null, reason = null;
    update rule_packs set (content, sha256) =
      (select content, sha256 from reference_documents where name = 'export-rules.json' limit 1);
    insert into match_rounds (id, state, business_at, offers_made, offers_refused, attempt, version, created_at,
      updated_at) values ('\(rows.uuid(9))', 'succeeded', now(), 0, 0, 1, 1, now(), now());
    insert into settlement_runs (id, job, business_date, state, total, done, totals, attempt, version, created_at,
      updated_at) values ('\(rows.uuid(25))', 'accrual', now(), 'succeeded', 0, 0, '{}', 1, 1, now(), now());
    """
  }
}
