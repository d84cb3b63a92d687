import Foundation
import PostgresHarness
import ServiceHarness
import StrictJSON
import Testing

extension EndToEnd {
  private static let api = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../schema/api")
    .standardized

  @Test("the interface is described whole, only grows, and the loan's path of the reference page leads to its end")
  func describes() async throws {
    try await withDeployment { deployment in
      let service = try deployment.serve()
      let http = RawHTTP(port: service.port)
      let answer = try http.send("GET", "/v1/openapi.json")
      #expect(answer.status == 200 && answer.headers["content-type"] == "application/json")
      let limits = JSONLimits(maxBytes: 16 << 20, maxMembers: 1_000_000)
      let document = try JSONDocument(parsing: answer.body, limits: limits).root
      #expect(document["openapi"]?.asString == "3.1.0")
      try self.isComplete(document)
      let released = try Data(contentsOf: Self.api.appending(path: "released.json"))
      let before = try JSONDocument(parsing: Array(released), limits: limits).root
      expectNone(
        additions(from: before, to: document), "changes that take something away")
      let tag = try #require(answer.headers["etag"])
      #expect(try http.send("GET", "/v1/openapi.json", headers: [("If-None-Match", tag)]).status == 304)
      let page = try http.send("GET", "/docs")
      #expect(page.status == 200 && page.headers["content-type"] == "text/html; charset=utf-8")
      #expect(page.headers["content-security-policy"]?.hasPrefix("default-src 'none'") == true)
      #expect(!page.text.contains("<script") && !page.text.contains("//cdn") && !page.text.contains("http://"))
      try self.walks(deployment, service, page: page.text)
    }
  }

  /// Every operation has words, an answer with a shape, and where it is a POST a body.
  private func isComplete(_ document: JSONNode) throws {
    let paths = try #require(document["paths"]?.asObject)
    var ids: Set<String> = []
    var missing: [String] = []
    for path in paths {
      for operation in path.value.members {
        let id = operation.value["operationId"]?.asString ?? ""
        #expect(ids.insert(id).inserted, "\(id) twice")
        let summary = operation.value["summary"]?.asString ?? ""
        if summary.isEmpty || !summary.hasSuffix(".") { missing.append("\(id): words") }
        let answers = operation.value["responses"]?.asObject.map(Array.init) ?? []
        let good = answers.filter { $0.name.hasPrefix("2") }
        if good.isEmpty { missing.append("\(id): an answer") }
        if path.name.hasPrefix("/v1/"), path.name != "/v1/openapi.json",
          !good.allSatisfy({ $0.value["content"] != nil })
        {
          missing.append("\(id): the shape of its answer")
        }
        if operation.name == "post", operation.value["requestBody"] == nil { missing.append("\(id): its body") }
      }
    }
    #expect(ids.count > 200)
    var vague: [String] = []
    for schema in document["components"]?["schemas"]?.asObject.map(Array.init) ?? [] {
      vague += vagueParts(schema.value, at: schema.name)
    }
    for path in paths {
      for operation in path.value.members {
        for answer in operation.value["responses"]?.asObject.map(Array.init) ?? [] where answer.name.hasPrefix("2") {
          guard let schema = jsonSchema(answer.value) else { continue }
          vague += vagueParts(schema, at: "\(operation.name) \(path.name) \(answer.name)")
        }
      }
    }
    expectNone(missing, "parts of the description")
    expectNone(vague, "parts that are described as nothing but null, or as lists of no kind")
  }

  /// The script as the reference page shows it, run as it stands.
  private func walks(_ deployment: Deployment, _ service: Service, page: String) throws {
    let start = try #require(page.range(of: "#!/usr/bin/env bash"))
    let end = try #require(page.range(of: "</pre>", range: start.lowerBound..<page.endIndex))
    let shown = page[start.lowerBound..<end.lowerBound].replacing("&lt;", with: "<").replacing("&gt;", with: ">")
      .replacing("&quot;", with: "\"").replacing("&amp;", with: "&")
    let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).sh").path
    defer { try? FileManager.default.removeItem(atPath: file) }
    try shown.write(toFile: file, atomically: true, encoding: .utf8)
    let log = file + ".log"
    defer { try? FileManager.default.removeItem(atPath: log) }
    let child = try Child(
      ["/bin/bash", file],
      environment: [
        "BASE": "http://127.0.0.1:\(service.port)", "STAFF": deployment.admin, "SECOND": deployment.checker,
      ], log: log)
    let status = child.wait(seconds: 60)
    if status == nil { child.signal(SIGKILL) }
    #expect(status == 0, "\(child.output)")
    #expect(child.output.hasSuffix("The loan is closed.\n"), "\(child.output)")
    try expectBooksHold(deployment)
  }
}

