import Catalogue
import Lending
import Parties
import Persistence
import WebSupport

// Parties and their keys, chips and export rules, compliance, inventory.
extension Contract {
  static let parties: [OperationContract] = [
    .post("organizations", "Records an organisation, unverified. By staff."),
    .get(
      "organizations", "Organisations: all for staff and auditors, else the caller's own.",
      QueryParameter.page + [
        .words("verification_state", VerificationState.self, "Only those in this state of verification.")
      ]),
    .get("organizations/{id}", "One organisation."),
    .post("organizations/{id}/verify", "A person other than its maker vouches for an organisation."),
    .post("organizations/{id}/suspend", "An organisation may do nothing more until it is verified again."),
    .post("organizations/{id}/payees", "Proposes an account that payouts go to."),
    .get(
      "organizations/{id}/payees", "The accounts that an organisation's payouts went and go to.", QueryParameter.page),
    .get("organizations/{id}/payees/{payee}", "One account of payouts."),
    .post(
      "organizations/{id}/payees/{payee}/verify", "A second person vouches for an account; it is used after a wait."),
    .post("organizations/{id}/payees/{payee}/withdraw", "An account is used no more."),
    .get(
      "organizations/{id}/screening", "Names of an organisation and its owners that stand on a list of the day.", [.on]),
    .post(
      "organizations/{id}/screening/decisions",
      "A person says whether a name on a list is this party: at once if it is, by two if it is somebody else."),
    .post(
      "organizations/{id}/screening/decisions/{decision}/approve", "The second person agrees that it is somebody else."),
    .post("organizations/{id}/screening/decisions/{decision}/reject", "The second person does not agree."),
    .post("api-keys", "Makes a key. Its secret is answered once and kept nowhere."),
    .get(
      "api-keys", "Keys of the caller's organisation, without their secrets; all for staff.",
      QueryParameter.page + [QueryParameter("state", .words(["active", "expired", "revoked"]), "Only these.")]),
    .get("api-keys/{id}", "One key, without its secret."),
    .post(
      "api-keys/{id}/rotate",
      "Makes the key that follows, its secret answered once; the old one goes on for an overlap."),
    .post("api-keys/{id}/revoke", "A key is good for nothing more, within a second, everywhere."),
    .post(
      "identity-bindings",
      "Lets somebody whom the outside issuer knows act for an organisation, with rights that a key of the caller could carry."
    ),
    .get(
      "identity-bindings", "Bindings of the caller's organisation; all for staff.",
      QueryParameter.page + [QueryParameter("state", .words(["active", "expired", "revoked"]), "Only these.")]),
    .get("identity-bindings/{id}", "One binding."),
    .post(
      "identity-bindings/{id}/revoke", "Tokens of its subject are good for nothing more, within a second, everywhere."),
    .post("licences", "Records an export licence with its quota. By staff."),
    .get(
      "licences", "Export licences and what is left of them.",
      QueryParameter.page + [QueryParameter("chip_model_id", .chipModel, "Only those of this chip.")]),
    .get("licences/{id}", "One export licence."),
  ]

  static let compliance: [OperationContract] = [
    .get("chip-models", "The catalogue, with performance and export class on a date.", [.on]),
    .get("chip-models/{id}", "One chip, its figures and how its class follows from them.", [.on]),
    .get("export-rules", "The rules in force on a date, each with its source.", [.on]),
    .compute("export-checks", "The verdict on an act that is described, with rule, measured value and threshold."),
    .get("screening-lists", "The lists of parties in force on a date.", [.on]),
    .upload(
      "rule-packs", "Loads export rules, or screening lists, that hold from a date on; they do nothing yet.",
      [.words("kind", RulePack.Kind.self, "What the body is; export_rules.")]),
    .get("rule-packs", "Loaded packs.", QueryParameter.page + [.words("state", RulePack.State.self, "Only these.")]),
    .get("rule-packs/{id}", "One pack."),
    .get("rule-packs/{id}/screening", "What a pack would change for everything open and live, on a day.", [.on]),
    .post(
      "rule-packs/{id}/switch-on", "A second person puts a pack in force; everything open and live is screened again."),
    .post("rule-packs/{id}/reject", "A pack is not wanted."),
    .get(
      "compliance-items", "What waits for a person: loans, requests, listings and parties that a change touched.",
      QueryParameter.page + [QueryParameter("state", .words(["open", "resolved"]), "Only these.")]),
    .get("compliance-items/{id}", "One item and its verdicts."),
    .post("compliance-items/{id}/resolve", "A person says what was done about an item."),
    .get(
      "risk/concentration", "Debt and chips by a dimension, with the share of each.",
      [
        .words("by", RiskDimension.self, "The dimension; startup."), .on, .knownAt,
      ]),
    .compute("stress-tests", "Runs a scenario over the whole book on a copy; nothing changes."),
  ]

  static let inventory: [OperationContract] = [
    .post("lots", "A lender brings chips to the market, in hand or on order."),
    .get(
      "lots", "Lots with their quantities by state.", QueryParameter.page + [chipModelID, .expand(Expansions.lot)]),
    .get("lots/{id}", "One lot.", [.expand(Expansions.lot)]),
    .post("lots/{id}/receipts", "Chips on order have come."),
    .post("lots/{id}/device-events", "Repair, return to service and loss of chips in the lender's own hands."),
    .get("lots/{id}/units", "Numbered units of a lot with their chain of custody.", QueryParameter.page),
    .post("reserve-plans", "What a lender keeps for its own use, by month."),
    .get("reserve-plans", "Plans of own use.", QueryParameter.page + [chipModelID]),
    .post("listings", "Offers chips of a lot to borrowers, on stated terms."),
    .get(
      "listings", "Listings of the caller.",
      QueryParameter.page + [.words("state", ListingState.self, "Only these."), .expand(Expansions.listing)]),
    .get(
      "listings/{id}", "One listing, with its rate as money an hour and a month.", [.expand(Expansions.listing)]),
    .get("listings/{id}/options", "What shares a listing asks for beside its fee."),
    .post("listings/{id}/pause", "A listing takes no part in rounds for now."),
    .post("listings/{id}/resume", "A paused listing is open again."),
    .post("listings/{id}/withdraw", "A listing ends; what it lent stays lent."),
  ]

  static let chipModelID = QueryParameter("chip_model_id", .chipModel, "Only those of this chip.")
}
