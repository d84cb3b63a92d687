import Foundation
import PostgresHarness
import ServiceHarness
import StrictJSON
import Testing

/// Nine ways to hold a connection without using it.
enum SlowKind: String, CaseIterable, Sendable {
  case silent, headDrip, halfRequest, noBody, bodyDrip, neverReads, readsOneByte, idle, flood

  /// What is sent at the beginning.
  func opening(key: String, list: String) -> String {
    let post = "POST /v1/loan-requests HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(key)\r\n"
    let get = "GET \(list) HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(key)\r\n\r\n"
    return switch self {
    case .silent: ""
    case .headDrip: "GET /livez HTTP/1.1\r\n"
    case .halfRequest: "GET /livez HTTP/1.1\r\nHost: a\r\nX-A: b"
    case .noBody: post + "Content-Length: 1000\r\n\r\n"
    case .bodyDrip: post + "Content-Length: 1000\r\n\r\n{"
    case .neverReads, .readsOneByte: String(repeating: get, count: 20)
    case .flood: String(repeating: "GET /v1/nothing HTTP/1.1\r\nHost: a\r\n\r\n", count: 8)
    case .idle: "GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"
    }
  }

  /// What is sent each half second.
  func more(key: String, list: String) -> String {
    switch self {
    case .headDrip: "X-\(Int.random(in: 0..<1_000)): a\r\n"
    case .bodyDrip: " "
    case .flood: opening(key: key, list: list)
    default: ""
    }
  }

  /// Whether it makes the service answer much before it is slow.
  var isWork: Bool { [.neverReads, .readsOneByte, .flood].contains(self) }

  /// Bytes that are read each half second.
  var reads: Int {
    switch self {
    case .neverReads: 0
    case .readsOneByte: 1
    default: 64 << 10
    }
  }
}

extension EndToEnd {
  @Suite("slow clients", .serialized)
  struct SlowClientTests {
    /// All limits of the service under test, in seconds.
    private static let limit = 4
    /// From the start of a slow client to its end, in seconds: its limit, the look of the clock, the drain of what was answered,
    /// and in the long form the making of thousands of answers that nobody reads, before which no client is slow.
    private static var bound: Double { isLong ? 40 : 14 }
    /// How long the floods go on, in seconds.
    private static let flood = 5.0

    /// The long form is of a program that was built for use: 200 of each kind ask for more than an unoptimised one gives, with
    /// the tests on the same two cores.
    private static var isLong: Bool {
      let environment = ProcessInfo.processInfo.environment
      return environment["CHIPBRIDGE_LONG"] != nil && environment["CHIPBRIDGE_BIN"]?.isEmpty == false
    }

    @Test("nine kinds of slow client are each cut in time, while a good one is served as before and memory stays")
    func nineKinds() async throws {
      let many = Self.isLong ? 200 : 60
      try await withDeployment { deployment in
        let service = try deployment.serve(options: [
          "--head-seconds", "\(Self.limit)", "--request-seconds", "\(Self.limit)", "--stalled-seconds", "\(Self.limit)",
          "--idle-seconds", "\(Self.limit)", "--max-connections", "2048", "--send-buffer-bytes", "16384",
        ])
        let startup = try deployment.enrol(service, "Startup", role: "startup")
        let before = HostileTests.residentKilobytes(service)
        let stop = Flag()
        let times = Gathered<Double>()
        let faults = Gathered<String>()
        let good = Thread {
          let http = RawHTTP(port: service.port)
          while !stop.isUp {
            let began = ContinuousClock.now
            do {
              let answer = try http.get("/v1/loan-requests?limit=5", as: startup.key)
              if answer.status != 200 { faults.append("\(answer.status)") }
            } catch { faults.append("\(error)") }
            times.append((ContinuousClock.now - began) / .seconds(1))
            usleep(20_000)
          }
        }
        good.start()
        let late = Gathered<String>()
        try concurrently(SlowKind.allCases.count) { index in
          let kind = SlowKind.allCases[index]
          // What makes the service work is fewer where an unoptimised build shares two cores with the tests.
          try Self.hold(kind, kind.isWork && !Self.isLong ? many / 3 : many, service.port, startup.key, late)
        }
        stop.raise()
        let growth = HostileTests.residentKilobytes(service) - before
        let sorted = times.all.sorted()
        let p99 = sorted[min(sorted.count - 1, sorted.count * 99 / 100)]
        print("slow clients: 9 x \(many), a good client's p99 \(p99) s of \(sorted.count), memory + \(growth) KiB")
        expectNone(late.all, "slow clients still connected")
        expectNone(faults.all, "answers to the good client")
        #expect(p99 < 0.5)
        #expect(growth < 256 << 10, "resident memory grew by \(growth) KiB")
        let alive = service.child.isRunning
        #expect(alive, "the process ended: \(service.child.output.suffix(300))")
      }
    }

    /// Opens `count` clients of a kind, moves them on every half second, and notes those that are not cut in time.
    private static func hold(
      _ kind: SlowKind, _ count: Int, _ port: Int, _ key: String, _ late: Gathered<String>
    ) throws {
      let list = "/v1/chip-models"
      var wires: [Wire] = []
      for _ in 0..<count {
        let wire = try Wire(port: port, receiveBuffer: kind.reads < 2 ? 4_096 : nil)
        wire.send(kind.opening(key: key, list: list), waiting: false)
        wires.append(wire)
      }
      let began = ContinuousClock.now
      // A flood that is read is a busy client and no slow one: it is served, and ends when it stops.
      var isOver = false
      while !wires.isEmpty, !isOver {
        usleep(500_000)
        let age = (ContinuousClock.now - began) / .seconds(1)
        wires = wires.filter { wire in
          let isFlooding = kind != .flood || age < flood
          if isFlooding, !wire.send(kind.more(key: key, list: list), waiting: false) { return false }
          guard kind.reads > 0 else { return !wire.isCut }
          if kind.reads == 1 { return wire.take(atMost: 1) != nil && !wire.isCut }
          return wire.take(atMost: kind.reads) != nil
        }
        isOver = age > (kind == .flood ? 56 : bound)
      }
      if !wires.isEmpty { late.append("\(kind.rawValue): \(wires.count) of \(count)") }
    }
  }
}

extension Wire {
  /// Whether the peer has closed both ways, with what it sent still unread.
  fileprivate var isCut: Bool {
    var wait = pollfd(fd: descriptor, events: 0, revents: 0)
    return poll(&wait, 1, 0) > 0 && wait.revents & Int16(POLLHUP | POLLERR) != 0
  }
}
