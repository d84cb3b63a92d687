/// What a key may be used for, besides what its roles give: `read` or `write` of everything, or of one family of routes, as
/// `loans:read`. Reading is GET, writing every other method; neither holds the other. A key without scopes may do all
/// that its roles give.
package struct KeyScope: Sendable, Hashable, CustomStringConvertible {
  package enum Access: String, Sendable, Hashable, CaseIterable {
    case read, write
  }

  /// The first part of a path behind the version, `loans` of `/v1/loans/{id}`; nil for all of them.
  package let family: String?
  package let access: Access

  /// - Returns: nil for a text that is none of the vocabulary's.
  package init?(_ text: String) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard let access = parts.last.flatMap({ Access(rawValue: String($0)) }) else { return nil }
    switch parts.count {
    case 1: self.family = nil
    case 2 where Self.families.contains(String(parts[0])): self.family = String(parts[0])
    default: return nil
    }
    self.access = access
  }

  package init(_ access: Access, of family: String? = nil) {
    self.access = access
    self.family = family
  }

  package var description: String { (family.map { "\($0):" } ?? "") + access.rawValue }

  /// Whether it gives at least what the other gives.
  package func covers(_ other: KeyScope) -> Bool {
    access == other.access && (family == nil || family == other.family)
  }

  /// Every family of routes; a test compares them with the table of routes.
  package static let families: Set<String> = [
    "api-keys", "approvals", "audit-log", "bank-statements", "batches", "business-days", "calendars",
    "cash-conversions", "cash-receipts", "chip-models", "chip-quotes", "claw-backs", "client-money", "close-report",
    "compliance-items", "control-choices", "delinquency", "deposit-acts", "events", "export-checks", "export-rules",
    "funding-rounds", "fx-rates", "haircuts", "identity-bindings", "ledger", "lenders", "licences", "listings",
    "loan-assignments", "loan-requests", "loans", "lots", "margin-calls", "margin-tests", "mark-series", "match-rounds",
    "offers", "order-book", "organizations", "payouts", "platform-invoices", "rate-index", "reconciliation-breaks",
    "reserve-plans", "risk", "rule-packs", "sandbox", "screening-lists", "settlement-runs", "startups",
    "statement-documents", "statements", "stress-tests", "tax-report", "tax-rules", "valuation-disputes",
    "valuation-imports", "valuation-proposals", "valuations", "warrants", "webhooks",
  ]
}

extension Set<KeyScope> {
  /// Whether keys with these scopes may be used so; without any they may be used for everything.
  package func permit(_ wanted: KeyScope) -> Bool { isEmpty || contains { $0.covers(wanted) } }

  /// Whether every use that the others permit is permitted by these.
  package func cover(_ others: Set<KeyScope>) -> Bool {
    isEmpty || (!others.isEmpty && others.allSatisfy { other in contains { $0.covers(other) } })
  }

  /// As they are stored and shown.
  package var texts: [String] { map(\.description).sorted() }
}
