import Catalogue
import Lending
import Matching
import Parties
import Persistence
import Primitives

/// Takes the verdicts of a market: for each request one on all listings of one lender's chip at one site.
///
/// Most of them ask the same few questions, since rules know countries, chips and what stands behind a party, but no
/// party, region or quantity (`RuleKey`): each question is put to the rules once.
package struct MarketScreen {
  /// What verdicts say of a request's candidates.
  package struct Screening: Sendable {
    /// By verdict group, where the effect is not clear.
    package var effects: [Int: String] = [:]
    /// By verdict group, the licence without which it would not be clear.
    package var licences: [Int: LicenceID] = [:]
    /// A rule holds chips that the request takes, or lets them go under a licence only.
    package var isHeldByRule = false
    /// One candidate for each chip model that is held.
    package var held: [HoldLoanRequest.Candidate] = []
    /// There are candidates, and not one is clear.
    package var holdsAll = false
  }

  /// A chip of one lender at one site.
  private struct Group: Hashable {
    let lenderID: OrganizationID
    let chip: ChipModelID
    let site: Site
  }

  private struct Source: Hashable {
    let chip: ChipModelID
    let country: CountryCode
    let lender: PartyKey
  }

  private struct Target: Hashable {
    let borrower: PartyKey
    let deliveryMode: DeliveryMode
    let endUse: String
  }

  private struct Question: Hashable {
    let source: Int
    let target: Int
    let destination: CountryCode
  }

  /// Groups that no rule can tell apart for any request.
  private struct Cell {
    let chip: ChipModelID
    let site: Site
    let source: Int
    var groups: [Int] = []
  }

  private struct CellKey: Hashable {
    let source: Int
    let site: Site
  }

  private let market: Market
  private var numbers: [Group: Int] = [:]
  /// The lender of each group, by number.
  private var lenders: [Organization?] = []
  private var cells: [Cell] = []
  private var targets: [Target: Int] = [:]
  private var answers: [Question: VerdictEffect] = [:]
  private var desk: LicenceDesk

  init(_ market: Market, _ listings: [Listing]) throws {
    self.market = market
    desk = try LicenceDesk(market)
    var sources: [Source: Int] = [:]
    var cellOf: [CellKey: Int] = [:]
    for listing in listings {
      let group = Self.key(listing)
      guard numbers[group] == nil else { continue }
      let number = lenders.count
      numbers[group] = number
      let lender = market.organizations[group.lenderID]
      lenders.append(lender)
      guard let lender else { continue }
      let party = ExportDesk.party(lender, as: .lender, market.reference, on: market.now.date)
      let source = Source(chip: group.chip, country: group.site.country, lender: PartyKey(party))
      let sourceNumber = sources[source] ?? sources.count
      sources[source] = sourceNumber
      let key = CellKey(source: sourceNumber, site: group.site)
      if cellOf[key] == nil {
        cellOf[key] = cells.count
        cells.append(Cell(chip: group.chip, site: group.site, source: sourceNumber))
      }
      if let cell = cellOf[key] { cells[cell].groups.append(number) }
    }
  }

  private static func key(_ listing: Listing) -> Group {
    Group(lenderID: listing.lenderID, chip: listing.chipModelID, site: listing.site)
  }

  var groupCount: Int { lenders.count }

  /// What is left of the licences that screenings named, in chips.
  var licenceRoom: [LicenceID: Int64] { desk.roomOfNamed }

  /// The verdict group of one of the listings.
  func group(of listing: Listing) -> Int { numbers[Self.key(listing)] ?? 0 }

  /// - Parameter isWhole: verdicts are taken also for chips that the request does not take.
  mutating func screening(
    of request: LoanRequest, _ borrower: Organization, isWhole: Bool
  ) throws -> Screening {
    var screening = Screening()
    var (clear, held) = (0, 0)
    var taken: [ChipModelID: Bool] = [:]
    var seen: Set<ChipModelID> = []
    let target = target(of: request, borrower)
    for cell in cells {
      let isTaken = taken[cell.chip] ?? request.takes(cell.chip, market.reference)
      taken[cell.chip] = isTaken
      guard isTaken || isWhole else { continue }
      let effect = try effect(of: cell, on: request, target, borrower)
      if effect == .clear {
        clear += isTaken ? 1 : 0
        continue
      }
      if isTaken { screening.isHeldByRule = true }
      for group in cell.groups {
        guard let lender = lenders[group] else { continue }
        if effect == .holdLicence, desk.mayHold(lender.id, borrower.id),
          let licence = try desk.licence(clearing: act(request, lender, borrower, cell))
        {
          screening.licences[group] = licence
          clear += isTaken ? 1 : 0
          continue
        }
        screening.effects[group] = effect.rawValue
        guard isTaken else { continue }
        held += 1
        if seen.insert(cell.chip).inserted {
          screening.held.append(HoldLoanRequest.Candidate(lenderID: lender.id, chip: cell.chip, site: cell.site))
        }
      }
    }
    screening.holdsAll = clear == 0 && held > 0
    return screening
  }

  private mutating func effect(
    of cell: Cell, on request: LoanRequest, _ target: Int, _ borrower: Organization
  ) throws -> VerdictEffect {
    let to = destination(request, borrower, cell)
    let question = Question(source: cell.source, target: target, destination: to.country)
    if let effect = answers[question] { return effect }
    // A cell has a group, and a group in a cell has its lender.
    guard let lender = cell.groups.first.flatMap({ lenders[$0] }) else { return .holdReview }
    let effect = try ExportDesk.verdict(on: act(request, lender, borrower, cell), reference: market.reference).effect
    answers[question] = effect
    return effect
  }

  private func destination(_ request: LoanRequest, _ borrower: Organization, _ cell: Cell) -> Site {
    request.deliveryMode == .hosted ? cell.site : ExportDesk.destination(of: borrower, from: cell.site)
  }

  private func act(
    _ request: LoanRequest, _ lender: Organization, _ borrower: Organization, _ cell: Cell
  ) -> ExportDesk.Act {
    ExportDesk.Act(
      kind: .offer, date: market.now.date, chip: cell.chip, quantity: max(1, request.remaining), lender: lender,
      borrower: borrower, from: cell.site, to: destination(request, borrower, cell),
      deliveryMode: request.deliveryMode, endUse: request.endUse)
  }

  private mutating func target(of request: LoanRequest, _ borrower: Organization) -> Int {
    let party = ExportDesk.party(borrower, as: .borrower, market.reference, on: market.now.date)
    let target = Target(borrower: PartyKey(party), deliveryMode: request.deliveryMode, endUse: request.endUse)
    let number = targets[target] ?? targets.count
    targets[target] = number
    return number
  }
}
