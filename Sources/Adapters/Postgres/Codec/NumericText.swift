/// Decimal text of the binary form of `numeric`: base-10000 digits with a weight, a sign and a display scale.
enum NumericText {
  /// The exact decimal text, with as many fraction digits as the display scale says.
  static func decode(_ bytes: UnsafeRawBufferPointer) throws(PostgresError) -> String {
    guard bytes.count >= 8, bytes.count % 2 == 0 else { throw PostgresError(.decoding, "no numeric") }
    func word(_ index: Int) -> UInt16 {
      UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self))
    }
    let digitCount = Int(word(0))
    let weight = Int(Int16(bitPattern: word(1)))
    let sign = word(2)
    let scale = Int(word(3))
    guard bytes.count == 8 + digitCount * 2, scale <= 0x3fff else {
      throw PostgresError(.decoding, "numeric length does not fit")
    }
    guard sign == 0 || sign == 0x4000 else {
      throw PostgresError(.decoding, "numeric is NaN or infinite")
    }
    for index in 0..<digitCount where word(4 + index) > 9_999 {
      throw PostgresError(.decoding, "numeric digit out of range")
    }
    /// The group that counts units of 10000^exponent; absent groups are zero.
    func group(_ exponent: Int) -> UInt16 {
      let index = weight - exponent
      return index >= 0 && index < digitCount ? word(4 + index) : 0
    }
    func padded(_ value: UInt16) -> String {
      let text = String(value)
      return String(repeating: "0", count: 4 - text.count) + text
    }
    var text = sign == 0x4000 ? "-" : ""
    if weight < 0 {
      text += "0"
    } else {
      text += String(group(weight))
      for exponent in stride(from: weight - 1, through: 0, by: -1) {
        text += padded(group(exponent))
      }
    }
    if scale > 0 {
      var fraction = ""
      var exponent = -1
      while fraction.utf8.count < scale {
        fraction += padded(group(exponent))
        exponent -= 1
      }
      text += "." + fraction.prefix(scale)
    }
    return text
  }
}
