import Crypto
import Foundation
import Logging
import Operations
import Persistence
import Postgres
import Primitives
import StrictJSON
import Synchronization

/// Who signs the audit log's checkpoints: an Ed25519 key.
package struct AuditSigner: Sendable {
  private let key: Curve25519.Signing.PrivateKey

  /// - Parameter seed: 32 bytes that only the operator has. Whoever can write the database but has no seed cannot make up
  ///   checkpoints.
  /// - Returns: nil for another length.
  package init?(seed: [UInt8]) {
    guard let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: seed) else { return nil }
    self.key = key
  }

  /// From the platform's own secret, where no seed is configured: good against those who cannot read that secret, and no
  /// better than the database against those who can.
  package init(platformSecret: [UInt8]) {
    let seed = SHA256Digest(of: Array("audit checkpoints".utf8) + platformSecret).bytes
    guard let signer = AuditSigner(seed: seed) else { preconditionFailure("a digest has 32 bytes") }
    self = signer
  }

  /// A seed or a public key from its digits; nil for anything but 64 of them.
  package static func seed(_ text: String) -> [UInt8]? {
    AuditCheckpoint.unhex(text).flatMap { $0.count == 32 ? $0 : nil }
  }

  package var publicKey: [UInt8] { Array(key.publicKey.rawRepresentation) }

  package func signature(of body: String) throws -> [UInt8] { Array(try key.signature(for: Data(body.utf8))) }
}

/// A signed statement of how far the audit log is sealed.
package struct AuditCheckpoint: Sendable {
  package let number: Int64
  package let body: String
  package let signature: [UInt8]
  package let publicKey: [UInt8]

  /// As it is written outside of the database: one line of JSON.
  package var line: String {
    var writer = JSONWriter()
    writer.beginObject()
    writer.field("body", body)
    writer.field("signature", hexadecimal(signature))
    writer.field("public_key", hexadecimal(publicKey))
    writer.endObject()
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  /// Reads such a line.
  /// - Returns: nil for anything else, and for one whose signature does not hold.
  package init?(line: String) {
    guard let root = try? JSONDocument(parsing: Array(line.utf8)).root, let body = root["body"]?.asString,
      let signature = root["signature"]?.asString.flatMap(Self.unhex),
      let publicKey = root["public_key"]?.asString.flatMap(Self.unhex),
      let number = (try? JSONDocument(parsing: Array(body.utf8)).root["number"]?.asInteger).flatMap({ $0 }),
      let key = try? Curve25519.Signing.PublicKey(rawRepresentation: publicKey),
      key.isValidSignature(signature, for: Data(body.utf8))
    else { return nil }
    self.init(number: number, body: body, signature: signature, publicKey: publicKey)
  }

  init(number: Int64, body: String, signature: [UInt8], publicKey: [UInt8]) {
    self.number = number
    self.body = body
    self.signature = signature
    self.publicKey = publicKey
  }

  /// What speaks against a file of checkpoints that left the database: a signature that does not hold, and a checkpoint
  /// that the database has lost or has otherwise. This alone sees a tail that was cut off with all that told of it.
  /// - Parameters:
  ///   - lines: as `line` writes them.
  ///   - keys: the public keys that may have signed, as they were noted when the service was set up. With none each line is
  ///     taken at its own word, and somebody who writes both the file and the database can make up both.
  package static func faults(
    of lines: [String], signedBy keys: [[UInt8]], pool: PostgresPool, deadline: ContinuousClock.Instant
  ) async throws -> [String] {
    var present: [Int64: String] = [:]
    var last: Int64 = 0
    while true {
      let query = Query(AuditSealSQL.checkpoints, [.int8(last), .int8(1_000)])
      let rows = try await pool.withConnection(deadline: deadline) { try await $0.run(query, deadline: deadline) }
      for row in rows {
        last = try row.int8(0)
        present[last] = try row.text(2)
      }
      if rows.isEmpty { break }
    }
    return lines.enumerated().compactMap { index, line in
      guard let checkpoint = AuditCheckpoint(line: line) else { return "line \(index + 1) is not signed by its key" }
      guard keys.isEmpty || keys.contains(checkpoint.publicKey) else {
        return "line \(index + 1) is signed by another key"
      }
      guard let body = present[checkpoint.number] else { return "checkpoint \(checkpoint.number) is gone" }
      return body == checkpoint.body ? nil : "checkpoint \(checkpoint.number) was another"
    }
  }

  static func unhex(_ text: String) -> [UInt8]? {
    guard text.utf8.count.isMultiple(of: 2) else { return nil }
    let digits = Array(text.utf8)
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let byte = UInt8(String(decoding: digits[index..<index + 2], as: UTF8.self), radix: 16) else { return nil }
      bytes.append(byte)
    }
    return bytes
  }
}

