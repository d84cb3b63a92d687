import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOPosix
import Operations
import Primitives
import Webhooks

/// What a try came to.
package struct SendOutcome: Sendable, Hashable {
  package enum Kind: String, Sendable, Hashable, CaseIterable {
    case delivered
    /// 3xx: nobody is sent elsewhere by an answer.
    case redirected
    case clientError = "client_error"
    case serverError = "server_error"
    /// 410: the receiver wants no more.
    case gone
    case timedOut = "timed_out"
    /// No connection, or one that broke before the answer was whole.
    case unreachable
    /// The name leads where nothing is sent.
    case addressRefused = "address_refused"
    case secretUnreadable = "secret_unreadable"
  }

  package let kind: Kind
  package var status: Int?
  /// The beginning of the answer, at most 1,024 bytes of it, in printable characters.
  package var excerpt: String?
  /// Seconds that the answer asks to wait.
  package var retryAfter: Int64?

  package init(_ kind: Kind, status: Int? = nil, excerpt: String? = nil, retryAfter: Int64? = nil) {
    self.kind = kind
    self.status = status
    self.excerpt = excerpt
    self.retryAfter = retryAfter
  }
}

/// Posts to receivers that nobody trusts: to the one address that was looked at, without redirects, proxies or retries, within
/// one limit of time for all of it, and reading little of the answer.
package struct WebhookSender: Sendable {
  let `guard`: WebhookGuard
  /// Of the whole try: look-up, connection, request and answer.
  let timeout: Duration
  private static let excerptBytes = 1_024
  /// Read past the excerpt so that a connection ends in order; more than that is not read.
  private static let mostRead = 64 << 10

  package init(guard: WebhookGuard, timeout: Duration = .seconds(20)) {
    self.guard = `guard`
    self.timeout = timeout
  }

  package func send(
    _ body: [UInt8], headers: [(String, String)], to text: String, now: Instant
  ) async -> SendOutcome {
    await withTaskGroup(of: SendOutcome.self) { group in
      group.addTask { await attempt(body, headers: headers, to: text, now: now) }
      group.addTask {
        try? await Task.sleep(for: timeout)
        return SendOutcome(.timedOut)
      }
      let first = await group.next() ?? SendOutcome(.timedOut)
      group.cancelAll()
      return first
    }
  }

  private func attempt(
    _ body: [UInt8], headers: [(String, String)], to text: String, now: Instant
  ) async -> SendOutcome {
    let pinned: WebhookGuard.Pinned
    do { pinned = try await self.guard.pin(text) } catch {
      return SendOutcome(.addressRefused, excerpt: (error as? WebhookRefusal)?.detail)
    }
    let url = pinned.url
    var configuration = HTTPClient.Configuration(
      redirectConfiguration: .disallow,
      timeout: .init(connect: .seconds(10), read: .seconds(20)), proxy: nil, decompression: .disabled)
    configuration.httpVersion = .http1Only
    // A try is a try: the next one has its own time, and is counted.
    configuration.connectionPool.retryConnectionEstablishment = false
    // The name stays in Host and in the certificate's check; the connection goes to the address.
    configuration.dnsOverride = [url.host: pinned.address.description]
    let client = HTTPClient(eventLoopGroup: MultiThreadedEventLoopGroup.singleton, configuration: configuration)
    let host = url.host.contains(":") ? "[\(url.host)]" : url.host
    var request = HTTPClientRequest(url: "\(url.isSecure ? "https" : "http")://\(host):\(url.port)\(url.target)")
    request.method = .POST
    for (name, value) in headers { request.headers.add(name: name, value: value) }
    request.body = .bytes(ByteBuffer(bytes: body))
    let outcome = await answer(to: request, client, now: now)
    try? await client.shutdown()
    return outcome
  }

  private func answer(to request: HTTPClientRequest, _ client: HTTPClient, now: Instant) async -> SendOutcome {
    do {
      let response = try await client.execute(
        request, deadline: .now() + .seconds(Int64(timeout.components.seconds) + 1))
      var (bytes, read) = ([UInt8](), 0)
      for try await part in response.body {
        read += part.readableBytes
        if bytes.count < Self.excerptBytes { bytes += part.readableBytesView.prefix(Self.excerptBytes - bytes.count) }
        if read > Self.mostRead { break }
      }
      let status = Int(response.status.code)
      let kind: SendOutcome.Kind =
        switch status {
        case 200...299: .delivered
        case 300...399: .redirected
        case 410: .gone
        case 400...499: .clientError
        default: .serverError
        }
      let after = response.headers.first(name: "retry-after").flatMap { Self.retryAfter($0, now: now) }
      return SendOutcome(
        kind, status: status, excerpt: bytes.isEmpty ? nil : Self.printable(bytes),
        retryAfter: kind == .delivered ? nil : after)
    } catch let error as HTTPClientError
      where error == .connectTimeout || error == .readTimeout || error == .deadlineExceeded
    {
      return SendOutcome(.timedOut)
    } catch {
      return SendOutcome(.unreachable)
    }
  }

  /// Seconds, or a date of RFC 9110, 5.6.7 (`Wed, 21 Oct 2015 07:28:00 GMT`), as seconds from now.
  static func retryAfter(_ text: String, now: Instant) -> Int64? {
    if let seconds = Int64(text) { return seconds < 0 ? nil : seconds }
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    let words = text.split(separator: " ")
    guard words.count == 6, words[5] == "GMT", let month = months.firstIndex(of: String(words[2])) else { return nil }
    let number = month < 9 ? "0\(month + 1)" : "\(month + 1)"
    guard let then = Instant("\(words[3])-\(number)-\(words[1])T\(words[4])Z") else { return nil }
    return max(0, (then.microseconds - now.microseconds) / 1_000_000)
  }

  /// What a log may hold of an answer: no control characters.
  static func printable(_ bytes: [UInt8]) -> String {
    String(
      String(decoding: bytes, as: UTF8.self).unicodeScalars.map { scalar in
        scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) ? " " : Character(scalar)
      })
  }
}
