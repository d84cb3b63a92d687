import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1
import NIOPosix
import Tokens

/// Where an issuer's key set is read.
package enum KeySetSource: Sendable, Hashable {
  /// `https`, or `http` on a loopback address.
  case url(String)
  case file(String)

  /// - Returns: nil unless it is an `https` URL, or `http` on a loopback address by number, without user, password and
  ///   fragment.
  package init?(url text: String) {
    guard text.utf8.count <= 2_048, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }),
      let parts = URLComponents(string: text), parts.user == nil, parts.password == nil, parts.fragment == nil,
      let host = parts.host, !host.isEmpty, parts.port.map({ (1...65_535).contains($0) }) ?? true
    else { return nil }
    switch parts.scheme?.lowercased() {
    case "https": break
    case "http" where Self.isLoopback(host): break
    default: return nil
    }
    self = .url(text)
  }

  /// By number and in its usual form: what a name leads to is somebody else's word.
  private static func isLoopback(_ host: String) -> Bool {
    if host == "[::1]" || host == "::1" { return true }
    let numbers = host.split(separator: ".", omittingEmptySubsequences: false)
    return numbers.count == 4 && numbers[0] == "127"
      && numbers.allSatisfy { text in UInt8(text).map { "\($0)" == text } ?? false }
  }
}

/// Why a key set could not be read, or was not taken.
package enum KeySetTrouble: String, Error, Sendable, Hashable, CaseIterable {
  case unreachable, late, status, redirect, tooLarge = "too_large", file
  case malformed, empty, tooManyKeys = "too_many_keys", repeatedID = "repeated_id", unusable

  /// Something was read, and it is no set that is taken.
  package var isOfContent: Bool {
    switch self {
    case .malformed, .empty, .tooManyKeys, .repeatedID, .unusable, .tooLarge: true
    case .unreachable, .late, .status, .redirect, .file: false
    }
  }

  init(_ fault: KeySetFault) {
    self =
      switch fault {
      case .malformed: .malformed
      case .empty: .empty
      case .tooManyKeys: .tooManyKeys
      case .repeatedID: .repeatedID
      }
  }
}

extension KeySetSource {
  /// - Parameter timeout: of all of it, from the look-up of the name to the last byte.
  func read(timeout: Duration) async -> Result<[UInt8], KeySetTrouble> {
    switch self {
    case .file(let path): return Self.read(file: path)
    case .url(let url):
      return await withTaskGroup(of: Result<[UInt8], KeySetTrouble>.self) { group in
        group.addTask { await Self.fetch(url, timeout: timeout) }
        group.addTask {
          try? await Task.sleep(for: timeout)
          return .failure(.late)
        }
        let first = await group.next() ?? .failure(.late)
        group.cancelAll()
        return first
      }
    }
  }

  private static func read(file path: String) -> Result<[UInt8], KeySetTrouble> {
    guard let size = try? FileManager.default.attributesOfItem(atPath: path)[.size] as? UInt64 else {
      return .failure(.file)
    }
    // A device or a pipe says that it has no bytes, and might have no end.
    guard size > 0 else { return .failure(.empty) }
    guard size <= PublishedKeySet.mostBytes else { return .failure(.tooLarge) }
    guard let data = try? Data(contentsOf: URL(filePath: path)) else { return .failure(.file) }
    return data.count <= PublishedKeySet.mostBytes ? .success(Array(data)) : .failure(.tooLarge)
  }

  private static func fetch(_ url: String, timeout: Duration) async -> Result<[UInt8], KeySetTrouble> {
    let bound = TimeAmount(timeout)
    var configuration = HTTPClient.Configuration(
      redirectConfiguration: .disallow, timeout: .init(connect: bound, read: bound), proxy: nil,
      decompression: .disabled)
    configuration.httpVersion = .http1Only
    configuration.connectionPool.retryConnectionEstablishment = false
    let client = HTTPClient(eventLoopGroup: MultiThreadedEventLoopGroup.singleton, configuration: configuration)
    let answer = await answer(to: url, client, within: bound)
    try? await client.shutdown()
    return answer
  }

  private static func answer(
    to url: String, _ client: HTTPClient, within bound: TimeAmount
  ) async -> Result<[UInt8], KeySetTrouble> {
    var request = HTTPClientRequest(url: url)
    request.headers.add(name: "accept", value: "application/json")
    do {
      let response = try await client.execute(request, deadline: .now() + bound)
      guard response.status == .ok else {
        return .failure((300...399).contains(response.status.code) ? .redirect : .status)
      }
      var bytes: [UInt8] = []
      for try await part in response.body {
        guard bytes.count + part.readableBytes <= PublishedKeySet.mostBytes else { return .failure(.tooLarge) }
        bytes += part.readableBytesView
      }
      return .success(bytes)
    } catch let error as HTTPClientError
      where error == .connectTimeout || error == .readTimeout || error == .deadlineExceeded
    {
      return .failure(.late)
    } catch {
      return .failure(.unreachable)
    }
  }
}
