import Glibc

/// The queries of one exchange with all their values in wire format, in one buffer.
///
/// Encoding runs on the caller's thread: it keeps the reactor free, and a value that cannot be sent is found before the
/// first byte goes out.
struct EncodedBatch: Sendable {
  /// Where one value lies in `bytes`; a length of -1 is NULL.
  struct Cell: Sendable {
    let offset: Int
    let length: Int32
  }

  let queries: [Query]
  private(set) var bytes: [UInt8] = []
  private(set) var cells: [Cell] = []

  /// The protocol counts parameters in sixteen bits.
  static let maximumParameters = 65_535
  /// PostgreSQL's own limit of one field, 1 GiB - 1.
  static let maximumValueBytes = 0x3fff_ffff

  init(_ queries: [Query]) throws(PostgresError) {
    self.queries = queries
    bytes.reserveCapacity(queries.count * 64)
    for (index, query) in queries.enumerated() {
      do {
        try append(query)
      } catch {
        var located = error
        located.statementIndex = index
        located.statementName = query.statement.name
        throw located
      }
    }
    // An empty value needs a pointer that is not nil, which an empty array would not give.
    if bytes.isEmpty { bytes.append(0) }
  }

  private mutating func append(_ query: Query) throws(PostgresError) {
    let shape = query.statement.shape
    guard query.binds.count <= Self.maximumParameters else {
      throw PostgresError(.encoding, "\(query.binds.count) parameters are more than the protocol can count")
    }
    guard query.binds.count == shape.parameters.count else {
      throw PostgresError(
        .statementMisuse, "\(query.binds.count) values for \(shape.parameters.count) declared parameters")
    }
    for (position, bind) in query.binds.enumerated() {
      guard bind.type == shape.parameters[position] else {
        throw PostgresError(
          .statementMisuse, "$\(position + 1) is declared \(shape.parameters[position]), given \(bind.type)")
      }
      let start = bytes.count
      let isNull = try !append(bind)
      let length = bytes.count - start
      guard length <= Self.maximumValueBytes else {
        throw PostgresError(.encoding, "$\(position + 1) is longer than 1 GiB")
      }
      cells.append(Cell(offset: start, length: isNull ? -1 : Int32(length)))
    }
  }

  /// Appends a value's bytes; false means NULL.
  private mutating func append(_ bind: Bind) throws(PostgresError) -> Bool {
    switch bind {
    case .bool(let value):
      guard let value else { return false }
      bytes.append(value ? 1 : 0)
    case .int2(let value): return bytes.appendBigEndian(value)
    case .int4(let value): return bytes.appendBigEndian(value)
    case .int8(let value): return bytes.appendBigEndian(value)
    case .text(let value):
      guard let value else { return false }
      try bytes.appendText(value)
    case .bytea(let value):
      guard let value else { return false }
      bytes.append(contentsOf: value)
    case .uuid(let value):
      guard let value else { return false }
      bytes.appendBigEndian(value.hi)
      bytes.appendBigEndian(value.lo)
    case .date(let value):
      guard let value else { return false }
      bytes.appendBigEndian(try PostgresCalendar.wireDate(value))
    case .timestamptz(let value):
      guard let value else { return false }
      bytes.appendBigEndian(try PostgresCalendar.wireTimestamp(value))
    case .jsonb(let value):
      guard let value else { return false }
      try bytes.appendJSON(value)
    default: try appendArray(bind)
    }
    return true
  }

  private mutating func appendArray(_ bind: Bind) throws(PostgresError) {
    switch bind {
    case .int4Array(let values): bytes.appendArray(of: .int4, fixed: values)
    case .int8Array(let values): bytes.appendArray(of: .int8, fixed: values)
    case .dateArray(let values):
      try bytes.appendArray(of: .date, values) { (bytes, value) throws(PostgresError) in
        bytes.appendBigEndian(try PostgresCalendar.wireDate(value))
      }
    case .timestamptzArray(let values):
      try bytes.appendArray(of: .timestamptz, values) { (bytes, value) throws(PostgresError) in
        bytes.appendBigEndian(try PostgresCalendar.wireTimestamp(value))
      }
    case .boolArray(let values):
      try bytes.appendArray(of: .bool, values) { (bytes, value) throws(PostgresError) in bytes.append(value ? 1 : 0) }
    case .uuidArray(let values):
      try bytes.appendArray(of: .uuid, values) { (bytes, value) throws(PostgresError) in
        bytes.appendBigEndian(value.hi)
        bytes.appendBigEndian(value.lo)
      }
    case .textArray(let values):
      try bytes.appendArray(of: .text, values) { (bytes, value) throws(PostgresError) in try bytes.appendText(value) }
    case .byteaArray(let values):
      try bytes.appendArray(of: .bytea, values) { (bytes, value) throws(PostgresError) in
        bytes.append(contentsOf: value)
      }
    case .jsonbArray(let values):
      try bytes.appendArray(of: .jsonb, values) { (bytes, value) throws(PostgresError) in try bytes.appendJSON(value) }
    case .bool, .int2, .int4, .int8, .text, .bytea, .uuid, .date, .timestamptz, .jsonb:
      throw PostgresError(.statementMisuse, "\(bind.type) is no array")
    }
  }
}

