import Foundation
import Testing

/// The files of `Tests/Fixtures/bank`, and changes to them.
enum BankFixtures {
  static func bytes(_ name: String) throws -> [UInt8] {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Fixtures/bank")
    return [UInt8](try Data(contentsOf: folder.appending(path: name)))
  }

  static func text(_ name: String) throws -> String { String(decoding: try bytes(name), as: UTF8.self) }

  /// The file with the first occurrence of one text replaced by another.
  /// - Throws: when it has no such text, so that a test cannot pass by changing nothing.
  static func changed(_ name: String, _ old: String, _ new: String) throws -> [UInt8] {
    var text = try text(name)
    let range = try #require(text.range(of: old), "\(name) has no \(old)")
    text.replaceSubrange(range, with: new)
    return Array(text.utf8)
  }
}
