/// How much JSON one text may hold. Every bound is checked while reading, before memory is spent on what lies past it.
package struct JSONLimits: Sendable, Hashable {
  /// Largest text, in bytes; 0 to 2^31 - 1.
  package let maxBytes: Int
  /// Deepest nesting of arrays and objects; the outermost one is level 1.
  package let maxDepth: Int
  /// Most values in the whole text: the root, every member's value, every element. 0 to 2^30.
  package let maxMembers: Int

  /// Bounds outside their range are moved to its nearest end.
  package init(maxBytes: Int, maxDepth: Int = 64, maxMembers: Int = 10_000) {
    // The tape keeps offsets and indexes in 32 bits: these ends are what keeps its arithmetic from overflowing.
    self.maxBytes = min(max(maxBytes, 0), Int(Int32.max))
    self.maxDepth = max(maxDepth, 0)
    self.maxMembers = min(max(maxMembers, 0), 1 << 30)
  }

  /// What a request body may hold: 1 MiB, 64 levels, 10,000 values.
  package static let request = JSONLimits(maxBytes: 1 << 20)
}
