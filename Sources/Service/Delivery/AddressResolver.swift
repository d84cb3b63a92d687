import Glibc
import NIOPosix
import Operations
import Webhooks

/// Looks a name up. A test puts one in that answers as it likes.
package protocol AddressResolver: Sendable {
  /// Every address of a name.
  /// - Throws: when it has none, or nobody answers.
  func addresses(of host: String) async throws -> [InternetAddress]
}

/// The system's resolver, on threads that may block.
package struct SystemResolver: AddressResolver {
  package init() {}

  package struct NoAddress: Error, Sendable {}

  package func addresses(of host: String) async throws -> [InternetAddress] {
    try await NIOThreadPool.singleton.runIfActive {
      var hints = addrinfo()
      hints.ai_family = AF_UNSPEC
      hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
      var list: UnsafeMutablePointer<addrinfo>?
      guard getaddrinfo(host, nil, &hints, &list) == 0, let first = list else { throw NoAddress() }
      defer { freeaddrinfo(first) }
      var found: [InternetAddress] = []
      var entry: UnsafeMutablePointer<addrinfo>? = first
      while let current = entry {
        entry = current.pointee.ai_next
        guard let address = current.pointee.ai_addr else { continue }
        switch current.pointee.ai_family {
        case AF_INET:
          address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { pointer in
            found.append(.v4(UInt32(bigEndian: pointer.pointee.sin_addr.s_addr)))
          }
        case AF_INET6:
          address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { pointer in
            let bytes = withUnsafeBytes(of: pointer.pointee.sin6_addr) { Array($0) }
            func word(_ part: ArraySlice<UInt8>) -> UInt64 { part.reduce(0) { $0 << 8 | UInt64($1) } }
            found.append(.v6(high: word(bytes[0..<8]), low: word(bytes[8..<16])))
          }
        default: continue
        }
      }
      if found.isEmpty { throw NoAddress() }
      return found
    }
  }
}

/// Where webhooks may be sent: looked at when one is made, and again before each try.
package struct WebhookGuard: Sendable {
  /// Loopback addresses are taken too, over `http` and on any port: for sandboxes alone.
  package let allowsLoopback: Bool
  private let resolver: any AddressResolver

  package init(allowsLoopback: Bool = false, resolver: any AddressResolver = SystemResolver()) {
    self.allowsLoopback = allowsLoopback
    self.resolver = resolver
  }

  /// A URL with the one address that may be connected to for it: nobody looks the name up again.
  package struct Pinned: Sendable, Hashable {
    package let url: WebhookURL
    package let address: InternetAddress
  }

  /// - Throws: `WebhookRefusal.url`. Any address that is not of the public internet makes the whole name refused.
  package func pin(_ text: String) async throws -> Pinned {
    let url: WebhookURL
    do { url = try WebhookURL(text, allowsLoopback: allowsLoopback) } catch {
      throw WebhookRefusal.url(error.rawValue)
    }
    if allowsLoopback, let address = InternetAddress(url.host), address.isLoopback {
      return Pinned(url: url, address: address)
    }
    let addresses: [InternetAddress]
    do { addresses = try await resolver.addresses(of: url.host) } catch let error as CancellationError {
      throw error
    } catch {
      throw WebhookRefusal.url("Its host has no address.")
    }
    guard let first = addresses.first, addresses.allSatisfy(\.isGlobal) else {
      throw WebhookRefusal.url("Its host has an address that is not of the public internet.")
    }
    return Pinned(url: url, address: first)
  }
}
