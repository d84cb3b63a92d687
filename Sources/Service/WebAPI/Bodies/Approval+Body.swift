import HTTPTypes
import Parties
import Persistence
import Primitives
import StrictJSON
import WebSupport

extension Approval.Kind {
  /// The id of the object that waits: that of the approval too.
  func id(of subject: UUIDValue) -> String {
    switch self {
    case .settlementRun: SettlementRunID(subject).description
    case .fundingRound: FundingRoundID(subject).description
    case .rulePack: RulePackID(subject).description
    case .calendar, .taxRule, .leastHaircut: ReferenceEntryID(subject).description
    case .mark: ValuationID(subject).description
    case .markSeries: MarkSeriesID(subject).description
    case .fxRate: FXRateID(subject).description
    case .cashConversion: CashConversionID(subject).description
    case .clawback: ClawbackID(subject).description
    case .topUp: TopUpID(subject).description
    case .depositAct: DepositActID(subject).description
    case .payee: PayeeID(subject).description
    case .taxCertificate: TaxCertificateID(subject).description
    case .heldAct: HeldActID(subject).description
    }
  }

  /// The duty that deciding it needs; of what is held as a request, that request's own.
  fileprivate var duty: Duty? {
    switch self {
    case .settlementRun, .fundingRound, .calendar: .operations
    case .rulePack, .taxRule: .compliance
    case .mark, .markSeries, .leastHaircut: .risk
    case .fxRate, .cashConversion, .clawback, .topUp, .depositAct, .payee, .taxCertificate: .treasury
    case .heldAct: nil
    }
  }

  /// The kinds that an id's prefix can mean, with the id without it.
  static func named(_ text: String) -> (kinds: [Approval.Kind], subject: UUIDValue)? {
    guard let mark = text.lastIndex(of: "_"), let subject = UUIDValue(String(text[text.index(after: mark)...])) else {
      return nil
    }
    let kinds = allCases.filter { $0.id(of: subject) == text }
    return kinds.isEmpty ? nil : (kinds, subject)
  }
}

extension Approval {
  var id: String { kind.id(of: subject) }
  var duty: Duty? { ownDuty ?? kind.duty }

  func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("kind", kind.rawValue)
      writer.field("state", state.rawValue)
      writer.field("duty", duty?.rawValue)
      writer.field("organization_id", organizationID)
      writer.field("maker_id", maker)
      writer.field("checker_id", checker)
      writer.rawField("facts", facts)
      writer.field("version", version)
      writer.field("created_at", createdAt)
    }
  }

  /// What the second person made of it.
  func write(_ decided: State, to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("kind", kind.rawValue)
      writer.field("state", decided.rawValue)
    }
  }
}

extension Approval {
  /// A request that was held just now.
  init(_ act: HeldAct) {
    var facts = JSONWriter(capacity: act.body.utf8.count + 128)
    facts.object { writer in
      writer.field("act", act.action)
      writer.field("path", act.path)
      writer.field("if_version", act.ifVersion)
    }
    self = Approval(
      kind: .heldAct, subject: act.id.value, parent: nil, organizationID: nil, maker: act.proposedBy,
      checker: act.decidedBy, state: .pending, facts: facts.bytes, version: act.version, createdAt: act.createdAt,
      ownDuty: act.duty
    ).holding(act.body)
  }

  /// The answer to a request that waits for a second person.
  package static let held = Gateway.Rendering<HeldAct>(
    status: .accepted, location: { "/v1/approvals/\($0.id)" }, version: { $0.version },
    write: { Approval($0).write(to: &$1) })
}
