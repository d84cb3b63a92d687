import ArgumentParser
import Foundation
import Logging
import Primitives
import ServiceAssembly
import Telemetry

/// What is logged, where, and how.
struct LogOptions: ParsableArguments {
  @Option(help: "Least level to log: debug, info, notice, warning, error.") var logLevel = "notice"
  @Option(
    help: """
      How events are logged to stderr: json, text, or auto, which is text on a terminal and else JSON; \
      CHIPBRIDGE_LOG_FORMAT when left out.
      """)
  var logFormat: LogFormat?
  @Option(help: "Log each request as a line of JSON to: none, stdout, stderr.") var accessLog = AccessLogTarget.none

  func validate() throws {
    guard Logger.Level(rawValue: logLevel) != nil else { throw ValidationError("--log-level is unknown.") }
    if logFormat == nil { _ = try Self.formatOfEnvironment() }
  }

  private static func formatOfEnvironment() throws -> LogFormat {
    guard let text = ProcessInfo.processInfo.environment["CHIPBRIDGE_LOG_FORMAT"], !text.isEmpty else { return .auto }
    guard let format = LogFormat(rawValue: text) else {
      throw ValidationError("CHIPBRIDGE_LOG_FORMAT is json, text or auto.")
    }
    return format
  }

  /// Makes the log of this process, for the libraries in it too. To be called once.
  /// - Returns: the service's own logger.
  func open(for configuration: inout ServiceConfiguration) throws -> Logger {
    // Whoever reads the log may go away; that ends nothing.
    signal(SIGPIPE, SIG_IGN)
    let level = Logger.Level(rawValue: logLevel) ?? .notice
    let format = try logFormat ?? Self.formatOfEnvironment()
    let isText = format == .text || (format == .auto && isatty(STDERR_FILENO) == 1)
    let events = isText ? nil : LineWriter(descriptor: STDERR_FILENO)
    configuration.logs.events = events
    configuration.logs.requests = accessLog.descriptor.map { descriptor in
      // Lines of two writers would cut each other.
      if let events, descriptor == STDERR_FILENO { events } else { LineWriter(descriptor: descriptor) }
    }
    LoggingSystem.bootstrap(
      { label, provider in
        guard let events else {
          var handler = StreamLogHandler.standardError(label: label, metadataProvider: provider)
          handler.logLevel = level
          return handler
        }
        return JSONLogHandler(label: label, level: level, metadataProvider: provider, to: events) {
          SystemClock().now().description
        }
      }, metadataProvider: nil)
    return Logger(label: "chipbridge")
  }
}

enum LogFormat: String, ExpressibleByArgument, CaseIterable {
  case auto, json, text
}

/// Where requests are logged.
enum AccessLogTarget: String, ExpressibleByArgument, CaseIterable {
  case none, stdout, stderr

  var descriptor: Int32? {
    switch self {
    case .none: nil
    case .stdout: STDOUT_FILENO
    case .stderr: STDERR_FILENO
    }
  }
}
