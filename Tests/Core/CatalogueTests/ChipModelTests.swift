import Primitives
import StrictCSV
import Testing

@testable import Catalogue

@Suite("Chip models")
struct ChipModelTests {
  @Test("all 80 chips agree with every known column on performance, density and inputs and outputs")
  func figures() throws {
    let chips = try CatalogueFixtures.chips()
    let answers = try CatalogueFixtures.answers("chip-classes.csv")
    #expect(chips.count == 80)
    #expect(answers.rows.count == 80)
    for row in answers.rows {
      let id = try chipID(row["id"])
      let chip = try #require(chips[id], "\(id)")
      #expect(chip.tpp?.description ?? "" == row["tpp"], "\(id)")
      #expect(chip.tppBasis ?? "" == row["tpp_basis"], "\(id)")
      #expect(chip.displayedPerformanceDensity?.description ?? "" == row["performance_density"], "\(id)")
      #expect(chip.ioTotalGBs?.description ?? "" == row["io_total_gbs"], "\(id)")
    }
  }

  private func chip(_ figures: [String: String]) throws -> ChipModel {
    let header = (ChipModel.Column.required + ["tpp", "io_total_gbs", "release_date"])
    let fields = header.map { $0 == "id" ? "x" : figures[$0] ?? "" }
    let text = header.joined(separator: ",") + "\n" + fields.joined(separator: ",") + "\n"
    return try #require(try ChipModel.models(fromCSV: Array(text.utf8)).first)
  }

  @Test("TF32 never counts, and of formats that tie the first column is named")
  func basis() throws {
    let chip = try chip(["tf32_tflops_dense": "500", "fp16_tflops_dense": "65", "int8_tops_dense": "130"])
    #expect(chip.tpp?.description == "1040")
    #expect(chip.tppBasis == "fp16 x 16")
  }

  @Test("a given total counts only where no figure is known")
  func givenTotal() throws {
    #expect(try chip(["tpp": "9999", "fp16_tflops_dense": "10"]).tpp?.description == "160")
    #expect(try chip(["tpp": "9999"]).tpp?.description == "9999")
    #expect(try chip(["tpp": "9999"]).tppBasis == "given")
    #expect(try chip([:]).tpp == nil)
  }

  @Test(
    "inputs and outputs are summed from their parts; a wrong total is overruled, an unknown part leaves a lower bound")
  func inputsAndOutputs() throws {
    let both = try chip(["interconnect_gbs": "400", "pcie_gbs": "64", "io_total_gbs": "9"])
    #expect(both.ioTotalGBs?.description == "464")
    let one = try chip(["interconnect_gbs": "784"])
    #expect(one.ioTotalGBs == nil)
    #expect(one.ioAtLeastGBs.description == "784")
    let total = try chip(["interconnect_gbs": "100", "io_total_gbs": "700"])
    #expect(total.ioTotalGBs?.description == "700")
    let impossible = try chip(["interconnect_gbs": "800", "io_total_gbs": "700"])
    #expect(impossible.ioTotalGBs?.description == "800")
  }

  @Test(
    "a record that is no chip is refused with line and column",
    arguments: [
      ("fp16_tflops_dense", "1e3"), ("fp16_tflops_dense", "-5"), ("die_area_mm2", "-814"), ("vendor_class", "gaming"),
      ("release_date", "2024-13"), ("pcie_gbs", " 64"), ("interconnect_gbs", "unknown"), ("tpp", "NaN"),
    ])
  func refusals(_ column: String, _ value: String) throws {
    let failure = #expect(throws: CSVFailure.self) { try chip([column: value]) }
    #expect(failure?.line == 2)
    #expect(failure?.reason.contains(column) == true)
  }

  @Test("a file without a figure's column, or with a chip twice, is refused")
  func files() throws {
    let header = ChipModel.Column.required
    let row = header.map { $0 == "id" ? "x" : "" }.joined(separator: ",")
    let whole = header.joined(separator: ",") + "\n" + row + "\n"
    #expect(try ChipModel.models(fromCSV: Array(whole.utf8)).count == 1)
    #expect(throws: CSVFailure(line: 3, reason: "the chip x stands twice")) {
      try ChipModel.models(fromCSV: Array((whole + row + "\n").utf8))
    }
    let misspelt = whole.replacing("fp8_tflops_dense", with: "fp8_tflops")
    #expect(throws: CSVFailure(line: 1, reason: "the header lacks fp8_tflops_dense")) {
      try ChipModel.models(fromCSV: Array(misspelt.utf8))
    }
    #expect(throws: CSVFailure(line: 2, reason: "the chip has no id")) {
      try ChipModel.models(fromCSV: Array(whole.replacing("\nx,", with: "\n,").utf8))
    }
  }

  @Test("a date known to the month spans it")
  func partialDates() throws {
    let june = try #require(PartialDate("2024-06"))
    #expect(june.earliest.description == "2024-06-01")
    #expect(june.latest.description == "2024-06-30")
    #expect(PartialDate("2024-02")?.latest.description == "2024-02-29")
    #expect(PartialDate("2024-12")?.latest.description == "2024-12-31")
    #expect(PartialDate("2024")?.latest.description == "2024-12-31")
    #expect(PartialDate("2024-6") == nil)
    #expect(PartialDate("24") == nil)
  }
}
