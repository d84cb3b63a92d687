/// How days are counted for a fee. Raw values are the names contracts use.
package enum DayCountConvention: String, Sendable, Hashable, CaseIterable {
  case act360 = "ACT/360"
  case act365F = "ACT/365F"
  case thirty360Bond = "30/360-BOND"
  case thirty360US = "30/360-US"
  case thirtyE360 = "30E/360"
  case actActISDA = "ACT/ACT-ISDA"
}
