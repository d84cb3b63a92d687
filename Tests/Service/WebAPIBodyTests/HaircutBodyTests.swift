import Catalogue
import Primitives
import StrictJSON
import Testing
import WebAPI

@Suite("Bodies of least haircuts")
struct HaircutBodyTests {
  private let parse: Parse<LeastHaircut> = { LeastHaircut.parse(&$0) }
  private let sample = Sample([
    "chip_model_id": "\"nvidia-h20\"", "from_on": "\"2026-02-01\"", "haircut_bps": "1500",
    "source": "\"sales of 2025\"",
  ])

  @Test("a least haircut is read member by member, of a model or of a class")
  func members() throws {
    check(
      sample,
      [
        requiredChanges("from_on", "haircut_bps", "source"), dateChanges("from_on"), textChanges("source", 500),
        Change.good("haircut_bps", "0", "9999"), Change.bad("haircut_bps", "range", "-1", "10000"),
        Change.bad("vendor_class", "conflict", "\"consumer\""), Change.bad("chip_model_id", "format", "\"NVIDIA H20\""),
      ], parse)
    let model = try #require(ChipModelID("nvidia-h20"))
    #expect(try read(sample, parse).chips == .model(model))
    let ofClass = Sample([
      "vendor_class": "\"data-centre\"", "from_on": "\"2026-02-01\"", "haircut_bps": "1500", "source": "\"s\"",
    ])
    check(ofClass, [Change.bad("vendor_class", "enum", "\"toy\"")], parse)
    let least = try read(ofClass, parse)
    #expect(least.chips == .vendorClass(.dataCentre) && least.haircut.value == 1_500)
    let ofNone = Sample(["from_on": "\"2026-02-01\"", "haircut_bps": "1500", "source": "\"s\""])
    #expect(faults(ofNone, parse).contains { $0.hasSuffix(" /chip_model_id") })
  }
}
