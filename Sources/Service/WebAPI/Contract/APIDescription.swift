import HTTPTypes
import Hummingbird
import NIOCore
import Primitives
import PublishedAPI
import StrictJSON
import Synchronization
import WebSupport

/// The description of the interface (OpenAPI 3.1), made from the routes themselves: the contract's lines, what each
/// route's own parser asks for, and the shapes of answers in `schema/api/answers.json`, which the tests compare with every
/// answer that they read.
struct APIDescription: Sendable {
  /// A route with its promise and what it was found to take.
  struct Operation: Sendable {
    let contract: OperationContract
    let body: BodyProbe.Finding?
  }

  /// Additive changes raise the second number.
  static let version = "1.0.0"

  let operations: [Operation]
  /// `schemas`, `answers`, `requests`.
  let known: JSONDocument

  /// Kept as a whole: a reader's limit for the document of ours.
  static let limits = JSONLimits(maxBytes: 16 << 20, maxMembers: 1_000_000)

  static func answers() throws -> JSONDocument { try JSONDocument(parsing: PublishedAPI.answers, limits: limits) }

  // MARK: the document

  func document() -> [UInt8] {
    var writer = JSONWriter(capacity: 1 << 20)
    writer.object { writer in
      writer.field("openapi", "3.1.0")
      writer.object("info") { writer in
        writer.field("title", "ChipBridge")
        writer.field("version", Self.version)
        writer.field("summary", "Chips for startups, lent until their next funding round pays for them.")
        writer.field("description", APIGuide.overview)
        writer.object("license") { $0.field("name", "All rights reserved") }
      }
      writer.array("servers", ["/"]) { writer, url in
        writer.object { $0.field("url", url) }
      }
      // Either of them.
      writer.array("security", ["bearer", "jwt"] as [StaticString]) { writer, scheme in
        writer.object { $0.array(scheme, [String]()) { $0.string($1) } }
      }
      writer.array("tags", tags) { writer, tag in
        writer.object { $0.field("name", tag) }
      }
      writer.object("paths") { writer in
        for (path, operations) in byPath {
          writer.key(dynamic: path)
          writer.object { writer in
            for operation in operations { write(operation, to: &writer) }
          }
        }
      }
      writer.object("components") { components(to: &$0) }
    }
    return writer.bytes
  }

  /// In order of first appearance.
  var tags: [String] {
    var seen: Set<String> = []
    return operations.map(\.contract.tag).filter { seen.insert($0).inserted }
  }

  private var byPath: [(String, [Operation])] {
    let groups = Dictionary(grouping: operations, by: \.contract.template)
    return groups.sorted { $0.key < $1.key }
  }

  private func write(_ operation: Operation, to writer: inout JSONWriter) {
    let contract = operation.contract
    writer.key(dynamic: contract.method.rawValue.lowercased())
    writer.object { writer in
      writer.field("operationId", contract.operationID)
      writer.array("tags", [contract.tag]) { $0.string($1) }
      writer.field("summary", contract.summary)
      if operation.body?.combines == true { writer.field("x-batchable", true) }
      if contract.kind == .probe { writer.array("security", [String]()) { $0.string($1) } }
      parameters(of: operation, to: &writer)
      body(of: operation, to: &writer)
      writer.object("responses") { answers(of: operation, to: &$0) }
    }
  }

  private func parameters(of operation: Operation, to writer: inout JSONWriter) {
    let contract = operation.contract
    writer.key("parameters")
    writer.beginArray()
    for name in contract.pathParameters {
      writer.object { writer in
        writer.field("name", name)
        writer.field("in", "path")
        writer.field("required", true)
        writer.object("schema") { writer in
          writer.field("type", "string")
          writer.field("maxLength", 64)
          writer.field("pattern", "^[a-z0-9._-]+$")
        }
      }
    }
    for parameter in contract.query {
      writer.object { writer in
        writer.field("name", parameter.name)
        writer.field("in", "query")
        writer.field("required", parameter.isRequired)
        writer.field("description", parameter.detail)
        writer.object("schema") { parameter.writeSchema(to: &$0) }
      }
    }
    if contract.kind == .command || contract.kind == .upload {
      reference("#/components/parameters/IdempotencyKey", to: &writer)
      reference("#/components/parameters/IfMatch", to: &writer)
    } else if contract.kind == .read {
      reference("#/components/parameters/IfNoneMatch", to: &writer)
    }
    writer.endArray()
  }

