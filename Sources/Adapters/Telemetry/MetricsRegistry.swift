import Synchronization

/// Counters and histograms of this process, printed in the Prometheus text format 0.0.4. Series are bounded: a route is its
/// template, a status its class, and a method outside the known ones is `_OTHER`.
package final class MetricsRegistry: Sendable {
  package struct RequestLabels: Hashable, Sendable {
    package let method: String
    package let route: String
    package let status: Int

    package init(method: String, route: String, status: Int) {
      self.method = MetricsRegistry.known(method)
      self.route = route
      self.status = status
    }
  }

  private struct Histogram {
    var buckets = Array(repeating: 0, count: MetricsRegistry.bounds.count)
    var count = 0
    var microseconds = 0

    mutating func add(_ duration: Int) {
      // Buckets hold all that are no longer than their bound: counted from the longest down to the first too short.
      var index = buckets.count - 1
      while index >= 0, duration <= MetricsRegistry.bounds[index] {
        buckets[index] += 1
        index -= 1
      }
      count += 1
      microseconds &+= duration
    }
  }

  private static let knownMethods: Set<String> = ["GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS"]

  /// A method by its name, or `_OTHER`: whoever calls decides on no label.
  package static func known(_ method: String) -> String { knownMethods.contains(method) ? method : "_OTHER" }

  /// Upper bounds in microseconds, the buckets that OpenTelemetry names for server durations.
  private static let bounds = [
    5_000, 10_000, 25_000, 50_000, 75_000, 100_000, 250_000, 500_000, 750_000, 1_000_000, 2_500_000, 5_000_000,
    7_500_000, 10_000_000,
  ]
  private static let boundTexts = [
    "0.005", "0.01", "0.025", "0.05", "0.075", "0.1", "0.25", "0.5", "0.75", "1", "2.5", "5", "7.5", "10",
  ]

  private let requests = Mutex<[RequestLabels: Histogram]>([:])
  private let capacity = 2_000

  package init() {}

  /// One request, answered.
  package func observe(_ labels: RequestLabels, _ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    let microseconds = Int(clamping: seconds &* 1_000_000 &+ attoseconds / 1_000_000_000_000)
    requests.withLock { requests in
      guard requests.count < capacity || requests[labels] != nil else { return }
      requests[labels, default: Histogram()].add(microseconds)
    }
  }

  /// A single figure with its help text.
  package struct Gauge: Sendable {
    package let name: String
    package let help: String
    package let type: String
    package let value: Int

    package init(_ name: String, _ help: String, type: String = "gauge", value: Int) {
      self.name = name
      self.help = help
      self.type = type
      self.value = value
    }
  }

  /// The whole page.
  package func text(gauges: [Gauge]) -> String {
    var text = ""
    for gauge in gauges {
      text += "# HELP \(gauge.name) \(gauge.help)\n# TYPE \(gauge.name) \(gauge.type)\n\(gauge.name) \(gauge.value)\n"
    }
    let name = "http_server_request_duration_seconds"
    text += "# HELP \(name) Time from the head of a request to the end of its answer.\n# TYPE \(name) histogram\n"
    let requests = self.requests.withLock { $0 }
    let sorted = requests.sorted {
      ($0.key.route, $0.key.method, $0.key.status) < ($1.key.route, $1.key.method, $1.key.status)
    }
    for (labels, histogram) in sorted {
      let base = "method=\"\(labels.method)\",route=\"\(Self.escaped(labels.route))\",status=\"\(labels.status)\""
      for (bound, count) in zip(Self.boundTexts, histogram.buckets) {
        text += "\(name)_bucket{\(base),le=\"\(bound)\"} \(count)\n"
      }
      text += "\(name)_bucket{\(base),le=\"+Inf\"} \(histogram.count)\n"
      text += "\(name)_sum{\(base)} \(Self.seconds(histogram.microseconds))\n"
      text += "\(name)_count{\(base)} \(histogram.count)\n"
    }
    return text
  }

  private static func seconds(_ microseconds: Int) -> String {
    let fraction = String(microseconds % 1_000_000)
    return "\(microseconds / 1_000_000).\(String(repeating: "0", count: 6 - fraction.count))\(fraction)"
  }

  private static func escaped(_ text: String) -> String {
    text.map { $0 == "\\" ? "\\\\" : $0 == "\"" ? "\\\"" : $0 == "\n" ? "\\n" : String($0) }.joined()
  }
}
