import Lending
import Primitives
import PropertyKit
import Testing

private typealias F = LendingFixtures

@Suite("Loan requests")
struct LoanRequestTests {
  /// A request of 512 units in each state, with quantities that go with it.
  static func sample(_ state: LoanRequestState) throws -> LoanRequest {
    switch state {
    case .open, .held: try F.request(state: state)
    case .partlyMatched: try F.request(state: state, offered: 128, matched: 128)
    case .matched: try F.request(state: state, offered: 256, matched: 256)
    case .cancelled: try F.request(state: state, matched: 128)
    case .expired: try F.request(state: state, offered: 128, matched: 128)
    }
  }

  enum Act: String, CaseIterable { case offer, match, release, hold, unhold, cancel, expire }

  static func perform(_ act: Act, on request: inout LoanRequest) throws {
    switch act {
    case .offer: try request.offer(64, at: .epoch)
    case .match: request.match(64)
    case .release: request.release(64)
    case .hold: request.setHeld(true)
    case .unhold: request.setHeld(false)
    case .cancel: try request.cancel()
    case .expire: request.expire()
    }
  }

  /// What each act makes of each sample. A refusal changes nothing; `nil` means that the act has nothing to act on: no
  /// offer is pending in that state.
  static func outcome(_ state: LoanRequestState, _ act: Act) -> Result<LoanRequestState, LendingRefusal>? {
    let illegal = LendingRefusal.illegalState(object: "loan request", state: state.rawValue, act: act.rawValue)
    switch (state, act) {
    case (.open, .offer), (.held, .offer), (.partlyMatched, .offer): return .success(.partlyMatched)
    case (.matched, .offer), (.cancelled, .offer), (.expired, .offer): return .failure(illegal)
    case (.open, .match), (.held, .match), (.cancelled, .match): return nil
    case (.open, .release), (.held, .release), (.cancelled, .release): return nil
    case (.partlyMatched, .match), (.partlyMatched, .release), (.matched, .release): return .success(.partlyMatched)
    case (.matched, .match): return .success(.matched)
    case (.expired, .match), (.expired, .release): return .success(.expired)
    case (.open, .hold): return .success(.held)
    case (.held, .unhold): return .success(.open)
    case (_, .hold), (_, .unhold): return .success(state)
    case (.open, .cancel), (.held, .cancel): return .success(.cancelled)
    case (.partlyMatched, .cancel): return .failure(.offersPending(128))
    case (.matched, .cancel), (.cancelled, .cancel), (.expired, .cancel): return .failure(illegal)
    case (.open, .expire), (.held, .expire), (.partlyMatched, .expire): return .success(.expired)
    case (_, .expire): return .success(state)
    }
  }

