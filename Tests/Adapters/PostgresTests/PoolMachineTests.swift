import Testing

@testable import Postgres

@Suite("The pool machine")
struct PoolMachineTests {
  private let start = ContinuousClock.now

  private func machine(size: Int = 2, minimum: Int = 0, waiters: Int = 2) -> PoolMachine {
    PoolMachine(limits: .init(size: size, minimum: minimum, waiters: waiters))
  }

  @Test("opens what is asked for up to its size, then queues up to its bound, then refuses")
  func bounds() {
    var pool = machine(size: 2, waiters: 3)
    #expect(pool.acquire(1, now: start) == [.connect(0)])
    #expect(pool.acquire(2, now: start) == [.connect(1)])
    #expect(pool.acquire(3, now: start) == [])
    #expect(pool.acquire(4, now: start) == [.refuse(waiter: 4, .exhausted)])
    #expect(pool.connected(0, now: start) == [.lease(waiter: 1, connection: 0)])
    #expect(pool.connected(1, now: start) == [.lease(waiter: 2, connection: 1)])
    #expect(pool.release(0, isReusable: true, now: start) == [.lease(waiter: 3, connection: 0)])
    #expect(pool.openCount == 2)
    #expect(pool.waitingCount == 0)
  }

  @Test("lends the most recently used connection first")
  func warmth() {
    var pool = machine()
    _ = pool.acquire(1, now: start)
    _ = pool.acquire(2, now: start)
    _ = pool.connected(0, now: start)
    _ = pool.connected(1, now: start)
    #expect(pool.release(1, isReusable: true, now: start) == [])
    #expect(pool.release(0, isReusable: true, now: start) == [])
    #expect(pool.acquire(3, now: start) == [.lease(waiter: 3, connection: 0)])
    #expect(pool.acquire(4, now: start) == [.lease(waiter: 4, connection: 1)])
  }

  @Test("closes a connection that came back with a block open, and opens another for who waits")
  func dirty() {
    var pool = machine(size: 1)
    _ = pool.acquire(1, now: start)
    _ = pool.connected(0, now: start)
    #expect(pool.acquire(2, now: start) == [])
    #expect(pool.release(0, isReusable: false, now: start) == [.close(0)])
    #expect(pool.closed(0, now: start) == [.connect(1)])
    #expect(pool.connected(1, now: start) == [.lease(waiter: 2, connection: 1)])
  }

  @Test("counts a lost connection until its holder lets go")
  func lostWhileLeased() {
    var pool = machine(size: 1)
    _ = pool.acquire(1, now: start)
    _ = pool.connected(0, now: start)
    #expect(pool.closed(0, now: start) == [])
    #expect(pool.openCount == 1)
    #expect(pool.release(0, isReusable: false, now: start) == [.close(0)])
    #expect(pool.closed(0, now: start) == [])
    #expect(pool.openCount == 0)
  }

  @Test("pauses longer after each failed connect, tries one at a time, and recovers")
  func backoff() {
    var pool = machine(size: 4, waiters: 8)
    _ = pool.acquire(1, now: start)
    _ = pool.acquire(2, now: start)
    #expect(pool.connectFailed(0, now: start, jitter: 1) == [.wake(after: .milliseconds(50))])
    #expect(pool.connectFailed(1, now: start, jitter: 1) == [.wake(after: .milliseconds(100))])
    #expect(pool.acquire(3, now: start) == [])
    #expect(pool.tick(now: start + .milliseconds(99)) == [])
    #expect(pool.tick(now: start + .milliseconds(100)) == [.connect(2)])
    #expect(pool.tick(now: start + .milliseconds(100)) == [])
    for _ in 0..<20 {
      let connecting = pool.slots.keys.first ?? -1
      let actions = pool.connectFailed(connecting, now: start, jitter: 1)
      guard case .wake(let pause) = actions.first else {
        Issue.record("no pause after a failure")
        return
      }
      #expect(pause <= .seconds(2))
      #expect(pool.tick(now: start + .seconds(2)).count == 1)
    }
    let connecting = pool.slots.keys.first ?? -1
    let actions = pool.connected(connecting, now: start + .seconds(3))
    #expect(actions.first == .lease(waiter: 1, connection: connecting))
    #expect(actions.count == 3)
    #expect(pool.failures == 0)
  }

  @Test("forgets a waiter that gave up, but not one that has its connection")
  func abandon() {
    var pool = machine(size: 1, waiters: 4)
    _ = pool.acquire(1, now: start)
    _ = pool.acquire(2, now: start)
    _ = pool.acquire(3, now: start)
    #expect(pool.abandon(2) == true)
    #expect(pool.abandon(2) == false)
    #expect(pool.connected(0, now: start) == [.lease(waiter: 1, connection: 0)])
    #expect(pool.abandon(1) == false)
    #expect(pool.release(0, isReusable: true, now: start) == [.lease(waiter: 3, connection: 0)])
  }

