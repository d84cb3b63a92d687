import Lending
import Primitives
import PropertyKit
import Testing

private typealias F = LendingFixtures

@Suite("Listings")
struct ListingTests {
  /// What each act makes of each state, as the comments of `ListingState` say; what is absent is refused.
  static let successors: [ListingState: [Listing.Act: ListingState]] = [
    .open: [.pause: .paused, .withdraw: .withdrawn, .expire: .expired],
    .paused: [.resume: .open, .withdraw: .withdrawn, .expire: .expired],
    .exhausted: [.pause: .paused, .withdraw: .withdrawn, .expire: .expired],
    .withdrawn: [:],
    .expired: [:],
  ]

  @Test("each act changes each state as the table says, or is refused and changes nothing")
  func table() throws {
    for state in ListingState.allCases {
      for act in Listing.Act.allCases {
        var listing = try F.listing(state: state, remaining: state == .exhausted ? 0 : 512)
        let before = listing
        let expected = Self.successors[state]?[act]
        #expect(Listing.successor(of: state, on: act) == expected, "\(state) \(act)")
        if let expected {
          try listing.perform(act)
          #expect(listing.state == expected, "\(state) \(act)")
          #expect(listing.remaining == before.remaining)
        } else {
          let refusal = LendingRefusal.illegalState(object: "listing", state: state.rawValue, act: act.rawValue)
          #expect(throws: refusal, "\(state) \(act)") { try listing.perform(act) }
          #expect(listing == before)
        }
      }
    }
  }

  @Test("a paused listing with nothing left resumes as exhausted")
  func resumeEmpty() throws {
    var listing = try F.listing(state: .paused, remaining: 0)
    try listing.perform(.resume)
    #expect(listing.state == .exhausted)
  }

  @Test("reserved units leave the listing; the last of them exhausts it")
  func reserve() throws {
    var listing = try F.listing()
    try listing.reserve(512, at: .epoch)
    #expect(listing.remaining == 512 && listing.state == .open)
    try listing.reserve(512, at: .epoch)
    #expect(listing.remaining == 0 && listing.state == .exhausted)
  }

  @Test("only an open listing gives units", arguments: ListingState.allCases)
  func reserveStates(state: ListingState) throws {
    var listing = try F.listing(state: state)
    let before = listing
    if state == .open {
      try listing.reserve(64, at: .epoch)
      #expect(listing.remaining == before.remaining - 64)
    } else {
      #expect(throws: LendingRefusal.illegalState(object: "listing", state: state.rawValue, act: "reserve")) {
        try listing.reserve(64, at: .epoch)
      }
      #expect(listing == before)
    }
  }

  @Test("pieces that are too large, too small, or no whole boards, are refused and nothing changes")
  func reserveQuantities() throws {
    let before = try F.listing()
    let cases: [(Int64, LendingRefusal)] = [
      (0, .quantityNotPositive), (-8, .quantityNotPositive), (.min, .quantityNotPositive),
      (1_032, .insufficientChips(lot: F.lotID, state: "listed", wanted: 1_032, present: 1_024)),
      (.max, .insufficientChips(lot: F.lotID, state: "listed", wanted: .max, present: 1_024)),
      (56, .belowLeastPiece(56, least: 64)), (1, .belowLeastPiece(1, least: 64)), (65, .notInBoards(65, multipleOf: 8)),
    ]
    for (count, refusal) in cases {
      var listing = before
      #expect(throws: refusal) { try listing.reserve(count, at: .epoch) }
      #expect(listing == before)
    }
  }

  @Test("a listing is open until the moment its validity ends")
  func validity() throws {
    let (end, before) = (try F.time("2026-03-01T00:00:00Z"), try F.time("2026-02-28T23:59:59.999999Z"))
    var listing = try F.listing(validUntil: end)
    #expect(listing.isOpen(at: before))
    #expect(!listing.isOpen(at: end))
    #expect(throws: LendingRefusal.self) { try listing.reserve(64, at: end) }
    #expect(listing.remaining == 1_024)
    try listing.reserve(64, at: before)
    #expect(listing.remaining == 960)
    #expect(!(try F.listing(remaining: 0)).isOpen(at: before))
    #expect(!(try F.listing(state: .paused)).isOpen(at: before))
  }

  @Test(
    "a lapsed offer returns its chips: an exhausted listing opens again, one that ended does not",
    arguments: [
      (ListingState.open, ListingState.open, true), (.paused, .paused, true), (.exhausted, .open, true),
      (.withdrawn, .withdrawn, false), (.expired, .expired, false),
    ])
  func release(from: ListingState, to: ListingState, offered: Bool) throws {
    var listing = try F.listing(state: from, remaining: 0)
    #expect(listing.release(512) == offered)
    #expect(listing.state == to)
    #expect(listing.remaining == 512)
  }

  @Test("whatever is reserved and released, what remains stays within the quantity and none remain when exhausted")
  func walk() throws {
    enum Step {
      case reserve(Int64)
      case release
      case act(Listing.Act)
    }
    try forAllCommands(
      draw: { random in
        switch random.int(in: 0...5) {
        case 0...2: return Step.reserve(random.oneIn(8) ? random.edgyInt64() : random.int64(in: 1...64) * 8)
        case 3...4: return .release
        default: return .act(try random.pick([.pause, .resume, .pause, .resume, .withdraw, .expire]))
        }
      },
      run: { steps in
        var listing = try F.listing()
        var reserved: [Int64] = []
        for step in steps {
          let before = listing
          do {
            switch step {
            case .reserve(let count):
              try listing.reserve(count, at: .epoch)
              reserved.append(count)
            case .release: if let count = reserved.popLast() { _ = listing.release(count) }
            case .act(let act): try listing.perform(act)
            }
          } catch { try hold(listing == before, "a refused step changed the listing") }
          try hold(listing.remaining + reserved.reduce(0, +) == 1_024, "units were made or lost")
          try hold(listing.remaining >= 0, "fewer than none remain")
          try hold(listing.state != .open || listing.remaining > 0, "open with nothing left")
          try hold(listing.state != .exhausted || listing.remaining == 0, "exhausted with \(listing.remaining) left")
        }
      })
  }
}
