import Foundation
import PostgresHarness
import StrictJSON
import Synchronization

/// The description that the service gives of itself, held against every answer that the tests read: an answer with a member
/// that is not described, without one that is required, or of another type is a fault of one of the two.
final class DescribedAnswers: Sendable {
  static let shared = DescribedAnswers()

  private struct Operation: Sendable {
    let parts: [Substring]
    let answers: [String: JSONNode]
  }

  private struct Description: Sendable {
    let root: JSONNode
    let operations: [String: [Operation]]
  }

  private let known = Mutex<Description?>(nil)
  private static let limits = JSONLimits(maxBytes: 16 << 20, maxMembers: 1_000_000)

  /// - Throws: `HarnessError` with each difference; what the service answers where it cannot be asked for its description.
  func check(_ method: String, _ target: String, _ sent: [UInt8]?, _ answer: Answer, port: Int) throws {
    if let file = Self.record { return try write(method, target, sent, answer, to: file) }
    guard (200..<300).contains(answer.status), target.hasPrefix("/v1/"), target != "/v1/openapi.json",
      answer.headers["content-type"] == "application/json"
    else { return }
    let description = try description(port: port)
    let path = target.prefix { $0 != "?" }
    let parts = path.split(separator: "/")
    guard let operation = description.operations[method]?.first(where: { Self.matches($0.parts, parts) }) else {
      throw HarnessError("\(method) \(path) is not described")
    }
    guard let schema = operation.answers["\(answer.status)"] else {
      throw HarnessError("\(method) \(path): an answer \(answer.status) is not described")
    }
    let body = try JSONDocument(parsing: answer.body, limits: Self.limits).root
    var faults: [String] = []
    compare(body, schema, at: "", in: description.root, &faults)
    guard faults.isEmpty else {
      let words = faults.prefix(12).joined(separator: "; ")
      throw HarnessError("\(method) \(path) \(answer.status) is not as described: \(words)")
    }
  }

  /// Where answers are written down, one JSON a line, instead of compared: what `schema/api/shapes.py` reads.
  private static let record = ProcessInfo.processInfo.environment["CHIPBRIDGE_RECORD_ANSWERS"]

  private func write(_ method: String, _ target: String, _ sent: [UInt8]?, _ answer: Answer, to path: String) throws {
    let line: [String: any Sendable] = [
      "method": method, "target": target, "status": answer.status, "type": answer.headers["content-type"] ?? "",
      "sent": String(decoding: sent ?? [], as: UTF8.self), "body": answer.text,
    ]
    let bytes = try JSONSerialization.data(withJSONObject: line) + [0x0A]
    if !FileManager.default.fileExists(atPath: path) { _ = FileManager.default.createFile(atPath: path, contents: nil) }
    guard let file = FileHandle(forWritingAtPath: path) else { throw HarnessError("cannot write to \(path)") }
    try file.seekToEnd()
    try file.write(contentsOf: bytes)
    try file.close()
  }

  private static func matches(_ template: [Substring], _ parts: [Substring]) -> Bool {
    template.count == parts.count && zip(template, parts).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
  }

  private func description(port: Int) throws -> Description {
    if let known = known.withLock({ $0 }) { return known }
    let answer = try RawHTTP(port: port).exchange(
      Array("GET /v1/openapi.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".utf8))
    guard answer.status == 200 else { throw HarnessError("no description: \(answer.status) \(answer.text)") }
    let root = try JSONDocument(parsing: answer.body, limits: Self.limits).root
    var operations: [String: [Operation]] = [:]
    for path in root["paths"]?.asObject.map(Array.init) ?? [] {
      for operation in path.value.members {
        var answers: [String: JSONNode] = [:]
        for response in operation.value["responses"]?.asObject.map(Array.init) ?? [] {
          answers[response.name] = response.value["content"]?["application/json"]?["schema"]
        }
        operations[operation.name.uppercased(), default: []].append(
          Operation(parts: path.name.split(separator: "/"), answers: answers))
      }
    }
    // A path without a parameter is meant before one that has one there.
    for method in operations.keys {
      operations[method]?.sort { left, right in
        left.parts.count { $0.hasPrefix("{") } < right.parts.count { $0.hasPrefix("{") }
      }
    }
    let description = Description(root: root, operations: operations)
    known.withLock { $0 = description }
    return description
  }

  private func compare(
    _ value: JSONNode, _ schema: JSONNode, at pointer: String, in root: JSONNode, _ faults: inout [String]
  ) {
    if let target = schema["$ref"]?.asString {
      var found: JSONNode? = root
      for part in target.split(separator: "/").dropFirst() { found = found?[String(part)] }
      guard let found else { return faults.append("\(target) is described nowhere") }
      return compare(value, found, at: pointer, in: root, &faults)
    }
    if let choices = schema["anyOf"]?.asArray {
      var least: [String]?
      for choice in choices {
        var own: [String] = []
        compare(value, choice, at: pointer, in: root, &own)
        if own.isEmpty { return }
        if least.map({ own.count < $0.count }) ?? true { least = own }
      }
      return faults.append(contentsOf: least ?? [])
    }
    if let types = schema["type"] {
      let names = types.asString.map { [$0] } ?? types.elements.compactMap(\.asString)
      guard names.contains(Self.type(of: value)) else {
        return faults.append("\(pointer) is \(Self.type(of: value)), described as \(names.joined(separator: " or "))")
      }
    }
    if let words = schema["enum"]?.asArray, let word = value.asString, !words.contains(where: { $0.asString == word }) {
      return faults.append("\(pointer) is \(word), which is none of its words")
    }
    if value.asObject != nil { compareObject(value, schema, at: pointer, in: root, &faults) }
    if let elements = value.asArray {
      guard let items = schema["items"] else {
        if !elements.isEmpty { faults.append("\(pointer) has elements that are not described") }
        return
      }
      for (index, element) in elements.enumerated() {
        compare(element, items, at: "\(pointer)/\(index)", in: root, &faults)
      }
    }
  }

  private func compareObject(
    _ value: JSONNode, _ schema: JSONNode, at pointer: String, in root: JSONNode, _ faults: inout [String]
  ) {
    for name in schema["required"]?.asArray.map(Array.init) ?? [] {
      guard let name = name.asString, value[name] == nil else { continue }
      faults.append("\(pointer)/\(name) is missing")
    }
    for member in value.members {
      if let inner = schema["properties"]?[member.name] {
        compare(member.value, inner, at: "\(pointer)/\(member.name)", in: root, &faults)
      } else if let inner = schema["additionalProperties"], inner.asObject != nil {
        compare(member.value, inner, at: "\(pointer)/\(member.name)", in: root, &faults)
      } else if schema["type"] != nil {
        faults.append("\(pointer)/\(member.name) is not described")
      }
    }
  }

  private static func type(of value: JSONNode) -> String {
    switch value.kind {
    case .null: "null"
    case .boolean: "boolean"
    case .number: value.rawNumber.map { $0.contains { ".eE".contains($0) } ? "number" : "integer" } ?? "number"
    case .string: "string"
    case .array: "array"
    case .object: "object"
    }
  }
}