  @Test("ages idle connections above the minimum, and every connection at its end of life")
  func ages() {
    var pool = machine(size: 2, minimum: 1)
    #expect(pool.tick(now: start) == [.connect(0)])
    _ = pool.connected(0, now: start)
    _ = pool.acquire(1, now: start)
    #expect(pool.acquire(2, now: start) == [.connect(1)])
    _ = pool.connected(1, now: start)
    _ = pool.release(0, isReusable: true, now: start)
    _ = pool.release(1, isReusable: true, now: start)
    #expect(pool.tick(now: start + .seconds(29)) == [])
    #expect(pool.tick(now: start + .seconds(30)) == [.check(0), .check(1)])
    _ = pool.checked(0, isAlive: true, now: start + .seconds(290))
    _ = pool.checked(1, isAlive: true, now: start + .seconds(290))
    #expect(pool.tick(now: start + .seconds(300)) == [])
    _ = pool.tick(now: start + .seconds(330))
    _ = pool.checked(0, isAlive: true, now: start + .seconds(330))
    _ = pool.checked(1, isAlive: false, now: start + .seconds(330))
    #expect(pool.closed(1, now: start + .seconds(330)) == [])
    #expect(pool.openCount == 1)
    #expect(pool.tick(now: start + .seconds(1_800)) == [.close(0)])
    #expect(pool.closed(0, now: start + .seconds(1_800)) == [.connect(2)])
  }

  @Test("a shutdown refuses who waits, closes what is idle, and ends when the last one is back")
  func shutDown() {
    var pool = machine(size: 2, waiters: 4)
    _ = pool.acquire(1, now: start)
    _ = pool.acquire(2, now: start)
    _ = pool.connected(0, now: start)
    _ = pool.connected(1, now: start)
    _ = pool.acquire(3, now: start)
    _ = pool.abandon(3)
    _ = pool.acquire(4, now: start)
    #expect(pool.shutDown() == [.refuse(waiter: 4, .closed)])
    #expect(pool.acquire(5, now: start) == [.refuse(waiter: 5, .closed)])
    #expect(pool.release(0, isReusable: true, now: start) == [.close(0)])
    #expect(pool.closed(0, now: start) == [])
    #expect(pool.release(1, isReusable: true, now: start) == [.close(1)])
    #expect(pool.closed(1, now: start) == [.drained])
  }

  @Test("never has more open than its size nor lends one twice, whatever happens in whatever order")
  func randomWalk() {
    for seed in 0..<200 as Range<UInt64> {
      var random = Splitmix(state: seed)
      var pool = machine(size: 3, minimum: 1, waiters: 5)
      var leased: Set<Int> = []
      var connecting: Set<Int> = []
      var closing: Set<Int> = []
      var checking: Set<Int> = []
      var waiting: Set<Int> = []
      var now = start
      for step in 0..<400 {
        now += .milliseconds(Int(random.next() % 4_000))
        var actions: [PoolMachine.Action] = []
        switch random.next() % 8 {
        case 0, 1:
          waiting.insert(step)
          actions = pool.acquire(step, now: now)
        case 2:
          if let one = leased.popFirst() { actions = pool.release(one, isReusable: random.next() % 4 > 0, now: now) }
        case 3: if let one = connecting.popFirst() { actions = pool.connected(one, now: now) }
        case 4: if let one = connecting.popFirst() { actions = pool.connectFailed(one, now: now, jitter: 0.5) }
        case 5: if let one = closing.popFirst() { actions = pool.closed(one, now: now) }
        case 6:
          if let one = checking.popFirst() { actions = pool.checked(one, isAlive: random.next() % 2 > 0, now: now) }
        default: actions = random.next() % 5 == 0 ? pool.checkAll() : pool.tick(now: now)
        }
        for action in actions {
          switch action {
          case .lease(let waiter, let connection):
            let wasWaiting = waiting.remove(waiter) != nil
            #expect(wasWaiting, "seed \(seed): a waiter got two answers")
            let isNew = leased.insert(connection).inserted
            #expect(isNew, "seed \(seed): lent twice")
          case .refuse(let waiter, _):
            let wasWaiting = waiting.remove(waiter) != nil
            #expect(wasWaiting, "seed \(seed): a waiter got two answers")
          case .connect(let connection): connecting.insert(connection)
          case .close(let connection): closing.insert(connection)
          case .check(let connection): checking.insert(connection)
          case .wake, .drained: break
          }
        }
        #expect(pool.openCount <= 3, "seed \(seed)")
        #expect(pool.waitingCount == waiting.count, "seed \(seed)")
        #expect(pool.leasedCount == leased.count, "seed \(seed)")
      }
    }
  }
}

/// A small seeded generator.
struct Splitmix {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
