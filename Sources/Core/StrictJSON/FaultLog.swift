/// Collects what is wrong with the content of one document, so that a client learns of all of it at once.
@usableFromInline
package struct FaultLog: Sendable {
  /// How many faults are kept; the rest are only counted, lest a body of ten thousand mistakes be answered with an
  /// essay on each.
  package static let capacity = 100

  private struct Record: Sendable {
    /// Tape index, for document order.
    let place: Int
    let fault: JSONFault
  }

  private var records: [Record] = []
  private var omitted = 0
  /// Notes what is asked for instead of looking at values, where a parser is run to be described. One or none, in an
  /// array: a log is handed from object to object, and this way costs one word more to move.
  private var traces: [BodyTrace] = []

  /// Empty.
  @usableFromInline
  package init() {}

  var trace: BodyTrace? {
    get { traces.first }
    set { traces = newValue.map { [$0] } ?? [] }
  }

  /// How many faults were recorded, those not kept included.
  @usableFromInline
  package var count: Int { records.count + omitted }

  @usableFromInline
  var isTracing: Bool { !traces.isEmpty }

  /// True when nothing was recorded.
  @usableFromInline
  package var isEmpty: Bool { records.isEmpty }

  /// Records a fault of a value.
  @usableFromInline
  package mutating func record(_ node: JSONNode, code: String, detail: String) {
    guard records.count < Self.capacity else {
      omitted += 1
      return
    }
    let fault = JSONFault(pointer: node.pointer, code: code, detail: detail)
    records.append(Record(place: node.index, fault: fault))
  }

  /// Records a fault of a member that `object` does not have.
  package mutating func record(absent name: StaticString, of object: JSONNode, code: String, detail: String) {
    guard records.count < Self.capacity else {
      omitted += 1
      return
    }
    let pointer = object.pointer + name.withUTF8Buffer(pointerToken)
    records.append(Record(place: object.index, fault: JSONFault(pointer: pointer, code: code, detail: detail)))
  }

  /// All faults in document order, as a 422; nil when there are none.
  package var faults: JSONFaults? {
    guard !isEmpty else { return nil }
    // By place, then in the order of recording: the sort of the standard library does not promise stability.
    let order = records.indices.sorted { (records[$0].place, $0) < (records[$1].place, $1) }
    return JSONFaults(faults: order.map { records[$0].fault }, isSyntax: false, omitted: omitted)
  }

  /// The faults of a document that was refused.
  @usableFromInline
  var refusal: JSONFaults {
    // `object` leaves a reason for each nil, so there are some; a refusal must not turn into a trap even if not.
    faults ?? JSONFaults(faults: [.unexplained(at: "")], isSyntax: false)
  }
}

extension JSONFault {
  /// For a refusal without a reason.
  static func unexplained(at pointer: String) -> JSONFault {
    JSONFault(pointer: pointer, code: JSONFaultCode.format, detail: "must be a value that is known here")
  }
}