/// PostgreSQL counts days and microseconds from 2000-01-01, the service from 1970-01-01.
enum PostgresCalendar {
  /// Days from 1970-01-01 to 2000-01-01.
  static let dayShift: Int32 = 10_957
  /// Microseconds from 1970-01-01 to 2000-01-01, both 00:00 UTC.
  static let microsecondShift: Int64 = 946_684_800_000_000

  /// A day count as the server wants it. The extremes are its infinities and so no dates.
  static func wireDate(_ days: Int32) throws(PostgresError) -> Int32 {
    let (wire, overflow) = days.subtractingReportingOverflow(dayShift)
    guard !overflow, wire != .min, wire != .max else {
      throw PostgresError(.encoding, "date out of range")
    }
    return wire
  }

  /// A time as the server wants it. The extremes are its infinities and so no times.
  static func wireTimestamp(_ microseconds: Int64) throws(PostgresError) -> Int64 {
    let (wire, overflow) = microseconds.subtractingReportingOverflow(microsecondShift)
    guard !overflow, wire != .min, wire != .max else {
      throw PostgresError(.encoding, "timestamptz out of range")
    }
    return wire
  }

  /// Days since 1970-01-01; infinities and days that do not fit 32 bits are refused.
  static func days(wire: Int32) throws(PostgresError) -> Int32 {
    let (days, overflow) = wire.addingReportingOverflow(dayShift)
    guard !overflow, wire != .min, wire != .max else {
      throw PostgresError(.decoding, "date is infinite or out of range")
    }
    return days
  }

  /// Microseconds since 1970-01-01 00:00 UTC; infinities and times that do not fit 64 bits are refused.
  static func microseconds(wire: Int64) throws(PostgresError) -> Int64 {
    let (microseconds, overflow) = wire.addingReportingOverflow(microsecondShift)
    guard !overflow, wire != .min, wire != .max else {
      throw PostgresError(.decoding, "timestamptz is infinite or out of range")
    }
    return microseconds
  }
}

extension [UInt8] {
  /// Appends an integer in network order.
  mutating func appendBigEndian(_ value: some FixedWidthInteger) {
    Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
  }

  /// Appends an integer in network order, or nothing and false for NULL.
  mutating func appendBigEndian(_ value: (some FixedWidthInteger)?) -> Bool {
    guard let value else { return false }
    appendBigEndian(value)
    return true
  }

  /// Appends UTF-8; NUL is refused, since the server's text cannot hold it and would cut or reject it late.
  mutating func appendText(_ text: String) throws(PostgresError) {
    let start = count
    append(contentsOf: text.utf8)
    try refuseNUL(from: start)
  }

  /// Appends the binary form of jsonb: version 1, then the text.
  mutating func appendJSON(_ json: [UInt8]) throws(PostgresError) {
    append(1)
    let start = count
    append(contentsOf: json)
    try refuseNUL(from: start)
  }

  private func refuseNUL(from start: Int) throws(PostgresError) {
    let found = withUnsafeBytes { buffer in
      guard let base = buffer.baseAddress, buffer.count > start else { return false }
      return memchr(base + start, 0, buffer.count - start) != nil
    }
    if found { throw PostgresError(.encoding, "text holds a NUL character") }
  }

  private mutating func appendArrayHeader(of element: PostgresType, count elements: Int, hasNull: Bool) {
    appendBigEndian(Int32(elements == 0 ? 0 : 1))
    appendBigEndian(Int32(hasNull ? 1 : 0))
    appendBigEndian(element.oid)
    if elements > 0 {
      appendBigEndian(Int32(truncatingIfNeeded: elements))
      appendBigEndian(Int32(1))
    }
  }

  /// A one-dimensional array of integers, written in one pass over reserved space: the hot path of set-based writes.
  mutating func appendArray<Value: FixedWidthInteger>(of element: PostgresType, fixed values: [Value?]) {
    let width = MemoryLayout<Value>.size
    appendArrayHeader(of: element, count: values.count, hasNull: values.contains { $0 == nil })
    let start = count
    append(contentsOf: repeatElement(0, count: values.count * (4 + width)))
    let used = withUnsafeMutableBytes { buffer in
      var at = start
      for value in values {
        if let value {
          buffer.storeBytes(of: Int32(width).bigEndian, toByteOffset: at, as: Int32.self)
          buffer.storeBytes(of: value.bigEndian, toByteOffset: at + 4, as: Value.self)
          at += 4 + width
        } else {
          buffer.storeBytes(of: Int32(-1).bigEndian, toByteOffset: at, as: Int32.self)
          at += 4
        }
      }
      return at
    }
    removeLast(count - used)
  }

  /// A one-dimensional array whose elements are written by `write`.
  mutating func appendArray<Value>(
    of element: PostgresType, _ values: [Value?],
    _ write: (inout [UInt8], Value) throws(PostgresError) -> Void
  ) throws(PostgresError) {
    appendArrayHeader(of: element, count: values.count, hasNull: values.contains { $0 == nil })
    for value in values {
      guard let value else {
        appendBigEndian(Int32(-1))
        continue
      }
      let lengthAt = count
      appendBigEndian(Int32(0))
      try write(&self, value)
      let length = count - lengthAt - 4
      guard length <= EncodedBatch.maximumValueBytes else {
        throw PostgresError(.encoding, "an array element is longer than 1 GiB")
      }
      Swift.withUnsafeBytes(of: Int32(length).bigEndian) { raw in
        for (i, byte) in raw.enumerated() { self[lengthAt + i] = byte }
      }
    }
  }
}