  @Test("each act changes each state as the table says, or is refused and changes nothing")
  func table() throws {
    for state in LoanRequestState.allCases {
      for act in Act.allCases {
        guard let outcome = Self.outcome(state, act) else { continue }
        var request = try Self.sample(state)
        let before = request
        switch outcome {
        case .success(let next):
          try Self.perform(act, on: &request)
          #expect(request.state == next, "\(state) \(act)")
          if next == state, act != .offer, act != .match, act != .release { #expect(request == before) }
        case .failure(let refusal):
          #expect(throws: refusal, "\(state) \(act)") { try Self.perform(act, on: &request) }
          #expect(request == before, "\(state) \(act)")
        }
      }
    }
  }

  @Test("offers fill the request; accepted ones are matched, ended ones are looked for again")
  func quantities() throws {
    var request = try F.request()
    #expect(request.remaining == 512)
    try request.offer(200, at: .epoch)
    try request.offer(312, at: .epoch)
    #expect(request.remaining == 0 && request.offered == 512 && request.state == .matched)
    request.match(200)
    #expect(request.offered == 312 && request.matched == 200 && request.state == .matched)
    request.release(312)
    #expect(request.offered == 0 && request.remaining == 312 && request.state == .partlyMatched)
    try request.cancel()
    #expect(request.state == .cancelled && request.matched == 200)
  }

  @Test("a request whose every offer lapsed is open again")
  func reopened() throws {
    var request = try F.request()
    try request.offer(512, at: .epoch)
    request.release(512)
    #expect(request == (try F.request()))
  }

  @Test("offers of more than is wanted, or of nothing, are refused and nothing changes")
  func tooMuch() throws {
    let before = try F.request(state: .partlyMatched, offered: 128, matched: 128)
    for count in [Int64(257), .max, 0, -1, .min] {
      var request = before
      #expect(throws: LendingRefusal.moreThanWanted(count, remaining: 256)) { try request.offer(count, at: .epoch) }
      #expect(request == before)
    }
  }

  @Test("a held request still takes part in a round: a chip that is clear may be found for it")
  func held() throws {
    var request = try F.request(state: .held)
    #expect(request.isOpen(at: .epoch))
    try request.offer(512, at: .epoch)
    #expect(request.state == .matched)
    // A verdict on chips not taken any more does not hold what is matched.
    request.setHeld(true)
    #expect(request.state == .matched)
  }

  @Test("a request is open until the moment its validity ends, while units are wanted")
  func validity() throws {
    let (end, before) = (try F.time("2026-03-01T00:00:00Z"), try F.time("2026-02-28T23:59:59.999999Z"))
    var request = try F.request(validUntil: end)
    #expect(request.isOpen(at: before) && !request.isOpen(at: end))
    #expect(throws: LendingRefusal.illegalState(object: "loan request", state: "open", act: "offer")) {
      try request.offer(64, at: end)
    }
    for state in LoanRequestState.allCases {
      let open = state == .open || state == .held || state == .partlyMatched
      #expect((try Self.sample(state)).isOpen(at: before) == open, "\(state)")
    }
    #expect(!(try F.request(state: .partlyMatched, offered: 500, matched: 12)).isOpen(at: before))
  }

  @Test("an expired or cancelled request keeps its state when a late offer of it ends")
  func lateOffers() throws {
    var request = try F.request(state: .expired, offered: 128)
    request.match(64)
    request.release(64)
    #expect(request.state == .expired && request.offered == 0 && request.matched == 64)
    request.setHeld(true)
    #expect(request.state == .expired)
  }

  @Test("whatever is offered, matched and released, the quantities and the state agree")
  func walk() throws {
    enum Step {
      case offer(Int64)
      case match, release, hold, unhold, cancel, expire
    }
    try forAllCommands(
      draw: { random in
        switch random.int(in: 0...15) {
        case 0...5: return Step.offer(random.oneIn(8) ? random.edgyInt64() : random.int64(in: 1...300))
        case 6...8: return .match
        case 9...11: return .release
        case 12: return .hold
        case 13: return .unhold
        case 14: return .cancel
        default: return random.oneIn(4) ? .expire : .hold
        }
      },
      run: { steps in
        var request = try F.request()
        var (pending, accepted): ([Int64], Int64) = ([], 0)
        for step in steps {
          let before = request
          do {
            switch step {
            case .offer(let count):
              try request.offer(count, at: .epoch)
              pending.append(count)
            case .match:
              guard let count = pending.popLast() else { continue }
              request.match(count)
              accepted += count
            case .release: if let count = pending.popLast() { request.release(count) }
            case .hold: request.setHeld(true)
            case .unhold: request.setHeld(false)
            case .cancel: try request.cancel()
            case .expire: request.expire()
            }
          } catch { try hold(request == before, "a refused step changed the request") }
          let taken = pending.reduce(0, +) + accepted
          try hold(request.offered == pending.reduce(0, +) && request.matched == accepted, "quantities: \(request)")
          try hold(request.remaining == 512 - taken && taken <= 512, "more than wanted: \(taken)")
          switch request.state {
          case .open, .held: try hold(taken == 0, "\(request.state) with \(taken) taken")
          case .partlyMatched: try hold(taken > 0 && taken < 512, "partly matched with \(taken)")
          case .matched: try hold(taken == 512, "matched with \(taken)")
          case .cancelled: try hold(request.offered == 0, "cancelled with offers pending")
          case .expired: break
          }
        }
      })
  }
}
