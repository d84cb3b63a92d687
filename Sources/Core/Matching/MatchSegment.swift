import Primitives

/// A part of the market that a round clears on its own: one chip model, one region, both, or, with neither, everything.
package struct MatchSegment: Sendable, Hashable, CustomStringConvertible {
  package let chipModel: ChipModelID?
  package let region: String?

  package init(chipModel: ChipModelID? = nil, region: String? = nil) {
    self.chipModel = chipModel
    self.region = region
  }

  package static let whole = MatchSegment()

  package var isWhole: Bool { chipModel == nil && region == nil }

  /// One name a segment: neither part can contain a space or a star.
  package var description: String { isWhole ? "*" : "\(chipModel?.value ?? "*") \(region ?? "*")" }

  /// Whether chips of this model in this region belong to it.
  package func contains(chipModel: ChipModelID, region: String) -> Bool {
    (self.chipModel.map { $0 == chipModel } ?? true) && (self.region.map { $0 == region } ?? true)
  }

  /// Whether some chip may belong to both: two such segments are never cleared at one time.
  package func overlaps(_ other: MatchSegment) -> Bool {
    func meets<Part: Equatable>(_ left: Part?, _ right: Part?) -> Bool {
      guard let left, let right else { return true }
      return left == right
    }
    return meets(chipModel, other.chipModel) && meets(region, other.region)
  }
}
