import ArgumentParser
import ServiceAssembly

/// What connections and requests may take of a service.
struct ConnectionOptions: ParsableArguments {
  @Option(help: "Connections open at once; others wait to be accepted (16 to 65536).") var maxConnections = 2_048
  @Option(help: "Seconds from the first byte of a request to the end of its head (1 to 600).")
  var headSeconds = ConnectionLimits().headSeconds
  @Option(help: "Seconds from the first byte of a request to its last (1 to 600).")
  var requestSeconds = ConnectionLimits().requestSeconds
  @Option(help: "Seconds from the last byte of a request to the first of its answer (1 to 600).")
  var answerSeconds = ConnectionLimits().answerSeconds
  @Option(help: "Seconds that a client may take nothing of an answer (1 to 600).")
  var stalledSeconds = ConnectionLimits().stalledSeconds
  @Option(help: "Seconds that a connection may be without a request (1 to 3600).")
  var idleSeconds = ConnectionLimits().idleSeconds
  @Option(help: "Bytes that the kernel is asked to keep of answers on a connection (4096 to 16777216).")
  var sendBufferBytes = ConnectionLimits().sendBufferBytes
  @Option(help: "Tell browsers for so many seconds to come by TLS only; for services behind TLS.")
  var strictTransportSeconds: Int64?

  func validate() throws {
    guard (16...65_536).contains(maxConnections) else {
      throw ValidationError("--max-connections is 16 to 65536.")
    }
    guard [headSeconds, requestSeconds, answerSeconds, stalledSeconds].allSatisfy({ (1...600).contains($0) }),
      (1...3_600).contains(idleSeconds)
    else { throw ValidationError("Limits of connections are 1 to 600 seconds, --idle-seconds 1 to 3600.") }
    guard (4_096...16_777_216).contains(sendBufferBytes) else {
      throw ValidationError("--send-buffer-bytes is 4096 to 16777216.")
    }
    guard strictTransportSeconds.map({ (0...63_072_000).contains($0) }) ?? true else {
      throw ValidationError("--strict-transport-seconds is 0 to 63072000.")
    }
  }

  func apply(to configuration: inout ServiceConfiguration) {
    configuration.maximumConnections = maxConnections
    configuration.connectionLimits.headSeconds = headSeconds
    configuration.connectionLimits.requestSeconds = requestSeconds
    configuration.connectionLimits.answerSeconds = answerSeconds
    configuration.connectionLimits.stalledSeconds = stalledSeconds
    configuration.connectionLimits.idleSeconds = idleSeconds
    configuration.connectionLimits.sendBufferBytes = sendBufferBytes
    configuration.strictTransportSeconds = strictTransportSeconds
  }
}
