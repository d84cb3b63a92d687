/// Whole members in one call. An optional without a value is written as `null`; `fieldIfPresent` leaves it out.
extension JSONWriter {
  /// A text.
  @usableFromInline
  package mutating func field(_ name: StaticString, _ value: String) {
    key(name)
    string(value)
  }

  /// An integer.
  package mutating func field(_ name: StaticString, _ value: Int64) {
    key(name)
    int(value)
  }

  /// An integer past Int64, all its digits.
  package mutating func field(_ name: StaticString, wide value: Int128) {
    key(name)
    raw(Array(String(value).utf8))
  }

  /// An integer.
  package mutating func field(_ name: StaticString, _ value: Int) {
    key(name)
    int(value)
  }

  /// A truth value.
  package mutating func field(_ name: StaticString, _ value: Bool) {
    key(name)
    bool(value)
  }

  /// A word of an enumeration.
  @inlinable
  package mutating func field<Value: RawRepresentable>(
    _ name: StaticString, _ value: Value
  ) where Value.RawValue == String {
    field(name, value.rawValue)
  }

  /// A text or null.
  package mutating func field(_ name: StaticString, _ value: String?) {
    if let value { field(name, value) } else { nullField(name) }
  }

  /// An integer or null.
  package mutating func field(_ name: StaticString, _ value: Int64?) {
    if let value { field(name, value) } else { nullField(name) }
  }

  /// An integer or null.
  package mutating func field(_ name: StaticString, _ value: Int?) {
    if let value { field(name, value) } else { nullField(name) }
  }

  /// A truth value or null.
  package mutating func field(_ name: StaticString, _ value: Bool?) {
    if let value { field(name, value) } else { nullField(name) }
  }

  /// A word of an enumeration or null.
  @inlinable
  package mutating func field<Value: RawRepresentable>(
    _ name: StaticString, _ value: Value?
  ) where Value.RawValue == String {
    if let value { field(name, value.rawValue) } else { nullField(name) }
  }

  /// `null`.
  @usableFromInline
  package mutating func nullField(_ name: StaticString) {
    key(name)
    null()
  }

  /// A value that is already JSON text; see ``raw(_:)``.
  package mutating func rawField(_ name: StaticString, _ value: [UInt8]) {
    key(name)
    raw(value)
  }

  /// A text, or nothing at all.
  package mutating func fieldIfPresent(_ name: StaticString, _ value: String?) {
    if let value { field(name, value) }
  }

  /// An integer, or nothing at all.
  package mutating func fieldIfPresent(_ name: StaticString, _ value: Int64?) {
    if let value { field(name, value) }
  }

  /// An integer, or nothing at all.
  package mutating func fieldIfPresent(_ name: StaticString, _ value: Int?) {
    if let value { field(name, value) }
  }

  /// A truth value, or nothing at all.
  package mutating func fieldIfPresent(_ name: StaticString, _ value: Bool?) {
    if let value { field(name, value) }
  }

  /// A word of an enumeration, or nothing at all.
  @inlinable
  package mutating func fieldIfPresent<Value: RawRepresentable>(
    _ name: StaticString, _ value: Value?
  ) where Value.RawValue == String {
    if let value { field(name, value.rawValue) }
  }

  /// An object as a value: an element, or the whole text.
  @inlinable
  package mutating func object<Failure: Error>(
    _ write: (inout JSONWriter) throws(Failure) -> Void
  ) throws(Failure) {
    beginObject()
    try write(&self)
    endObject()
  }

  /// An object as a member.
  @inlinable
  package mutating func object<Failure: Error>(
    _ name: StaticString, _ write: (inout JSONWriter) throws(Failure) -> Void
  ) throws(Failure) {
    key(name)
    try object(write)
  }

  /// An array as a value, one element for each item; `write` writes exactly one value.
  @inlinable
  package mutating func array<Items: Sequence, Failure: Error>(
    _ items: Items, _ write: (inout JSONWriter, Items.Element) throws(Failure) -> Void
  ) throws(Failure) {
    beginArray()
    for item in items { try write(&self, item) }
    endArray()
  }

  /// An array as a member; see ``array(_:_:)``.
  @inlinable
  package mutating func array<Items: Sequence, Failure: Error>(
    _ name: StaticString, _ items: Items, _ write: (inout JSONWriter, Items.Element) throws(Failure) -> Void
  ) throws(Failure) {
    key(name)
    try array(items, write)
  }
}
