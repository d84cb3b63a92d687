import Lending
import Parties
import Primitives
import Repayment

/// A row that the pipeline loads, decides on, and writes back: it has an id of its own and a version.
package protocol Stored: Sendable {
  associatedtype Noun: IdentifiedNoun
  var id: Identifier<Noun> { get }
  var version: Int64 { get set }
  /// Takes the business time of the change.
  mutating func stamp(_ now: Instant)
}

extension Stored {
  package mutating func stamp(_ now: Instant) {}
}

extension Organization: Stored {
  package mutating func stamp(_ now: Instant) { updatedAt = now }
}
extension APIKey: Stored {}
extension Lot: Stored {
  package mutating func stamp(_ now: Instant) { updatedAt = now }
}
extension ReservePlan: Stored {
  package mutating func stamp(_ now: Instant) { updatedAt = now }
}
extension Listing: Stored {
  package mutating func stamp(_ now: Instant) { updatedAt = now }
}
extension LoanRequest: Stored {
  package mutating func stamp(_ now: Instant) { updatedAt = now }
}
extension Offer: Stored {
  package mutating func stamp(_ now: Instant) { updatedAt = now }
}
extension Loan: Stored {
  package mutating func stamp(_ now: Instant) { updatedAt = now }
}
extension LoanReturn: Stored {
  package mutating func stamp(_ now: Instant) { updatedAt = now }
}
extension FundingRound: Stored {
  package mutating func stamp(_ now: Instant) { updatedAt = now }
}
extension FundingClosing: Stored {}
extension CashReceipt: Stored {}

/// The rows of one kind that a batch has loaded, made or changed.
package struct Shelf<Row: Stored>: Sendable {
  package typealias Key = Identifier<Row.Noun>

  package private(set) var rows: [Key: Row] = [:]
  /// Rows made here, in order; not yet in the database.
  package private(set) var inserted: [Key] = []
  /// Rows changed here, in order, with the version they had in the database.
  package private(set) var updated: [(key: Key, loadedVersion: Int64)] = []
  private var dirty: Set<Key> = []

  package init() {}

  package subscript(id: Key) -> Row? { rows[id] }

  package var isUntouched: Bool { inserted.isEmpty && updated.isEmpty }

  /// A row as the database has it; never over one that this batch already changed.
  package mutating func load(_ row: Row) {
    guard !dirty.contains(row.id) else { return }
    rows[row.id] = row
  }

  /// A row that is new, or a later state of one that is here.
  package mutating func keep(_ row: Row, isNew: Bool, loadedVersion: Int64) {
    if dirty.insert(row.id).inserted {
      if isNew { inserted.append(row.id) } else { updated.append((row.id, loadedVersion)) }
    }
    rows[row.id] = row
  }

  /// Takes over what a command made and changed.
  package mutating func absorb(_ overlay: Shelf<Row>) {
    for key in overlay.inserted {
      if let row = overlay.rows[key] { keep(row, isNew: true, loadedVersion: 0) }
    }
    for (key, loadedVersion) in overlay.updated {
      if let row = overlay.rows[key] { keep(row, isNew: false, loadedVersion: loadedVersion) }
    }
  }

  package var insertedRows: [Row] { inserted.compactMap { rows[$0] } }
  package var updatedRows: (rows: [Row], loadedVersions: [Int64]) {
    (updated.compactMap { rows[$0.key] }, updated.map(\.loadedVersion))
  }
}

/// One shelf for each kind of row that commands change.
package struct Shelves: Sendable {
  package var organizations = Shelf<Organization>()
  package var apiKeys = Shelf<APIKey>()
  package var lots = Shelf<Lot>()
  package var reservePlans = Shelf<ReservePlan>()
  package var listings = Shelf<Listing>()
  package var requests = Shelf<LoanRequest>()
  package var offers = Shelf<Offer>()
  package var loans = Shelf<Loan>()
  package var returns = Shelf<LoanReturn>()
  package var rounds = Shelf<FundingRound>()
  package var closings = Shelf<FundingClosing>()
  package var receipts = Shelf<CashReceipt>()
  package var licences = Shelf<LicenceRecord>()

  package init() {}

  package mutating func absorb(_ overlay: Shelves) {
    organizations.absorb(overlay.organizations)
    apiKeys.absorb(overlay.apiKeys)
    lots.absorb(overlay.lots)
    reservePlans.absorb(overlay.reservePlans)
    listings.absorb(overlay.listings)
    requests.absorb(overlay.requests)
    offers.absorb(overlay.offers)
    loans.absorb(overlay.loans)
    returns.absorb(overlay.returns)
    rounds.absorb(overlay.rounds)
    closings.absorb(overlay.closings)
    receipts.absorb(overlay.receipts)
    licences.absorb(overlay.licences)
  }
}
