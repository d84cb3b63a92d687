/// Why a token is refused. For tests and counters only: whoever presents one is told nothing but that it is not valid.
package enum TokenFault: String, Error, Sendable, Hashable, CaseIterable {
  /// Longer than 8 KiB, not of three parts, or a part that is not canonical base64url.
  case shape
  /// Header or claims that are not one strict JSON object.
  case json
  /// A header that names no algorithm of the list, no usable key id, another type, or brings a key or an extension of
  /// its own.
  case header
  /// No key of the issuer has this id, or the key is for another algorithm.
  case key
  case signature
  /// Another issuer or audience.
  case party
  /// A moment that is missing, no plain integer, past, not yet, or a life that is too long.
  case time
  case subject
}
