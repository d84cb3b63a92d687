import Primitives
import StrictJSON

/// What the lenders of a startup agreed among themselves: how money of each source is divided, and where each loan stands.
/// What is not stated is the standard waterfall, and the rank that the loan itself names.
///
///     {"waterfalls": [...], "loans": [{"loan_id": "loan_0192...", "rank": 2, "has_acceded": true}]}
///
/// See `WaterfallDefinition` for a waterfall's own text. Both members are optional.
package struct IntercreditorTerms: Sendable, Hashable {
  /// Where a loan stands among the others.
  package struct Place: Sendable, Hashable {
    package let loanID: LoanID
    /// 1 is paid first.
    package let rank: Int64
    /// Who did not accede ranks after all who did.
    package let hasAcceded: Bool

    package init(loanID: LoanID, rank: Int64, hasAcceded: Bool) {
      self.loanID = loanID
      self.rank = rank
      self.hasAcceded = hasAcceded
    }
  }

  package let waterfalls: WaterfallSet
  /// By loan id.
  package let places: [Place]

  package static let standard = IntercreditorTerms(waterfalls: .standard)

  private init(waterfalls: WaterfallSet) {
    self.waterfalls = waterfalls
    self.places = []
  }

  /// - Throws: `RepaymentRefusal` for two waterfalls of a source and for a loan that is named twice.
  package init(_ definitions: [WaterfallDefinition], places: [Place]) throws(RepaymentRefusal) {
    try refuseDuplicates(places.lazy.map(\.loanID))
    self.waterfalls = try WaterfallSet(definitions)
    self.places = places.sorted { $0.loanID < $1.loanID }
  }

  /// - Throws: every fault found, with its place.
  package init(parsing bytes: [UInt8]) throws(JSONFaults) {
    let document = try JSONDocument(parsing: bytes, limits: JSONLimits(maxBytes: 4 << 20, maxMembers: 100_000))
    self = try ObjectReader.read(document.root) { IntercreditorTerms(&$0) }
  }

  /// For the members of a larger object. Returns nil after recording why.
  package init?(_ reader: inout ObjectReader) {
    let (hasWaterfalls, hasPlaces) = (reader.has("waterfalls"), reader.has("loans"))
    let definitions = reader.optionalObjects("waterfalls", count: 0...CashSource.allCases.count) {
      WaterfallDefinition(&$0)
    }
    let places = reader.optionalObjects("loans", count: 0...10_000) { reader -> Place? in
      let loan = reader.parsed("loan_id", expected: "a loan's id", bytes: 1...100) { LoanID($0) }
      let rank = reader.int("rank", 1...1_000_000)
      let hasAcceded = reader.bool("has_acceded")
      guard let loan, let rank, let hasAcceded else { return nil }
      return Place(loanID: loan, rank: rank, hasAcceded: hasAcceded)
    }
    guard !hasWaterfalls || definitions != nil, !hasPlaces || places != nil else { return nil }
    do throws(RepaymentRefusal) {
      try self.init(definitions ?? [], places: places ?? [])
    } catch {
      reader.fault(code: error.code, detail: error.detail)
      return nil
    }
  }

  /// Where a loan stands; nil where nothing was agreed for it.
  package func place(of loan: LoanID) -> Place? {
    var (low, high) = (places.startIndex, places.endIndex)
    while low < high {
      let middle = (low + high) / 2
      if places[middle].loanID < loan { low = middle + 1 } else { high = middle }
    }
    return low < places.endIndex && places[low].loanID == loan ? places[low] : nil
  }

  /// The one spelling of these terms.
  package var json: [UInt8] {
    var writer = JSONWriter()
    writer.object { writeMembers(to: &$0) { _ in true } }
    return writer.bytes
  }

  /// - Parameter shows: the loans whose place is written.
  package func writeMembers(to writer: inout JSONWriter, shows: (LoanID) -> Bool) {
    writer.rawField("waterfalls", waterfalls.json)
    writer.array("loans", places.filter { shows($0.loanID) }) { writer, place in
      writer.object { writer in
        writer.field("loan_id", place.loanID.description)
        writer.field("rank", place.rank)
        writer.field("has_acceded", place.hasAcceded)
      }
    }
  }
}
