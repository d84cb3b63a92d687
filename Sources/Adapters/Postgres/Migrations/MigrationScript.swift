import CLibPQ

/// The one kind of SQL text that comes from outside of the source: a migration file that the binary carries.
///
/// Its own type, so that no other text can take its way to the server.
package struct MigrationScript: Sendable, Hashable {
  /// The file's name with its zero-padded number, as `0001_parties.sql`. Names are applied in this order.
  package let name: String
  /// The statements, separated by semicolons, without begin and commit.
  package let text: String

  /// A script of a file's bytes.
  ///
  /// - Throws: `.migration` if the name does not begin with four digits and an underscore, or the text is not UTF-8 or
  ///   holds NUL.
  package init(name: String, bytes: some Sequence<UInt8>) throws(PostgresError) {
    let head = name.utf8.prefix(5)
    let isNumbered =
      head.count == 5 && head.dropLast().allSatisfy { (48...57).contains($0) } && head.last == UInt8(ascii: "_")
    guard isNumbered, !name.utf8.contains(0) else {
      throw PostgresError(.migration, "a migration's name begins with four digits and an underscore: \(name)")
    }
    guard let text = String(validating: bytes, as: UTF8.self), !text.utf8.contains(0) else {
      throw PostgresError(.migration, "\(name) is not UTF-8 text")
    }
    self.name = name
    self.text = text
  }
}

extension PostgresConnection {
  /// Runs a script by the simple protocol. Outside of a block its statements are one implicit transaction.
  package func run(script: MigrationScript, deadline: ContinuousClock.Instant) async throws {
    _ = try await plain(script.text, deadline: deadline)
  }

  /// Runs a script inside the open block; false if the script has ended the block.
  func runInBlock(_ script: MigrationScript, deadline: ContinuousClock.Instant) async throws -> Bool {
    try await plain(script.text, deadline: deadline) == PQTRANS_INTRANS
  }
}