  private func body(of operation: Operation, to writer: inout JSONWriter) {
    guard let body = operation.body else { return }
    writer.object("requestBody") { writer in
      let required = body.shape.map { $0.asksForSomething } ?? true
      writer.field("required", required)
      writer.object("content") { writer in
        for type in body.types.isEmpty || body.shape != nil ? ["application/json"] : body.types {
          writer.key(dynamic: type)
          writer.object { writer in
            writer.object("schema") { writer in
              if let shape = body.shape {
                shape.writeSchema(to: &writer)
              } else if type == "application/json" {
                writer.field("type", "object")
              } else {
                writer.field("type", "string")
              }
            }
            if body.shape != nil, let example = known.root["requests"]?[operation.contract.operationID] {
              writer.key("example")
              writer.copy(example)
            }
          }
        }
      }
      writer.field("description", "At most \(body.mostBytes) bytes, uncompressed, in UTF-8.")
    }
  }

  private func answers(of operation: Operation, to writer: inout JSONWriter) {
    let contract = operation.contract
    let kept = answers(of: contract)
    if kept.isEmpty { bareAnswer(of: operation, to: &writer) }
    let byStatus = Dictionary(grouping: kept) { $0["status"]?.asString ?? "" }
    if operation.body?.asksSecondPerson == true, byStatus["202"] == nil { heldAnswer(to: &writer) }
    for (status, answers) in byStatus.sorted(by: { $0.key < $1.key }) {
      writer.key(dynamic: status)
      writer.object { writer in
        writer.field("description", Self.words(for: status))
        headers(of: contract, status, to: &writer)
        writer.object("content") { writer in
          // One for each media type.
          for answer in answers {
            guard let type = answer["type"]?.asString, let schema = answer["schema"] else { continue }
            writer.key(dynamic: type)
            writer.object { writer in
              writer.key("schema")
              writer.copy(schema)
            }
          }
        }
      }
    }
    for status in Self.refusals(of: contract) {
      writer.key(dynamic: status)
      writer.object { $0.field("$ref", "#/components/responses/Problem\(status)") }
    }
  }

  /// Where the deployment asks for a second person: the approval that the request waits for.
  private func heldAnswer(to writer: inout JSONWriter) {
    writer.object("202") { writer in
      writer.field("description", Self.words(for: "202"))
      writer.object("headers") { writer in
        writer.object("Location") { $0.field("$ref", "#/components/headers/Location") }
      }
      writer.object("content") { writer in
        writer.object("application/json") { writer in
          writer.object("schema") { $0.field("$ref", "#/components/schemas/Approval") }
        }
      }
    }
  }

  /// What was kept of a route's answers.
  func answers(of contract: OperationContract) -> [JSONNode] {
    known.root["answers"]?[contract.operationID].map { Array($0.elements) } ?? []
  }

  /// Where no answer of the route was kept: what its own code says, without a shape.
  private func bareAnswer(of operation: Operation, to writer: inout JSONWriter) {
    let status = "\(operation.body?.status ?? 200)"
    writer.key(dynamic: status)
    writer.object { writer in
      writer.field("description", Self.words(for: status))
      headers(of: operation.contract, status, to: &writer)
    }
  }

  private func headers(of contract: OperationContract, _ status: String, to writer: inout JSONWriter) {
    writer.object("headers") { writer in
      writer.object("X-Request-Id") { $0.field("$ref", "#/components/headers/RequestId") }
      if contract.kind == .command || contract.kind == .upload {
        writer.object("Idempotency-Replayed") { $0.field("$ref", "#/components/headers/IdempotencyReplayed") }
      }
      if status == "201" { writer.object("Location") { $0.field("$ref", "#/components/headers/Location") } }
    }
  }

  private func reference(_ target: String, to writer: inout JSONWriter) {
    writer.object { $0.field("$ref", target) }
  }

  static func words(for status: String) -> String {
    switch status {
    case "201": "Created."
    case "202": "Taken on: poll what Location names, or wait for a second person."
    default: "Done."
    }
  }

  static func refusals(of contract: OperationContract) -> [String] {
    switch contract.kind {
    case .probe: ["503"]
    case .read: ["304", "400", "401", "403", "404", "406", "409", "414", "422", "429", "431", "503"]
    case .calculation:
      ["400", "401", "403", "404", "406", "408", "409", "413", "414", "415", "422", "429", "431", "503"]
    case .command, .upload:
      ["400", "401", "403", "404", "406", "408", "409", "412", "413", "414", "415", "422", "429", "431", "503"]
    }
  }
}

extension BodyShape {
  /// Whether nothing at all is no body.
  var asksForSomething: Bool {
    if case .object(let members) = self { return members.contains(where: \.isRequired) }
    return true
  }
}
