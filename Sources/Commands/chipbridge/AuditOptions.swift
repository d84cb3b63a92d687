import ArgumentParser
import Foundation
import ServiceAssembly

/// How the audit log is sealed, and where its checkpoints go besides.
struct AuditOptions: ParsableArguments {
  @Option(help: "Seal the audit log at least once in so many seconds (1 to 3600).")
  var auditSeconds = AuditSealing().seconds
  @Option(help: "File with the seed of the Ed25519 key that signs checkpoints: 64 hexadecimal digits.")
  var auditKeyFile: String?
  @Option(help: "File that each checkpoint is added to, as a line of JSON.") var auditCheckpoints: String?

  func validate() throws {
    guard (1...3_600).contains(auditSeconds) else { throw ValidationError("--audit-seconds is 1 to 3600.") }
  }

  /// - Throws: when the key's file cannot be read or is none.
  func apply(to configuration: inout ServiceConfiguration) throws {
    var sealing = AuditSealing()
    sealing.seconds = auditSeconds
    sealing.file = auditCheckpoints
    if let auditKeyFile {
      guard let text = try? String(contentsOfFile: auditKeyFile, encoding: .utf8),
        let seed = AuditSigner.seed(text.trimmingCharacters(in: .whitespacesAndNewlines))
      else { throw Failure("The file of --audit-key-file is not 64 hexadecimal digits.") }
      sealing.seed = seed
    }
    configuration.sealing = sealing
  }
}