/// Seals at intervals, and hands what was sealed to the log and to a file.
package struct AuditSealing: Sendable, CustomStringConvertible {
  /// At least so often, in seconds, 1 to 3600.
  package var seconds: Int64 = 60
  /// And as soon as this process has written so many entries since.
  package var entries = 10_000
  /// The seed of the Ed25519 key, 32 bytes; derived from the platform's secret when nil.
  package var seed: [UInt8]?
  /// Each checkpoint is added to this file as a line of JSON.
  package var file: String?

  package init() {}

  /// Without the seed.
  package var description: String { "every \(seconds) s or \(entries) entries" }
}

/// Seals what the audit log has gathered. Nothing that writes waits for it.
package struct AuditSealer: Sendable {
  private let pool: PostgresPool
  private let signer: AuditSigner
  private let clock: any WallClock

  package init(pool: PostgresPool, signer: AuditSigner, clock: any WallClock) {
    self.pool = pool
    self.signer = signer
    self.clock = clock
  }

  /// Links every entry whose transaction, and all older ones, have ended.
  /// - Returns: the checkpoint; nil when there is nothing to seal, or another process is at it.
  package func seal(deadline: ContinuousClock.Instant) async throws -> AuditCheckpoint? {
    try await pool.transaction(deadline: deadline) { transaction in
      guard let state = try await transaction.run(Query(AuditSealSQL.begin)).first else { return nil }
      let (from, before) = (try state.int8(0), try state.int8(2))
      let number = try state.int8(1) + 1
      guard before > from else { return nil }
      _ = try await transaction.run(Query(AuditSealSQL.seal, [.int8(from), .int8(before), .int8(number)]))
      guard let sealed = try await transaction.run(Query(AuditSealSQL.rooted, [.int8(number)])).first else {
        return nil
      }
      let last = try await transaction.run(Query(AuditSealSQL.previous, [.int8(number - 1)])).first
      let now = clock.now()
      var writer = JSONWriter()
      writer.beginObject()
      writer.field("number", number)
      writer.field("sealed_at", now.description)
      writer.field("links", try sealed.int8(0))
      writer.field("entries", try sealed.int8(1))
      writer.field("root", hexadecimal(try sealed.bytea(2)))
      writer.field("previous", hexadecimal(try last?.bytea(0) ?? [UInt8](repeating: 0, count: 32)))
      writer.endObject()
      let body = String(decoding: writer.bytes, as: UTF8.self)
      let checkpoint = AuditCheckpoint(
        number: number, body: body, signature: try signer.signature(of: body), publicKey: signer.publicKey)
      _ = try await transaction.pipeline([
        Query(
          AuditSealSQL.checkpoint,
          [
            .int8(number), .timestamptz(now.microseconds), .int8(before), .text(body), .bytea(checkpoint.signature),
            .bytea(checkpoint.publicKey),
          ]), Query(AuditSealSQL.advance, [.int8(before), .int8(number)]),
      ])
      return checkpoint
    }
  }
}

extension AuditSealer {
  /// Seals until cancelled.
  /// - Parameter written: entries that this process has written so far.
  package func run(_ sealing: AuditSealing, written: @Sendable () -> Int, logger: Logger) async {
    var last = (at: ContinuousClock.now, written: written())
    while !Task.isCancelled {
      try? await Task.sleep(for: .seconds(1))
      let (now, count) = (ContinuousClock.now, written())
      guard now - last.at >= .seconds(sealing.seconds) || count - last.written >= sealing.entries else { continue }
      last = (now, count)
      do {
        guard let checkpoint = try await seal(deadline: .now + .seconds(120)) else { continue }
        logger.notice("audit checkpoint", metadata: ["checkpoint": "\(checkpoint.line)"])
        if let file = sealing.file { try Self.append(checkpoint.line + "\n", to: file) }
      } catch is CancellationError {
        return
      } catch {
        logger.error("the audit log was not sealed", metadata: ["error": "\(error)"])
      }
    }
  }

  private static func append(_ line: String, to file: String) throws {
    if !FileManager.default.fileExists(atPath: file) {
      guard FileManager.default.createFile(atPath: file, contents: nil, attributes: [.posixPermissions: 0o600]) else {
        throw CocoaError(.fileWriteUnknown)
      }
    }
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: file))
    defer { try? handle.close() }
    try handle.seekToEnd()
    try handle.write(contentsOf: Data(line.utf8))
    try handle.synchronize()
  }
}
