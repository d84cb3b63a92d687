import Catalogue
import Lending
import Parties
import Persistence
import Postgres
import Primitives

/// Chips that a pending offer or an agreed loan promises, whose hand-over may use a licence.
struct LicenceClaim: Sendable {
  let lenderID: OrganizationID
  let borrowerID: OrganizationID
  let chip: ChipModelID
  let site: Site
  let quantity: Int64
  let endUse: String

  init(_ row: Row) throws {
    var reader = RowReader(row)
    lenderID = try reader.id()
    borrowerID = try reader.id()
    chip = try reader.chipModel()
    site = try reader.site()
    quantity = try reader.int()
    endUse = try reader.text()
  }
}

/// Says which licence clears an act of the market, and how much of each a round may use.
///
/// What is promised already goes first: it will take of the licences at its hand-over, in the order in which it was
/// promised, as the verdict of that act will choose. What is left of each is what a round shares out.
struct LicenceDesk {
  private let reference: ReferenceData
  private let byHolder: [OrganizationID: [Licence]]
  /// Chips of each licence that nobody was promised.
  private var room: [LicenceID: Int64]
  /// What is left of the licences that were named so far, in chips.
  private(set) var roomOfNamed: [LicenceID: Int64] = [:]
  private static let mostChips: Int64 = 1_000_000_000

  init(_ market: Market) throws {
    reference = market.reference
    byHolder = Dictionary(grouping: market.licences, by: \.holder)
    room = Dictionary(market.licences.map { ($0.id, $0.remaining) }, uniquingKeysWith: { first, _ in first })
    for claim in market.licenceClaims {
      guard let lender = market.organizations[claim.lenderID], let borrower = market.organizations[claim.borrowerID]
      else { continue }
      let act = ExportDesk.Act(
        kind: .handOver, date: market.now.date, chip: claim.chip, quantity: claim.quantity, lender: lender,
        borrower: borrower, from: claim.site, to: ExportDesk.destination(of: borrower, from: claim.site),
        deliveryMode: .physical, endUse: claim.endUse)
      let verdict = try ExportDesk.verdict(on: act, reference: reference, licences: left(of: act))
      if let use = verdict.licenceUse { room[use.licenceID, default: 0] -= use.quantity }
    }
  }

  /// Licences of both parties, each with what is left of it as its quota.
  private func left(of act: ExportDesk.Act) throws -> [Licence] {
    try [act.lender.id, act.borrower.id].flatMap { byHolder[$0] ?? [] }.compactMap { licence in
      let left = room[licence.id, default: 0]
      return left > 0 ? try licence.with(quota: left) : nil
    }
  }

  /// Whether one of the two holds a licence at all.
  func mayHold(_ lender: OrganizationID, _ borrower: OrganizationID) -> Bool {
    byHolder[lender] != nil || byHolder[borrower] != nil
  }

  /// The licence under which chips of this act, though perhaps not all of them, may go; nil where none clears it. One that
  /// has enough for all goes first, and among these the one that ends first; then the one with the most left.
  mutating func licence(clearing act: ExportDesk.Act) throws -> LicenceID? {
    let covering = try left(of: act).filter { licence in
      // Whether it covers is asked for the whole quantity: a smaller one might pass under a threshold.
      let asked = try licence.with(quota: max(act.quantity, licence.quota))
      return try ExportDesk.verdict(on: act, reference: reference, licences: [asked]).isClear
    }
    func rank(_ licence: Licence) -> (Int, Int32, Int64) {
      licence.quota >= act.quantity ? (0, licence.validity.to?.dayNumber ?? .max, 0) : (1, 0, -licence.quota)
    }
    let best = covering.min { left, right in
      rank(left) == rank(right) ? left.id < right.id : rank(left) < rank(right)
    }
    guard let best else { return nil }
    roomOfNamed[best.id] = min(best.quota, Self.mostChips)
    return best.id
  }
}

extension Licence {
  /// The same licence with another quota, of which nothing is used.
  fileprivate func with(quota: Int64) throws -> Licence {
    try Licence(
      id: id, holder: holder, consignee: consignee, subject: subject, destination: destination, quota: quota, used: 0,
      validFrom: validity.from, validTo: validity.to)
  }
}
