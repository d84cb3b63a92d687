import Primitives

/// What an account counts: minor units of a currency, or units of one chip model. Custody is booked as money is.
package enum Asset: Sendable, Hashable, Comparable, CustomStringConvertible {
  case currency(Currency)
  case chip(ChipModelID)

  /// Parses `USD` or `chip:nvidia-a800-sxm4-80`.
  package init?(_ text: some StringProtocol) {
    if text.hasPrefix("chip:") {
      guard let model = ChipModelID(text.dropFirst(5)) else { return nil }
      self = .chip(model)
    } else {
      guard let currency = Currency(text) else { return nil }
      self = .currency(currency)
    }
  }

  package var description: String {
    switch self {
    case .currency(let currency): currency.code
    case .chip(let model): "chip:\(model)"
    }
  }

  package static func < (left: Asset, right: Asset) -> Bool { left.description < right.description }
}
