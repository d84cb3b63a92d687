import Foundation
import Traces

/// Where spans are exported to, and which: from the variables that OpenTelemetry has for it, read and checked as a whole.
package struct ExportConfiguration: Sendable, CustomStringConvertible {
  /// Spans are posted to it as they are.
  package let endpoint: String
  /// Header fields of each export; they may be secrets and are printed nowhere.
  package let headers: [(name: String, value: String)]
  package let serviceName: String
  /// Of traces that begin here, so many are exported, 0 to 1. All of them unless told otherwise, as OpenTelemetry has it:
  /// whoever names an endpoint and sees nothing there looks for a fault.
  package let ratio: Double
  package let limits: Tracer.Limits
  /// How long a span waits for others at most.
  package let delay: Duration
  /// How long one try may take.
  package let timeout: Duration

  /// Without the headers, and without a query, which may be a secret too.
  package var description: String { "spans of \(serviceName)" }

  /// Everything that is wrong, by the names of the variables. Values are not told: they may be secrets.
  package struct Faults: Error, Sendable, CustomStringConvertible {
    package let faults: [String]
    package var description: String { faults.joined(separator: " ") }
  }

  /// - Returns: nil where no endpoint is named, or the whole is disabled.
  /// - Throws: `Faults`.
  package init?(environment: [String: String]) throws(Faults) {
    var reader = EnvironmentReader(environment: environment)
    let own = reader.text("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT").map { ($0, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "") }
    let common = reader.text("OTEL_EXPORTER_OTLP_ENDPOINT").map { ($0, "OTEL_EXPORTER_OTLP_ENDPOINT", "/v1/traces") }
    guard reader.text("OTEL_SDK_DISABLED")?.lowercased() != "true", let (url, variable, path) = own ?? common else {
      return nil
    }
    endpoint = reader.endpoint(url, variable, adding: path)
    for variable in ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"] {
      if let protocolName = reader.text(variable), protocolName != "http/json" {
        reader.faults.append("\(variable) can only be http/json.")
      }
    }
    for variable in ["OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "OTEL_EXPORTER_OTLP_COMPRESSION"] {
      if let coding = reader.text(variable), coding != "none" {
        reader.faults.append("\(variable) can only be none.")
      }
    }
    let variables = ["OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"]
    headers = reader.headers(variables.first { reader.text($0) != nil })
    let name = reader.text("OTEL_SERVICE_NAME") ?? "chipbridge"
    if name.utf8.count > 255 || name.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
      reader.faults.append("OTEL_SERVICE_NAME is at most 255 bytes without control characters.")
    }
    serviceName = name
    ratio = reader.ratio()
    var limits = Tracer.Limits()
    limits.queue = reader.integer("OTEL_BSP_MAX_QUEUE_SIZE", limits.queue, in: 64...1_000_000)
    limits.batch = reader.integer("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", limits.batch, in: 1...10_000)
    if limits.batch > limits.queue {
      reader.faults.append("OTEL_BSP_MAX_EXPORT_BATCH_SIZE is at most OTEL_BSP_MAX_QUEUE_SIZE.")
    }
    self.limits = limits
    delay = .milliseconds(reader.integer("OTEL_BSP_SCHEDULE_DELAY", 5_000, in: 10...600_000))
    let timeouts = ["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"]
    let timeoutVariable = timeouts.first { reader.text($0) != nil } ?? timeouts[1]
    timeout = .milliseconds(reader.integer(timeoutVariable, 10_000, in: 10...60_000))
    if !reader.faults.isEmpty { throw Faults(faults: reader.faults) }
  }
}

/// Reads variables and gathers what is wrong with them.
private struct EnvironmentReader {
  let environment: [String: String]
  var faults: [String] = []

  /// An empty variable is as good as none.
  func text(_ name: String) -> String? {
    guard let text = environment[name]?.trimmingCharacters(in: .whitespaces), !text.isEmpty else { return nil }
    return text
  }

  mutating func integer(_ name: String, _ usual: Int, in range: ClosedRange<Int>) -> Int {
    guard let text = text(name) else { return usual }
    guard let value = Int(text), range.contains(value) else {
      faults.append("\(name) is an integer from \(range.lowerBound) to \(range.upperBound).")
      return usual
    }
    return value
  }

  mutating func endpoint(_ text: String, _ name: String, adding path: String) -> String {
    let parts = URLComponents(string: text)
    guard let parts, let scheme = parts.scheme?.lowercased(), scheme == "http" || scheme == "https",
      let host = parts.host, !host.isEmpty, parts.user == nil, parts.password == nil, parts.fragment == nil,
      path.isEmpty || parts.query == nil, parts.port.map({ (1...65_535).contains($0) }) ?? true,
      text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
    else {
      faults.append("\(name) is an http or https URL with a host and without userinfo, query or fragment.")
      return ""
    }
    if path.isEmpty { return text }
    var base = text
    while base.hasSuffix("/") { base.removeLast() }
    return base + path
  }

  /// `name=value,name=value`, the values percent-encoded.
  mutating func headers(_ variable: String?) -> [(name: String, value: String)] {
    guard let variable, let text = text(variable) else { return [] }
    var headers: [(name: String, value: String)] = []
    for pair in text.split(separator: ",") {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = parts[0].trimmingCharacters(in: .whitespaces)
      let value = parts.count == 2 ? parts[1].trimmingCharacters(in: .whitespaces).removingPercentEncoding : nil
      let isToken =
        !name.isEmpty
        && name.utf8.allSatisfy { byte in
          (0x61...0x7A).contains(byte) || (0x41...0x5A).contains(byte) || (0x30...0x39).contains(byte)
            || "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
      let framing = ["content-type", "content-length", "transfer-encoding", "host", "connection"]
      guard isToken, !framing.contains(name.lowercased()), let value, value.utf8.count <= 8_192,
        value.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F })
      else {
        faults.append("\(variable) is a list of name=value, comma-separated, with percent-encoded values.")
        return []
      }
      headers.append((name, value))
    }
    return headers
  }

  /// What of `OTEL_TRACES_SAMPLER` this service can do: always by the caller's decision, where it made one.
  mutating func ratio() -> Double {
    let sampler = text("OTEL_TRACES_SAMPLER") ?? "parentbased_traceidratio"
    switch sampler {
    case "parentbased_always_on": return 1
    case "parentbased_always_off": return 0
    case "parentbased_traceidratio":
      guard let text = text("OTEL_TRACES_SAMPLER_ARG") else { return 1 }
      guard let ratio = Double(text), (0...1).contains(ratio) else {
        faults.append("OTEL_TRACES_SAMPLER_ARG is a number from 0 to 1.")
        return 1
      }
      return ratio
    default:
      faults.append(
        "OTEL_TRACES_SAMPLER is parentbased_always_on, parentbased_always_off or parentbased_traceidratio.")
      return 1
    }
  }
}
