extension RoleMatrix {
  /// How many persons an act of staff takes, where the deployment asks for two. Every post that staff may use is in one of
  /// these, so that a new one is thought about.
  enum Persons {
    /// Held as a request until a second person agrees.
    static let held: Set<String> = [
      "/v1/api-keys", "/v1/cash-receipts", "/v1/cash-receipts/{id}/assign", "/v1/compliance-items/{id}/resolve",
      "/v1/funding-rounds/{id}/correct", "/v1/identity-bindings", "/v1/licences", "/v1/loans/{id}/unfreeze",
      "/v1/organizations/{id}/verify",
      "/v1/reconciliation-breaks/{id}/resolve", "/v1/startups/{id}/waterfalls",
    ]

    /// Makes an object that counts for nothing until a second person decides on it, or is that person's decision.
    static let ofTheirOwn: Set<String> = [
      "/v1/approvals/{id}/approve", "/v1/approvals/{id}/reject", "/v1/calendars", "/v1/calendars/{id}/adopt",
      "/v1/calendars/{id}/reject", "/v1/cash-conversions/{id}/approve", "/v1/cash-conversions/{id}/reject",
      "/v1/cash-receipts/{id}/claw-back", "/v1/cash-receipts/{id}/convert", "/v1/cash-receipts/{id}/deposit-acts",
      "/v1/chip-models/{id}/mark-series", "/v1/chip-models/{id}/marks", "/v1/claw-backs/{id}/approve",
      "/v1/claw-backs/{id}/reject", "/v1/client-money/top-ups", "/v1/client-money/top-ups/{id}/approve",
      "/v1/client-money/top-ups/{id}/reject", "/v1/deposit-acts/{id}/approve", "/v1/deposit-acts/{id}/reject",
      "/v1/fx-rates", "/v1/fx-rates/approve", "/v1/fx-rates/import", "/v1/fx-rates/{id}/approve",
      "/v1/fx-rates/{id}/reject", "/v1/haircuts", "/v1/haircuts/{id}/adopt", "/v1/haircuts/{id}/reject",
      "/v1/loans/{id}/tax-certificates/{certificate}/confirm", "/v1/loans/{id}/tax-certificates/{certificate}/reject",
      "/v1/mark-series/{id}/approve", "/v1/organizations/{id}/payees", "/v1/organizations/{id}/payees/{payee}/verify",
      "/v1/organizations/{id}/screening/decisions", "/v1/organizations/{id}/screening/decisions/{decision}/approve",
      "/v1/organizations/{id}/screening/decisions/{decision}/reject", "/v1/rule-packs", "/v1/rule-packs/{id}/reject",
      "/v1/rule-packs/{id}/switch-on", "/v1/settlement-runs", "/v1/settlement-runs/{id}/approve",
      "/v1/startups/{id}/valuations", "/v1/tax-rules", "/v1/tax-rules/{id}/adopt", "/v1/tax-rules/{id}/reject",
      "/v1/valuation-imports/{id}/approve", "/v1/valuation-imports/{id}/reject",
      "/v1/valuation-proposals/{id}/approve", "/v1/valuation-proposals/{id}/reject",
    ]

    /// The party reports, and staff decide: two already.
    static let reportedByTheParty: Set<String> = [
      "/v1/funding-rounds/{id}/reject", "/v1/funding-rounds/{id}/verify",
      "/v1/margin-calls/{id}/decide", "/v1/valuation-disputes/{id}/dismiss", "/v1/valuations/{id}/dispute",
    ]

    /// Stops something, or takes back: it must not wait.
    static let stops: Set<String> = [
      "/v1/api-keys/{id}/revoke", "/v1/identity-bindings/{id}/revoke", "/v1/listings/{id}/pause",
      "/v1/listings/{id}/withdraw", "/v1/loans/{id}/freeze", "/v1/offers/{id}/decline",
      "/v1/organizations/{id}/payees/{payee}/withdraw", "/v1/organizations/{id}/suspend",
      "/v1/settlement-runs/{id}/cancel",
    ]

    /// Moves no money and changes nothing that compliance goes by: why one person is enough.
    static let one: [String: String] = [
      "/v1/api-keys/{id}/rotate": "staff rotate keys of their own person only",
      "/v1/bank-statements": "what the bank says, matched by rule; by hand a break is closed by two",
      "/v1/batches": "takes nothing that is held", "/v1/export-checks": "changes nothing",
      "/v1/listings/{id}/resume": "what its lender offered before", "/v1/match-rounds": "clears what parties ordered",
      "/v1/match-rounds/{id}/replay": "changes nothing", "/v1/organizations": "unverified, it may do nothing",
      "/v1/sandbox/clock": "in a sandbox only", "/v1/settlement-runs/{id}/resume": "goes on with what was approved",
      "/v1/stress-tests": "changes nothing", "/v1/webhooks": "the caller's own",
    ]
  }
}
