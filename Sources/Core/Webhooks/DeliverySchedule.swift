/// When an event is tried again: ten tries over 75 hours, 35 minutes and 5 seconds, each pause up to a tenth longer, so that
/// receivers that fell over together are not asked together.
package struct DeliverySchedule: Sendable, Hashable {
  /// Pauses in milliseconds before the second try, the third and so on.
  package let pauses: [Int64]
  /// No answer may put a try off for longer, in milliseconds.
  package let longest: Int64

  package init(pauses: [Int64], longest: Int64) {
    (self.pauses, self.longest) = (pauses, longest)
  }

  package static let usual = DeliverySchedule(
    pauses: [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400].map { $0 * 1_000 }, longest: 86_400_000)

  /// The pause after a failed try, in milliseconds; nil when it was the last.
  /// - Parameters:
  ///   - tries: that were made since the event was last asked for, at least 1.
  ///   - retryAfter: what the answer asked for, in seconds; it lengthens a pause and never shortens one.
  ///   - jitter: 0...1,000, of which a thousand is a tenth of the pause.
  package func pause(after tries: Int, retryAfter: Int64?, jitter: Int64) -> Int64? {
    guard tries >= 1, tries <= pauses.count else { return nil }
    let usual = pauses[tries - 1] + pauses[tries - 1] / 10 * min(max(jitter, 0), 1_000) / 1_000
    let asked = min(max(retryAfter ?? 0, 0), longest / 1_000) * 1_000
    return max(usual, asked)
  }
}
