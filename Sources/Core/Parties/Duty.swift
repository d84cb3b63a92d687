/// A part of the platform's work. A key of the role `admin` carries some of them, and an act of staff names the one that
/// it needs, so that whoever pays out is not by the same key the one who grades, clears or marks.
package enum Duty: String, Sendable, Hashable, CaseIterable {
  /// Match rounds, settlement runs, funding rounds, listings and offers of others, the sandbox's clock.
  case operations
  /// Marks, margin calls, disputes, defaults and freezes.
  case risk
  /// Verification of organisations and their keys, export rules, licences, screening, tax rules.
  case compliance
  /// Cash receipts, payees, bank statements, deposits, conversions, claw-backs.
  case treasury
}