/// What a client that was written against the one description would miss in the other: paths, methods, parameters, members
/// of answers, and words of bodies that are gone; members of bodies and parameters that are asked for now.
private func additions(from before: JSONNode, to after: JSONNode) -> [String] {
  var gone: [String] = []
  for path in before["paths"]?.asObject.map(Array.init) ?? [] {
    for operation in path.value.members {
      let name = "\(operation.name) \(path.name)"
      guard let now = after["paths"]?[path.name]?[operation.name] else {
        gone.append(name)
        continue
      }
      gone += parameters(operation.value, now).map { "\(name): \($0)" }
      if let body = jsonSchema(operation.value["requestBody"]), let nowBody = jsonSchema(now["requestBody"]) {
        gone += narrowed(body, nowBody, isSent: true, at: "").map { "\(name), body: \($0)" }
      }
      for answer in operation.value["responses"]?.asObject.map(Array.init) ?? [] where answer.name.hasPrefix("2") {
        guard let schema = jsonSchema(answer.value) else { continue }
        guard let nowSchema = jsonSchema(now["responses"]?[answer.name]) else {
          gone.append("\(name): the answer \(answer.name)")
          continue
        }
        gone += narrowed(schema, nowSchema, isSent: false, at: "").map { "\(name), answer \(answer.name): \($0)" }
      }
    }
  }
  for schema in before["components"]?["schemas"]?.asObject.map(Array.init) ?? [] {
    guard let now = after["components"]?["schemas"]?[schema.name] else {
      gone.append("the schema \(schema.name)")
      continue
    }
    gone += narrowed(schema.value, now, isSent: false, at: "").map { "\(schema.name): \($0)" }
  }
  return gone
}

/// Members that no answer has shown yet and that nobody described since: null alone, lists without elements.
private func vagueParts(_ schema: JSONNode, at pointer: String) -> [String] {
  var found: [String] = []
  let types = schema["type"]?.asString.map { [$0] } ?? schema["type"]?.elements.compactMap(\.asString) ?? []
  if types == ["null"] { found.append(pointer) }
  if types.contains("array"), schema["items"] == nil { found.append("\(pointer)/*") }
  if let items = schema["items"] { found += vagueParts(items, at: "\(pointer)/*") }
  for choice in schema["anyOf"]?.asArray.map(Array.init) ?? [] where choice["type"]?.asString != "null" {
    found += vagueParts(choice, at: pointer)
  }
  for member in schema["properties"]?.asObject.map(Array.init) ?? [] {
    found += vagueParts(member.value, at: "\(pointer)/\(member.name)")
  }
  return found
}

private func jsonSchema(_ node: JSONNode?) -> JSONNode? { node?["content"]?["application/json"]?["schema"] }

private func parameters(_ before: JSONNode, _ now: JSONNode) -> [String] {
  func named(_ node: JSONNode) -> [(name: String, isRequired: Bool, schema: JSONNode?)] {
    (node["parameters"]?.asArray.map(Array.init) ?? []).compactMap { parameter in
      parameter["name"]?.asString.map { ($0, parameter["required"]?.asBool == true, parameter["schema"]) }
    }
  }
  let (old, new) = (named(before), named(now))
  var gone = old.filter { known in !new.contains { $0.name == known.name } }.map { "the parameter \($0.name)" }
  for parameter in new
  where parameter.isRequired && !old.contains(where: { $0.name == parameter.name && $0.isRequired }) {
    gone.append("the parameter \(parameter.name) is required now")
  }
  for parameter in old {
    guard let schema = parameter.schema, let now = new.first(where: { $0.name == parameter.name })?.schema else {
      continue
    }
    gone += narrowed(schema, now, isSent: true, at: "").map { "the parameter \(parameter.name): \($0)" }
  }
  return gone
}

/// - Parameter isSent: of what clients send: less may not be taken, and nothing more be required. Otherwise of what they
///   read: nothing may be missing that they relied on.
private func narrowed(_ before: JSONNode, _ now: JSONNode, isSent: Bool, at pointer: String) -> [String] {
  if let target = before["$ref"]?.asString {
    return now["$ref"]?.asString == target ? [] : ["\(pointer) was \(target)"]
  }
  var gone: [String] = []
  for member in before["properties"]?.asObject.map(Array.init) ?? [] {
    guard let inner = now["properties"]?[member.name] else {
      gone.append("\(pointer)/\(member.name)")
      continue
    }
    gone += narrowed(member.value, inner, isSent: isSent, at: "\(pointer)/\(member.name)")
  }
  func names(_ node: JSONNode, _ member: String) -> Set<String> {
    Set(node[member]?.asArray.map { $0.compactMap(\.asString) } ?? [])
  }
  let (required, requiredNow) = (names(before, "required"), names(now, "required"))
  if isSent {
    gone += requiredNow.subtracting(required).sorted().map { "\(pointer)/\($0) is required now" }
    gone += names(before, "enum").subtracting(names(now, "enum")).sorted().map { "\(pointer): the word \($0)" }
    for (bound, isUpper) in [("maximum", true), ("maxLength", true), ("maxItems", true), ("minimum", false)] {
      guard let old = before[bound]?.asInteger else { continue }
      let new = now[bound]?.asInteger ?? old
      if isUpper ? new < old : new > old { gone.append("\(pointer): \(bound) was \(old), is \(new)") }
    }
  } else {
    gone += required.subtracting(requiredNow).sorted().map { "\(pointer)/\($0) was always there" }
  }
  if let items = before["items"] {
    guard let nowItems = now["items"] else { return gone + ["\(pointer): its elements"] }
    gone += narrowed(items, nowItems, isSent: isSent, at: "\(pointer)/*")
  }
  return gone
}
