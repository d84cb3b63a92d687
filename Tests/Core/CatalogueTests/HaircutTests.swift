import Catalogue
import Primitives
import PropertyKit
import Testing

@Suite("Least haircuts")
struct HaircutTests {
  private func entry(
    _ number: UInt64, _ chips: LeastHaircut.Chips, from: String, _ haircut: Int64, at seconds: Int64 = 0
  ) throws -> HaircutTable.Entry {
    HaircutTable.Entry(
      id: ReferenceEntryID(UUIDValue(high: 44, low: number)),
      least: try #require(
        LeastHaircut(chips: chips, from: date(from), haircut: BasisPoints(haircut), source: "measured")),
      adoptedAt: try #require(Instant(microseconds: seconds * 1_000_000)))
  }

  private func taken(
    _ table: HaircutTable, agreed: Int64 = 1_000, _ vendorClass: VendorClass? = .dataCentre, on day: String,
    knownAt moment: Instant? = nil
  ) throws -> (Int64, UInt64?) {
    let taken = table.taken(
      agreed: BasisPoints(agreed), chip: try chipID("nvidia-h20"), vendorClass: vendorClass, on: try date(day),
      knownAt: moment)
    #expect(taken.vendorClass == vendorClass)
    return (taken.haircut.value, taken.by?.value.low)
  }

  @Test("the greater counts: what was agreed, what is asked for of the model, or of its class; from their own days on")
  func greatest() throws {
    let model = LeastHaircut.Chips.model(try chipID("nvidia-h20"))
    let entries = [
      try entry(1, model, from: "2026-02-01", 1_500),
      try entry(2, .vendorClass(.dataCentre), from: "2026-03-01", 2_000),
      try entry(3, .model(try chipID("nvidia-t4")), from: "2026-01-01", 9_000),
      try entry(4, .vendorClass(.consumer), from: "2026-01-01", 8_000),
      try entry(5, .vendorClass(.dataCentre), from: "2026-04-01", 0, at: 50),
      try entry(6, model, from: "2026-05-01", 500),
    ]
    for table in [HaircutTable(entries), HaircutTable(entries.reversed())] {
      #expect(try taken(table, on: "2026-01-31") == (1_000, nil))
      #expect(try taken(table, on: "2026-02-01") == (1_500, 1))
      #expect(try taken(table, on: "2026-03-01") == (2_000, 2))
      #expect(try taken(table, agreed: 2_000, on: "2026-03-01") == (2_000, nil), "what was agreed needs no entry")
      // A model of unknown class is of none.
      #expect(try taken(table, nil, on: "2026-03-01") == (1_500, 1))
      #expect(try taken(table, on: "2026-04-01") == (1_500, 1), "zero ends what was asked before")
      #expect(
        try taken(table, on: "2026-04-01", knownAt: Instant(microseconds: 49_999_999)) == (2_000, 2))
      #expect(try taken(table, on: "2026-05-01") == (1_000, nil))
      #expect(table.holding(on: try date("2026-04-15")).map(\.id.value.low).sorted() == [1, 3, 4, 5])
    }
    #expect(try taken(.empty, on: "2026-05-01") == (1_000, nil))
  }

  @Test("of two that begin on one day the greater counts, in whichever order they were adopted")
  func ties() throws {
    let model = LeastHaircut.Chips.model(try chipID("nvidia-h20"))
    let entries = [
      try entry(1, model, from: "2026-02-01", 3_000), try entry(2, model, from: "2026-02-01", 2_000, at: 9),
    ]
    #expect(try taken(HaircutTable(entries), on: "2026-02-01") == (3_000, 1))
    #expect(try taken(HaircutTable(entries.reversed()), on: "2026-02-01") == (3_000, 1))
  }

  @Test("never less is taken than was agreed, nor all of it")
  func bounds() throws {
    for value: Int64 in [-1, 10_000] {
      #expect(
        LeastHaircut(
          chips: .vendorClass(.consumer), from: try date("2026-01-01"), haircut: BasisPoints(value), source: "s") == nil
      )
    }
    var random = SplitMix64(seed: 27)
    let first = try date("2026-01-01")
    for _ in 0..<300 {
      let entries = try (1...6).map { number in
        let from = try #require(first.adding(days: random.int64(in: 0...5)))
        return HaircutTable.Entry(
          id: ReferenceEntryID(UUIDValue(high: 44, low: UInt64(number))),
          least: try #require(
            LeastHaircut(
              chips: random.int64(in: 0...1) == 0 ? .vendorClass(.dataCentre) : .model(try chipID("nvidia-h20")),
              from: from,
              haircut: BasisPoints(random.int64(in: LeastHaircut.range)), source: "s")), adoptedAt: .epoch)
      }
      let (day, agreed) = (try #require(first.adding(days: random.int64(in: 0...6))), random.int64(in: 0...9_999))
      let taken = HaircutTable(entries).taken(
        agreed: BasisPoints(agreed), chip: try chipID("nvidia-h20"), vendorClass: .dataCentre, on: day)
      #expect((agreed...9_999).contains(taken.haircut.value) && (taken.by == nil) == (taken.haircut.value == agreed))
    }
  }
}
