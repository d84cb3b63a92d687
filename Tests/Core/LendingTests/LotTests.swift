import Ledger
import Lending
import Primitives
import PropertyKit
import Testing

private typealias F = LendingFixtures

@Suite("Lots and reserve plans")
struct LotTests {
  @Test("chips move between any two places without one being made or lost", arguments: CustodyState.allCases)
  func moves(from: CustodyState) throws {
    for to in CustodyState.allCases {
      var lot = try F.lot(quantity: 100, custody: from == to ? [from: 100] : [from: 60, to: 40])
      let before = lot
      try lot.move(16, from: from, to: to)
      #expect(lot.custody.values.reduce(0, +) == 100)
      #expect(lot.units(from) == before.units(from) - (from == to ? 0 : 16))
      #expect(lot.units(to) == before.units(to) + (from == to ? 0 : 16))
    }
  }

  @Test("more chips than are there, none, or fewer than none, are refused and nothing moves")
  func refusedMoves() throws {
    let before = try F.lot(quantity: 100, custody: [.available: 60, .onLoan: 40])
    for count in [Int64(61), 100, .max] {
      var lot = before
      let refusal = LendingRefusal.insufficientChips(lot: F.lotID, state: "available", wanted: count, present: 60)
      #expect(throws: refusal) { try lot.move(count, from: .available, to: .reserved) }
      #expect(lot == before)
    }
    for count in [Int64(0), -1, .min] {
      var lot = before
      #expect(throws: LendingRefusal.quantityNotPositive) { try lot.move(count, from: .available, to: .reserved) }
      #expect(lot == before)
    }
    var lot = before
    #expect(throws: LendingRefusal.insufficientChips(lot: F.lotID, state: "frozen", wanted: 1, present: 0)) {
      try lot.move(1, from: .frozen, to: .onLoan)
    }
    #expect(lot == before)
  }

  @Test("a place that is left empty is no longer named, so equal lots are equal")
  func emptyPlaces() throws {
    var lot = try F.lot(quantity: 100, custody: [.available: 100, .sold: 0])
    #expect(lot.custody == [.available: 100])
    try lot.move(100, from: .available, to: .reserved)
    #expect(lot.custody == [.reserved: 100])
    try lot.move(100, from: .reserved, to: .available)
    #expect(lot == (try F.lot(quantity: 100)))
  }

  @Test("however chips move, their number stays and no place holds fewer than none")
  func walk() throws {
    struct Move {
      let from: CustodyState
      let to: CustodyState
      let count: Int64
    }
    try forAllCommands(
      draw: { random in
        Move(
          from: try random.pick(CustodyState.allCases), to: try random.pick(CustodyState.allCases),
          count: random.oneIn(10) ? random.edgyInt64() : random.int64(in: 1...400))
      },
      run: { moves in
        var lot = try F.lot(custody: [.onOrder: 500, .available: 1_500])
        for move in moves {
          let before = lot
          do { try lot.move(move.count, from: move.from, to: move.to) } catch {
            try hold(lot == before, "a refused move changed the lot")
          }
          try hold(lot.custody.values.reduce(0, +) == 2_000, "chips were made or lost: \(lot.custody)")
          try hold(lot.custody.values.allSatisfy { $0 > 0 }, "a place is not positive: \(lot.custody)")
        }
      })
  }

  @Test("the two lines of a move make an entry of the lender's book")
  func lines() throws {
    let lines = try F.lot().lines(64, from: .custodyAvailable, to: .custodyReserved)
    let draft = try EntryDraft(
      id: JournalEntryID(UUIDValue(high: 1, low: 9)), book: F.lender, kind: .chipsReserved,
      businessDate: F.day("2026-02-01"), subject: F.lotID.value, lines: lines)
    #expect(draft.lines.map(\.account.code) == [.custodyAvailable, .custodyReserved])
    #expect(draft.lines.map(\.amount) == [-64, 64])
    for line in draft.lines {
      #expect(line.account.subject == F.lotID.value)
      #expect(line.account.asset == .chip(try F.chip()))
    }
  }

  @Test("an offer holds what is on hand, then what comes in time, and what arrives goes to those who wait")
  func promised() throws {
    let (today, due) = (try F.day("2026-03-01"), try F.day("2026-05-01"))
    var lot = try F.lot(quantity: 100, custody: [.available: 20, .onOrder: 80], availableOn: due)
    #expect(lot.offerable(on: today) == (20, today))
    let before = lot
    #expect(throws: LendingRefusal.insufficientChips(lot: F.lotID, state: "available", wanted: 30, present: 20)) {
      try lot.reserve(30, by: today, today: today)
    }
    #expect(throws: LendingRefusal.insufficientChips(lot: F.lotID, state: "available", wanted: 101, present: 100)) {
      try lot.reserve(101, by: due, today: today)
    }
    #expect(lot == before)
    #expect(try lot.reserve(30, by: due, today: today).map(\.count) == [20, 10])
    #expect(lot.custody == [.reserved: 20, .promised: 10, .onOrder: 70])
    #expect(lot.offerable(on: today) == (70, due))
    #expect(lot.offerable(on: due).units == 0)
    #expect(try lot.receive(4).map(\.to) == [.reserved])
    #expect(lot.custody == [.reserved: 24, .promised: 6, .onOrder: 70])
    #expect(try lot.release(10).map(\.count) == [6, 4])
    #expect(lot.custody == [.reserved: 20, .available: 4, .onOrder: 76])
    #expect(throws: LendingRefusal.insufficientChips(lot: F.lotID, state: "on_order", wanted: 77, present: 76)) {
      try lot.receive(77)
    }
  }

  @Test("each place has a custody account of its own, named as it is")
  func accounts() {
    for state in CustodyState.allCases { #expect(state.account.rawValue == "custody.\(state.rawValue)") }
  }

  @Test("what can still be listed is on hand or on order, and not offered by another listing")
  func listing() throws {
    var lot = try F.lot(custody: [.onOrder: 500, .available: 700, .onLoan: 800])
    #expect(lot.unlisted == 1_200)
    try lot.list(1_000)
    #expect(lot.listed == 1_000 && lot.unlisted == 200)
    let before = lot
    #expect(throws: LendingRefusal.insufficientChips(lot: F.lotID, state: "unlisted", wanted: 201, present: 200)) {
      try lot.list(201)
    }
    for count in [Int64(0), -8] {
      #expect(throws: LendingRefusal.quantityNotPositive) { try lot.list(count) }
    }
    #expect(lot == before)
    lot.unlist(300)
    #expect(lot.listed == 700 && lot.unlisted == 500)
    lot.unlist(9_999)
    #expect(lot.listed == 0 && lot.unlisted == 1_200)
  }

  @Test("a lot that lost chips while they were listed has nothing left to list, never less than nothing")
  func overListed() throws {
    var lot = try F.lot(custody: [.available: 2_000], listed: 1_900)
    try lot.move(500, from: .available, to: .inRepair)
    #expect(lot.unlisted == 0)
  }

  @Test(
    "a reserve plan keeps the largest of the present and coming months",
    arguments: [
      ("2026-01-15", Int64(900)), ("2026-02-01", 900), ("2026-02-28", 900), ("2026-03-01", 400), ("2026-04-30", 400),
      ("2026-05-01", 0), ("2025-06-30", 1_500), ("2025-07-01", 900),
    ])
  func reservePlan(date: String, reserved: Int64) throws {
    let months = try [("2025-06-01", 1_500), ("2026-01-01", 100), ("2026-02-01", 900), ("2026-04-01", 400)].map {
      ReservePlan.Month(month: try F.day($0.0), quantity: Int64($0.1))
    }
    let plan = ReservePlan(
      id: ReservePlanID(UUIDValue(high: 1, low: 1)), lenderID: F.lender, chipModelID: try F.chip(), months: months,
      createdAt: .epoch, updatedAt: .epoch)
    #expect(plan.reserved(from: try F.day(date)) == reserved)
  }
}
