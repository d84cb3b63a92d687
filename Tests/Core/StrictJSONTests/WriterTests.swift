import StrictJSON
import Testing

@Suite("Writing JSON")
struct WriterTests {
  enum Delivery: String, CaseIterable { case physical, hosted }

  func text(_ write: (inout JSONWriter) -> Void) -> String {
    var writer = JSONWriter()
    write(&writer)
    #expect(writer.isComplete)
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  @Test("a loan comes out byte for byte in the order of the calls")
  func writesALoan() {
    let written = text { writer in
      writer.object { writer in
        writer.field("id", "loan_1")
        writer.field("delivery_mode", Delivery.physical)
        writer.field("quantity", 512)
        writer.field("principal_minor", Int64.min)
        writer.field("is_open", true)
        writer.array("units", [1, 2, 3]) { writer, unit in
          writer.object { $0.field("serial", "A\(unit)") }
        }
        writer.array("regions", [String]()) { writer, region in writer.string(region) }
        writer.object("repayment") { writer in
          writer.nullField("cap_minor")
          writer.rawField("rule", Array(#"{"k":[1,2]}"#.utf8))
        }
        writer.key(dynamic: "x\"y")
        writer.array([[1], []]) { writer, inner in writer.array(inner) { $0.int($1) } }
      }
    }
    #expect(
      written == #"{"id":"loan_1","delivery_mode":"physical","quantity":512,"principal_minor":-9223372036854775808,"#
        + #""is_open":true,"units":[{"serial":"A1"},{"serial":"A2"},{"serial":"A3"}],"regions":[],"#
        + #""repayment":{"cap_minor":null,"rule":{"k":[1,2]}},"x\"y":[[1],[]]}"#)
  }

  @Test("optionals are null, or left out when asked so")
  func writesOptionals() {
    let absent = text { writer in
      writer.object { writer in
        writer.field("s", String?.none)
        writer.field("l", Int64?.none)
        writer.field("i", Int?.none)
        writer.field("b", Bool?.none)
        writer.field("e", Delivery?.none)
        writer.fieldIfPresent("s2", String?.none)
        writer.fieldIfPresent("l2", Int64?.none)
        writer.fieldIfPresent("i2", Int?.none)
        writer.fieldIfPresent("b2", Bool?.none)
        writer.fieldIfPresent("e2", Delivery?.none)
      }
    }
    #expect(absent == #"{"s":null,"l":null,"i":null,"b":null,"e":null}"#)
    let present = text { writer in
      writer.object { writer in
        writer.field("s", String?.some(""))
        writer.field("l", Int64?.some(1))
        writer.field("i", Int?.some(2))
        writer.field("b", Bool?.some(false))
        writer.field("e", Delivery?.some(.hosted))
        writer.fieldIfPresent("s2", String?.some("x"))
        writer.fieldIfPresent("l2", Int64?.some(-1))
        writer.fieldIfPresent("i2", Int?.some(-2))
        writer.fieldIfPresent("b2", Bool?.some(true))
        writer.fieldIfPresent("e2", Delivery?.some(.physical))
      }
    }
    #expect(
      present == #"{"s":"","l":1,"i":2,"b":false,"e":"hosted","s2":"x","l2":-1,"i2":-2,"b2":true,"e2":"physical"}"#)
  }

  @Test("what must be escaped is, and nothing else")
  func escapes() {
    #expect(
      text { $0.string("\"\\/\u{8}\u{C}\n\r\t\u{0}\u{1F}\u{7F}é€😀\u{2028}<&") }
        == #""\"\\/\b\f\n\r\t\u0000\u001f"# + "\u{7F}é€😀\u{2028}<&\"")
    #expect(text { $0.object { $0.field("a\"\n", 1) } } == #"{"a\"\n":1}"#)
    #expect(text { $0.object { $0.field("é", 1) } } == #"{"é":1}"#)
  }

  @Test("whatever the room at first, the bytes are the same, copied or where they are")
  func grows() {
    func write(_ writer: inout JSONWriter) {
      writer.array(0..<40) { writer, index in
        writer.object { writer in
          writer.key("plain")
          Array("id_\(index)".utf8).withUnsafeBufferPointer { writer.string(plain: $0) }
          writer.field("text", String(repeating: "é\"", count: index))
          writer.field("number", index)
        }
      }
    }
    var first = JSONWriter()
    write(&first)
    #expect(first.isComplete && first.bytes.count > 2_000)
    for capacity in 0...150 {
      var writer = JSONWriter(capacity: capacity)
      write(&writer)
      #expect(writer.bytes == first.bytes)
      #expect(writer.withBytes { Array($0) } == first.bytes)
    }
  }

  @Test("a copy of a writer goes its own way")
  func copies() {
    var writer = JSONWriter()
    writer.beginArray()
    writer.int(1)
    var other = writer
    writer.int(2)
    other.int(3)
    writer.endArray()
    other.endArray()
    #expect(writer.bytes == Array("[1,2]".utf8) && other.bytes == Array("[1,3]".utf8))
  }

  @Test("integers come out as the standard library writes them")
  func writesIntegers() {
    for value in [0, 1, -1, 9, 10, 99, 100, -100, .max, .min, 1_000_000_007] as [Int64] {
      #expect(text { $0.int(value) } == "\(value)")
    }
  }

  @Test("a writer is complete only with all ends written")
  func knowsWhenComplete() {
    var writer = JSONWriter()
    #expect(!writer.isComplete)
    writer.beginObject()
    writer.key("a")
    writer.beginArray()
    writer.null()
    writer.endArray()
    #expect(!writer.isComplete)
    writer.endObject()
    #expect(writer.isComplete)
    #expect(writer.bytes == Array(#"{"a":[null]}"#.utf8))
  }

  @Test("an error thrown while writing an object passes through with its type")
  func passesErrorsOn() {
    struct Unwritable: Error, Equatable {}
    var writer = JSONWriter()
    #expect(throws: Unwritable()) {
      try writer.object { writer throws(Unwritable) in
        writer.field("a", 1)
        throw Unwritable()
      }
    }
    #expect(!writer.isComplete)
  }

  @Test("calls that would not make JSON stop the process rather than send it")
  func stopsOnMisuse() async {
    await #expect(processExitsWith: .failure) {
      var writer = JSONWriter()
      writer.beginObject()
      writer.int(1)
    }
    await #expect(processExitsWith: .failure) {
      var writer = JSONWriter()
      writer.beginArray()
      writer.key("a")
    }
    await #expect(processExitsWith: .failure) {
      var writer = JSONWriter()
      writer.beginObject()
      writer.key("a")
      writer.endObject()
    }
    await #expect(processExitsWith: .failure) {
      var writer = JSONWriter()
      writer.beginArray()
      writer.endObject()
    }
    await #expect(processExitsWith: .failure) {
      var writer = JSONWriter()
      writer.int(1)
      writer.int(2)
    }
    await #expect(processExitsWith: .failure) {
      var writer = JSONWriter()
      writer.endArray()
    }
  }
}
