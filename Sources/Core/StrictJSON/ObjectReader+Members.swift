/// One method per kind of member. Each comes in two: the plain one records `field.missing` when the member is absent;
/// the `optional` one returns nil without a fault when it is absent or null.
extension ObjectReader {
  /// An integer within `range`.
  package mutating func int(_ name: StaticString, _ range: ClosedRange<Int64>) -> Int64? {
    required(name).flatMap { log.int($0, range) }
  }

  /// See ``int(_:_:)``.
  package mutating func optionalInt(_ name: StaticString, _ range: ClosedRange<Int64>) -> Int64? {
    optional(name).flatMap { log.int($0, range) }
  }

  /// An integer that `parse` takes; `expected` completes "must be".
  @inlinable
  package mutating func parsedInt<Value>(
    _ name: StaticString, expected: StaticString, _ parse: (Int64) -> Value?
  ) -> Value? {
    required(name).flatMap { log.parsedInt($0, expected: expected, parse) }
  }

  /// See ``parsedInt(_:expected:_:)``.
  @inlinable
  package mutating func optionalParsedInt<Value>(
    _ name: StaticString, expected: StaticString, _ parse: (Int64) -> Value?
  ) -> Value? {
    optional(name).flatMap { log.parsedInt($0, expected: expected, parse) }
  }

  /// A truth value.
  package mutating func bool(_ name: StaticString) -> Bool? {
    required(name).flatMap { log.bool($0) }
  }

  /// See ``bool(_:)``.
  package mutating func optionalBool(_ name: StaticString) -> Bool? {
    optional(name).flatMap { log.bool($0) }
  }

  /// A text of `bytes` UTF-8 bytes without control characters, but line feed and tab when `allowMultiline`.
  package mutating func string(
    _ name: StaticString, bytes: ClosedRange<Int>, allowMultiline: Bool = false
  ) -> String? {
    required(name).flatMap { log.string($0, bytes: bytes, allowMultiline: allowMultiline) }
  }

  /// See ``string(_:bytes:allowMultiline:)``.
  package mutating func optionalString(
    _ name: StaticString, bytes: ClosedRange<Int>, allowMultiline: Bool = false
  ) -> String? {
    optional(name).flatMap { log.string($0, bytes: bytes, allowMultiline: allowMultiline) }
  }

  /// A text of `bytes` UTF-8 bytes that `parse` takes; `expected` completes "must be".
  @inlinable
  package mutating func parsed<Value>(
    _ name: StaticString, expected: StaticString, bytes: ClosedRange<Int>, _ parse: (String) -> Value?
  ) -> Value? {
    required(name).flatMap { log.parsed($0, expected: expected, bytes: bytes, parse) }
  }

  /// See ``parsed(_:expected:bytes:_:)``.
  @inlinable
  package mutating func optionalParsed<Value>(
    _ name: StaticString, expected: StaticString, bytes: ClosedRange<Int>, _ parse: (String) -> Value?
  ) -> Value? {
    optional(name).flatMap { log.parsed($0, expected: expected, bytes: bytes, parse) }
  }

  /// One of the type's words.
  @inlinable
  package mutating func enumeration<Value: RawRepresentable & CaseIterable>(
    _ name: StaticString, as type: Value.Type
  ) -> Value? where Value.RawValue == String {
    required(name).flatMap { log.enumeration($0, as: type) }
  }

  /// See ``enumeration(_:as:)``.
  @inlinable
  package mutating func optionalEnumeration<Value: RawRepresentable & CaseIterable>(
    _ name: StaticString, as type: Value.Type
  ) -> Value? where Value.RawValue == String {
    optional(name).flatMap { log.enumeration($0, as: type) }
  }

  /// An array of `count` elements, each read by `each`, which records faults into the log that it is given.
  @inlinable
  package mutating func array<Value>(
    _ name: StaticString, count: ClosedRange<Int>, _ each: (JSONNode, inout FaultLog) -> Value?
  ) -> [Value]? {
    required(name).flatMap { log.array($0, count: count, each) }
  }

  /// See ``array(_:count:_:)``.
  @inlinable
  package mutating func optionalArray<Value>(
    _ name: StaticString, count: ClosedRange<Int>, _ each: (JSONNode, inout FaultLog) -> Value?
  ) -> [Value]? {
    optional(name).flatMap { log.array($0, count: count, each) }
  }

  /// An array, in its order, no two of whose values are equal.
  @inlinable
  package mutating func set<Value: Hashable>(
    _ name: StaticString, count: ClosedRange<Int>, _ each: (JSONNode, inout FaultLog) -> Value?
  ) -> [Value]? {
    required(name).flatMap { log.set($0, count: count, each) }
  }

  /// See ``set(_:count:_:)``.
  @inlinable
  package mutating func optionalSet<Value: Hashable>(
    _ name: StaticString, count: ClosedRange<Int>, _ each: (JSONNode, inout FaultLog) -> Value?
  ) -> [Value]? {
    optional(name).flatMap { log.set($0, count: count, each) }
  }

  /// An object, read into the same log.
  @inlinable
  package mutating func object<Value>(_ name: StaticString, _ read: (inout ObjectReader) -> Value?) -> Value? {
    required(name).flatMap { log.object($0, read) }
  }

  /// See ``object(_:_:)``.
  @inlinable
  package mutating func optionalObject<Value>(
    _ name: StaticString, _ read: (inout ObjectReader) -> Value?
  ) -> Value? {
    optional(name).flatMap { log.object($0, read) }
  }

  /// An array of `count` objects.
  @inlinable
  package mutating func objects<Value>(
    _ name: StaticString, count: ClosedRange<Int>, _ read: (inout ObjectReader) -> Value?
  ) -> [Value]? {
    array(name, count: count) { node, log in log.object(node, read) }
  }

  /// See ``objects(_:count:_:)``.
  @inlinable
  package mutating func optionalObjects<Value>(
    _ name: StaticString, count: ClosedRange<Int>, _ read: (inout ObjectReader) -> Value?
  ) -> [Value]? {
    optionalArray(name, count: count) { node, log in log.object(node, read) }
  }
}
