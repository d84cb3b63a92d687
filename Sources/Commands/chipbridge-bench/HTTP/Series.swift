import Foundation

/// What several rounds measured of one figure.
struct Series {
  let values: [Double]

  init(_ values: [Double]) { self.values = values }

  var median: Double {
    let sorted = values.sorted()
    return sorted.isEmpty ? 0 : (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
  }
  var least: Double { values.min() ?? 0 }
  var most: Double { values.max() ?? 0 }

  /// `median [least..most]`.
  func text(_ digits: Int) -> String {
    String(format: "%.\(digits)f [%.\(digits)f..%.\(digits)f]", median, least, most)
  }
}
