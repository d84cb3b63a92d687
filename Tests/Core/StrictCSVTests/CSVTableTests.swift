import Foundation
import StrictCSV
import Testing

@Suite("Comma-separated values")
struct CSVTableTests {
  private func table(_ text: String) throws -> CSVTable { try CSVTable(parsing: Array(text.utf8)) }

  @Test("quoted fields keep commas, quotes and line ends, and rows know their lines")
  func quoting() throws {
    let table = try table("id,notes\r\na,\"x, \"\"y\"\"\r\nz\"\r\nb,\r\n")
    #expect(table.header == ["id", "notes"])
    #expect(table.rows.map(\.fields) == [["a", "x, \"y\"\r\nz"], ["b", ""]])
    #expect(table.rows.map(\.line) == [2, 4])
    #expect(table.rows[0]["notes"] == "x, \"y\"\r\nz")
    #expect(table.rows[0]["other"] == nil)
  }

  @Test("the last line may end or not, and a byte order mark is no part of the first name")
  func ends() throws {
    #expect(try table("a,b\n1,2").rows.count == 1)
    #expect(try table("a,b\n1,2\n").rows.count == 1)
    #expect(try table("\u{FEFF}a,b\n1,2\n").header == ["a", "b"])
    #expect(try table("a,b\n").rows.isEmpty)
  }

  @Test(
    "crooked files are refused with the line",
    arguments: [
      ("", 1), ("a,a\n1,2\n", 1), ("a,\n1,2\n", 1), ("a,b\n1\n", 2), ("a,b\n1,2,3\n", 2), ("a,b\n1,2\n\n3,4\n", 3),
      ("a,b\n1,x\"y\n", 2), ("a,b\n\"1\"2,3\n", 2), ("a,b\n1,\"open\n\n\n", 2), ("a,b\r1,2\n", 1), ("a,b\n1,2\r", 2),
      ("a,b\n\"x\ny\",1\n2\n", 4), ("a,b\n1,\0\n", 2),
    ])
  func refusals(_ text: String, _ line: Int) throws {
    let failure = #expect(throws: CSVFailure.self) { try table(text) }
    #expect(failure?.line == line)
  }

  @Test("bytes that are not UTF-8 are refused")
  func notUTF8() {
    #expect(throws: CSVFailure.self) { try CSVTable(parsing: Array("a\n".utf8) + [0xC3, 0x28, 0x0A]) }
  }

  @Test("every limit is held")
  func limits() throws {
    var limits = CSVTable.Limits()
    (limits.maxBytes, limits.maxRows, limits.maxColumns, limits.maxFieldBytes) = (40, 2, 3, 5)
    func parse(_ text: String) throws -> CSVTable { try CSVTable(parsing: Array(text.utf8), limits: limits) }
    #expect(try parse("a,b,c\n1,2,3\n1,2,3\n").rows.count == 2)
    #expect(throws: CSVFailure.self) { try parse("a\n1\n2\n3\n") }
    #expect(throws: CSVFailure.self) { try parse("a,b,c,d\n") }
    #expect(throws: CSVFailure.self) { try parse("a\n123456\n") }
    #expect(throws: CSVFailure.self) { try parse("a\n\"123456\"\n") }
    #expect(throws: CSVFailure.self) { try parse(String(repeating: "a", count: 41)) }
  }

  @Test("any cut of a good file is either read or refused, never a crash")
  func truncation() throws {
    let seed = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../../schema/seed/chip-models.csv")
    let bytes = [UInt8](try Data(contentsOf: seed))
    for end in stride(from: 0, to: bytes.count, by: 97) {
      let part = Array(bytes[..<end])
      if let table = try? CSVTable(parsing: part) {
        #expect(table.rows.allSatisfy { $0.fields.count == table.header.count })
      }
    }
  }
}
