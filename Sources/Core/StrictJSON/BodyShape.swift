/// What a reading method asks of a value: enough to describe a body to those who send it.
package indirect enum BodyShape: Sendable, Hashable {
  /// Nothing is known of it but that it is read.
  case anything
  case integer(ClosedRange<Int64>)
  /// An integer of a kind that the text completes: "must be ...".
  case parsedInteger(expected: String)
  case boolean
  /// A text of so many UTF-8 bytes without control characters.
  case text(bytes: ClosedRange<Int>, isMultiline: Bool)
  /// A text of a kind that `expected` completes: "must be ...".
  case parsedText(expected: String, bytes: ClosedRange<Int>)
  /// The id of something: its prefix, `_` and a UUID.
  case identifier(prefix: String)
  case words([String])
  /// - `isSet`: no element stands in it twice.
  case array(BodyShape, count: ClosedRange<Int>, isSet: Bool)
  /// Members in the order in which they are read. Others are refused.
  case object([Member])

  package struct Member: Sendable, Hashable {
    package let name: String
    /// It must be there; otherwise it may be absent or null.
    package let isRequired: Bool
    package let shape: BodyShape

    package init(name: String, isRequired: Bool, shape: BodyShape) {
      self.name = name
      self.isRequired = isRequired
      self.shape = shape
    }
  }

  /// What takes a body that either of the two takes: members of one alone are not required.
  package func merged(with other: BodyShape) -> BodyShape {
    switch (self, other) {
    case (.anything, let known), (let known, .anything): known
    case (.object(let left), .object(let right)): .object(Self.merged(left, right))
    case (.array(let left, let count, let isSet), .array(let right, _, _)):
      .array(left.merged(with: right), count: count, isSet: isSet)
    default: self
    }
  }

  private static func merged(_ left: [Member], _ right: [Member]) -> [Member] {
    var members = left.map { member in
      guard let same = right.first(where: { $0.name == member.name }) else {
        return Member(name: member.name, isRequired: false, shape: member.shape)
      }
      return Member(
        name: member.name, isRequired: member.isRequired && same.isRequired,
        shape: member.shape.merged(with: same.shape))
    }
    for member in right where !left.contains(where: { $0.name == member.name }) {
      members.append(Member(name: member.name, isRequired: false, shape: member.shape))
    }
    return members
  }

  /// Runs a parser on nothing and notes what it asks for. A parser that reads other members for another word of an
  /// enumeration (a loan amendment by its kind) is run once for each word, and the shapes are merged.
  /// - Parameter parse: reads its members before it decides; what it returns is not looked at.
  package static func traced(_ parse: (inout ObjectReader) throws -> Void) rethrows -> BodyShape {
    var shape: BodyShape?
    var (run, runs) = (0, 1)
    while run < min(runs, BodyTrace.mostRuns) {
      // A constant of this source, so it parses.
      guard let nothing = try? JSONDocument(parsing: [UInt8](arrayLiteral: 0x7B, 0x7D)) else { return .anything }
      var log = FaultLog()
      log.trace = BodyTrace(run: run)
      var reader = ObjectReader(nothing.root, log: log)
      try parse(&reader)
      guard let trace = reader.trace else { return .anything }
      let found = BodyShape.object(trace.members)
      shape = shape.map { $0.merged(with: found) } ?? found
      runs = max(runs, trace.choices)
      run += 1
    }
    return shape ?? .object([])
  }
}

/// The notes of one run of a parser.
@usableFromInline
struct BodyTrace: Sendable {
  static let mostRuns = 32

  /// Members of the object that is read now, and of those around it.
  private var frames: [[BodyShape.Member]] = [[]]
  /// What the elements of the arrays around are, innermost last.
  private var elements: [BodyShape] = []
  /// The member that is read now; nil within an array.
  private var current: [(name: String, isRequired: Bool)?] = [nil]
  private let run: Int
  /// The most words that an enumeration had.
  private(set) var choices = 1

  init(run: Int) { self.run = run }

  var members: [BodyShape.Member] { frames[0] }

  /// A member is asked for; what it is is noted next.
  mutating func member(_ name: StaticString, isRequired: Bool) {
    current[current.count - 1] = (name.description, isRequired)
    note(.anything)
  }

  /// What the member, or the element, that is read now has to be.
  mutating func note(_ shape: BodyShape) {
    guard let (name, isRequired) = current[current.count - 1] else {
      if !elements.isEmpty { elements[elements.count - 1] = shape }
      return
    }
    let member = BodyShape.Member(name: name, isRequired: isRequired, shape: shape)
    if let index = frames[frames.count - 1].firstIndex(where: { $0.name == name }) {
      let known = frames[frames.count - 1][index].shape
      frames[frames.count - 1][index] = BodyShape.Member(
        name: name, isRequired: isRequired, shape: shape == .anything ? known : shape)
    } else {
      frames[frames.count - 1].append(member)
    }
  }

  /// Which word an enumeration takes in this run.
  mutating func choice(of count: Int) -> Int {
    choices = max(choices, count)
    return count == 0 ? 0 : run % count
  }

  mutating func beginObject() {
    frames.append([])
    current.append(nil)
  }

  mutating func endObject() {
    let members = frames.removeLast()
    current.removeLast()
    note(.object(members))
  }

  mutating func beginArray() {
    elements.append(.anything)
    current.append(nil)
  }

  mutating func endArray(count: ClosedRange<Int>) {
    let element = elements.removeLast()
    current.removeLast()
    note(.array(element, count: count, isSet: false))
  }

  /// The array that was just noted is a set.
  mutating func markSet() {
    guard let (name, _) = current[current.count - 1],
      let index = frames[frames.count - 1].firstIndex(where: { $0.name == name }),
      case .array(let element, let count, _) = frames[frames.count - 1][index].shape
    else { return }
    note(.array(element, count: count, isSet: true))
  }
}
