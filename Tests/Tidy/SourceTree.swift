import Foundation
import Testing

/// One file of the tree, by its path from the top of the repository.
struct SourceFile {
  let path: String
  let text: String

  /// The file's folders and name.
  var parts: [String] { path.split(separator: "/").map(String.init) }
  var isSwift: Bool { path.hasSuffix(".swift") }

  /// The target of a file below `Sources`: the folder below the layer's.
  var target: String? {
    let parts = parts
    return parts.count > 3 && parts[0] == "Sources" ? parts[2] : nil
  }

  func isIn(_ folder: String) -> Bool { path.hasPrefix(folder + "/") }
}

/// Where a rule is broken, and how.
struct Finding: Equatable, CustomStringConvertible {
  let path: String
  /// 0 for the file as a whole.
  let line: Int
  let what: String

  var description: String { "\(path):\(line): \(what)" }
}

/// The repository that this test was compiled from. A folder that does not exist holds no files.
enum SourceTree {
  /// The nearest folder above this file that holds a package manifest and `Sources`, links resolved.
  static let top: URL? = {
    var folder = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
    while folder.path != "/" {
      let manifest = folder.appending(path: "Package.swift").path
      let sources = folder.appending(path: "Sources").path
      if FileManager.default.fileExists(atPath: manifest), FileManager.default.fileExists(atPath: sources) {
        return folder
      }
      folder.deleteLastPathComponent()
    }
    return nil
  }()

  /// All files below a folder of the top, by path. What is not UTF-8 text (images) is left out, hidden files as well.
  static func files(below folder: String) throws -> [SourceFile] {
    let top = try #require(top, "the repository that this test was compiled from is gone")
    let start = top.appending(path: folder)
    guard FileManager.default.fileExists(atPath: start.path) else { return [] }
    let paths = try FileManager.default.subpathsOfDirectory(atPath: start.path).sorted()
    return paths.compactMap { path in
      guard !path.split(separator: "/").contains(where: { $0.hasPrefix(".") }) else { return nil }
      let url = start.appending(path: path)
      guard (try? url.resourceValues(forKeys: [.isRegularFileKey]))?.isRegularFile == true,
        let text = try? String(contentsOf: url, encoding: .utf8)
      else { return nil }
      return SourceFile(path: "\(folder)/\(path)", text: text)
    }
  }

  /// The names at the top of the repository.
  static func topLevelNames() throws -> [String] {
    let top = try #require(top, "the repository that this test was compiled from is gone")
    return try FileManager.default.contentsOfDirectory(atPath: top.path).sorted()
  }

  /// The lines of a file at the top; none when it does not exist.
  static func lines(ofTopLevelFile name: String) throws -> [String] {
    let top = try #require(top, "the repository that this test was compiled from is gone")
    let text = try? String(contentsOf: top.appending(path: name), encoding: .utf8)
    return (text ?? "").split(separator: "\n").map(String.init)
  }
}
