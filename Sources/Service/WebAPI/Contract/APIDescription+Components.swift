import StrictJSON
import WebSupport

extension APIDescription {
  func components(to writer: inout JSONWriter) {
    writer.object("securitySchemes") { writer in
      writer.object("bearer") { writer in
        writer.field("type", "http")
        writer.field("scheme", "bearer")
        writer.field("description", "An API key of an organisation: shown once, when it is made.")
      }
      writer.object("jwt") { writer in
        writer.field("type", "http")
        writer.field("scheme", "bearer")
        writer.field("bearerFormat", "JWT")
        writer.field(
          "description",
          "Where the service is set up for an outside issuer: a signed token of it (RS256, PS256, ES256 or EdDSA), of which "
            + "`/v1/identity-bindings` says for whom its subject acts, and with which rights.")
      }
    }
    writer.object("parameters") { parameters(to: &$0) }
    writer.object("headers") { headers(to: &$0) }
    writer.object("responses") { problems(to: &$0) }
    writer.object("schemas") { writer in
      if let schemas = known.root["schemas"] {
        for member in schemas.members {
          writer.key(dynamic: member.name)
          writer.copy(member.value)
        }
      }
      Vocabulary.write(to: &writer)
      writer.object("Problem") { Self.problemSchema(to: &$0) }
    }
  }

  private func parameters(to writer: inout JSONWriter) {
    func add(_ key: StaticString, _ name: String, required: Bool, pattern: String, _ detail: String) {
      writer.object(key) { writer in
        writer.field("name", name)
        writer.field("in", "header")
        writer.field("required", required)
        writer.field("description", detail)
        writer.object("schema") { writer in
          writer.field("type", "string")
          writer.field("minLength", 1)
          writer.field("maxLength", 257)
          writer.field("pattern", pattern)
        }
      }
    }
    add(
      "IdempotencyKey", "Idempotency-Key", required: false, pattern: "^[!-~]+$",
      "Needed unless `validate_only` is true: 1 to 255 visible characters, bare or quoted, kept for 30 days for each "
        + "organisation. The same key with the same request has one effect and one answer, byte for byte; with another "
        + "request it is refused.")
    add(
      "IfMatch", "If-Match", required: false, pattern: #"^(\*|"v[0-9]{1,18}")$"#,
      "The ETag of the object as it was read: where it has changed since, 412 and nothing happens.")
    writer.object("IfNoneMatch") { writer in
      writer.field("name", "If-None-Match")
      writer.field("in", "header")
      writer.field("description", "The ETag of the object as it was read: where it is still so, 304 without a body.")
      // Whatever else it says is no tag of ours, and the object is answered.
      writer.object("schema") { $0.field("type", "string") }
    }
  }

  private func headers(to writer: inout JSONWriter) {
    func add(_ key: StaticString, _ detail: String) {
      writer.object(key) { writer in
        writer.field("description", detail)
        writer.object("schema") { $0.field("type", "string") }
      }
    }
    add("RequestId", "Names this request in logs and in the audit log.")
    add("IdempotencyReplayed", "`true` where the answer is that of an earlier request with the same key.")
    add("Location", "Where the object is from now on.")
  }

  /// One for each status, so that clients see what each means.
  private func problems(to writer: inout JSONWriter) {
    for (status, words) in Self.problemWords {
      writer.key(dynamic: "Problem\(status)")
      writer.object { writer in
        writer.field("description", words)
        guard status != "304" else { return }
        if status == "401" {
          writer.object("headers") { writer in
            writer.object("WWW-Authenticate") { writer in
              writer.field("description", "What is asked for.")
              writer.object("schema") { $0.field("type", "string") }
            }
          }
        }
        if status == "429" || status == "503" {
          writer.object("headers") { writer in
            writer.object("Retry-After") { writer in
              writer.field("description", "Seconds to wait.")
              writer.object("schema") { writer in
                writer.field("type", "integer")
                writer.field("minimum", 0)
              }
            }
          }
        }
        writer.object("content") { writer in
          writer.object("application/problem+json") { writer in
            writer.object("schema") { $0.field("$ref", "#/components/schemas/Problem") }
          }
        }
      }
    }
  }

  static let problemWords = [
    ("304", "As it was."),
    ("400", "Not a request: malformed JSON, or no Idempotency-Key."),
    ("401", "No key, or none that is good."),
    ("403", "The caller's own, but not for this role, person or state of verification."),
    ("404", "There is no such thing, or it is not the caller's: the answer is the same."),
    ("406", "The answer is JSON, and the caller takes none."),
    ("408", "The request took too long to come."),
    ("409", "A valid request that the present state does not allow."),
    ("412", "The object is no longer as If-Match says."),
    ("413", "The body is larger than this route takes."),
    ("414", "The path with its query is too long."),
    ("415", "The body is of a type that this route does not take, or compressed."),
    ("422", "Well-formed, but wrong: `errors` names each member at fault by JSON pointer, each parameter as `?name`."),
    ("429", "Too many requests: see Retry-After."),
    ("431", "The head of the request is too large, or says something twice."),
    ("503", "Not now: nothing was changed, or the same Idempotency-Key will tell what was."),
  ]

  private static func problemSchema(to writer: inout JSONWriter) {
    writer.field("type", "object")
    writer.field("description", "RFC 9457. `code` is stable; `detail` is for people.")
    writer.array("required", ["type", "title", "status", "detail", "code", "errors"]) { $0.string($1) }
    writer.object("properties") { writer in
      for name in ["type", "title", "detail", "code", "request_id"] {
        writer.key(dynamic: name)
        writer.object { $0.field("type", "string") }
      }
      writer.object("status") { writer in
        writer.field("type", "integer")
        writer.field("minimum", 400)
        writer.field("maximum", 599)
      }
      writer.object("errors") { writer in
        writer.field("type", "array")
        writer.object("items") { writer in
          writer.field("type", "object")
          writer.array("required", ["pointer", "code", "detail"]) { $0.string($1) }
          writer.object("properties") { writer in
            for name in ["pointer", "code", "detail"] {
              writer.key(dynamic: name)
              writer.object { $0.field("type", "string") }
            }
          }
        }
      }
    }
  }
}
