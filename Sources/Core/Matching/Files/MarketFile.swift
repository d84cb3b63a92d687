/// A market in JSON Lines: chips, then listings, then requests, one object a line. Read by ``MarketFileReader``.
///
/// Names are numbers into tables, and rows hold no references: two million orders take a few hundred megabytes.
package struct MarketFile: Sendable {
  /// Which solver a file is for.
  package enum Kind: Sendable, Hashable {
    /// Quantities may be split at will: a flow problem.
    case plain
    /// Some order has a least quantity or a limit on its lenders that can bind.
    case side
  }

  package struct Chip: Sendable, Hashable {
    /// Minor units.
    package let unitValue: Int64
  }

  package struct Listing: Sendable, Hashable {
    package let chip: Int32
    package let region: Int32
    package let lender: Int32
    package let askRateBps: Int32
    package let minTermDays: Int32
    package let maxTermDays: Int32
    package let quantity: Int64
    /// The least that goes to one request.
    package let minQuantity: Int64
    package let sequence: Int64
  }

  /// A chip that a request takes, and the most it pays for it.
  package struct Acceptable: Sendable, Hashable {
    package let chip: Int32
    package let maxRateBps: Int32
  }

  package struct Request: Sendable, Hashable {
    package let startup: Int32
    package let termDays: Int32
    /// Position in ``MarketFile/regionSets``.
    package let regionSet: Int32
    /// Nil when any number of lenders will do.
    package let maxLenders: Int32?
    package let quantity: Int64
    /// The least total worth having.
    package let minQuantity: Int64
    package let sequence: Int64
  }

  /// Bounds of what is read. Products and sums of what lies within them stay within Int64 (prices, totals of chips) and
  /// Int128 (objectives), with room for a solver's differences of two prices.
  package enum Bounds {
    package static let unitValue: Int64 = 1_000_000_000_000_000
    package static let rateBps: Int64 = 1_000_000
    package static let quantity: Int64 = 1_000_000_000_000
    /// Of the chips of all listings, or of all requests, together.
    package static let totalQuantity: Int64 = 1_000_000_000_000_000_000
    /// Of a price, minor units x basis points.
    package static let price: Int64 = 1 << 58
    package static let lineBytes = 1 << 20
    package static let textBytes = 200
  }

  package internal(set) var chips: [Chip] = []
  package internal(set) var listings: [Listing] = []
  package internal(set) var requests: [Request] = []
  /// Those of request `r` are `acceptable[firstAcceptable[r]..<firstAcceptable[r + 1]]`, in the order of the file.
  package internal(set) var acceptable: [Acceptable] = []
  package internal(set) var firstAcceptable: [Int] = [0]
  /// Distinct sets of regions, each ascending.
  package internal(set) var regionSets: [[Int32]] = []

  package internal(set) var chipNames = NameTable()
  package internal(set) var regionNames = NameTable()
  package internal(set) var lenderNames = NameTable()
  package internal(set) var startupNames = NameTable()
  /// By position in ``listings``.
  package internal(set) var listingIDs = NameTable()
  /// By position in ``requests``.
  package internal(set) var requestIDs = NameTable()

  /// A least quantity of 1 binds nobody, nor does a limit on lenders that the file does not exceed.
  package var kind: Kind {
    let lenders = lenderNames.count
    let binds =
      listings.contains { $0.minQuantity > 1 }
      || requests.contains { $0.minQuantity > 1 || ($0.maxLenders.map { $0 < lenders } ?? false) }
    return binds ? .side : .plain
  }
}
