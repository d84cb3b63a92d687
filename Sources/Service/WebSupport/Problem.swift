import HTTPTypes
import Hummingbird
import NIOCore
import Operations
import Primitives
import StrictJSON

/// A problem document (RFC 9457): what every answer of 400 and above carries.
package struct Problem: Error, HTTPResponseError, Sendable {
  package struct Item: Sendable, Hashable {
    package let pointer: String
    package let code: String
    package let detail: String

    package init(pointer: String, code: String, detail: String) {
      self.pointer = pointer
      self.code = code
      self.detail = detail
    }
  }

  package let status: HTTPResponse.Status
  /// Stable and machine-readable.
  package let code: String
  package let detail: String
  package var errors: [Item] = []
  package var headers: [(HTTPField.Name, String)] = []

  package init(_ status: HTTPResponse.Status, _ code: String, _ detail: String) {
    self.status = status
    self.code = code
    self.detail = detail
  }

  /// The document's bytes. The stored answer of a refusal carries no request id: a replay must be byte-equal.
  /// - Parameter besides: members of this problem's own.
  package func body(requestID: String?, besides: ((inout JSONWriter) -> Void)? = nil) -> [UInt8] {
    var writer = JSONWriter(capacity: 256)
    writer.beginObject()
    writer.field("type", "about:blank#\(code)")
    writer.field("title", status.reasonPhrase)
    writer.field("status", Int64(status.code))
    writer.field("detail", detail)
    writer.field("code", code)
    writer.fieldIfPresent("request_id", requestID)
    writer.array("errors", errors) { writer, item in
      writer.beginObject()
      writer.field("pointer", item.pointer)
      writer.field("code", item.code)
      writer.field("detail", item.detail)
      writer.endObject()
    }
    besides?(&writer)
    writer.endObject()
    return writer.bytes
  }

  package func response(requestID: String?) -> Response {
    var fields = HTTPFields()
    fields[.contentType] = "application/problem+json"
    for (name, value) in headers { fields[name] = value }
    return Response(
      status: status, headers: fields, body: ResponseBody(byteBuffer: ByteBuffer(bytes: body(requestID: requestID))))
  }

  package func response(from request: Request, context: some RequestContext) throws -> Response {
    response(requestID: context.id.description)
  }
}

extension Problem {
  /// The one place where kinds of refusal become statuses.
  package init(_ refusal: any Refusal) {
    let status: HTTPResponse.Status =
      switch refusal.kind {
      case .invalid: .unprocessableContent
      case .notFound: .notFound
      case .forbidden: .forbidden
      case .conflict: .conflict
      case .stale: .preconditionFailed
      }
    self.init(status, refusal.code, refusal.detail)
    if let pointer = refusal.pointer {
      errors = [Item(pointer: pointer, code: refusal.code, detail: refusal.detail)]
    }
  }

  /// Faults of a body: not well-formed is 400, too large 413, well-formed but wrong 422.
  package init(_ faults: JSONFaults) {
    let tooLarge = faults.faults.contains { $0.code == JSONFaultCode.tooLarge }
    let status: HTTPResponse.Status =
      tooLarge ? .contentTooLarge : faults.isSyntax ? .badRequest : .unprocessableContent
    let count = faults.faults.count + faults.omitted
    self.init(
      status, faults.isSyntax ? "request.malformed" : "request.invalid",
      count == 1 ? "The body has a fault: \(faults.faults.first?.detail ?? "")" : "The body has \(count) faults.")
    errors = faults.faults.map { Item(pointer: $0.pointer, code: $0.code, detail: $0.detail) }
  }

  package init(_ error: PipelineError) {
    switch error {
    case .busy:
      self.init(.serviceUnavailable, "service.busy", "The service is at its limit; try again shortly.")
      headers = [(.retryAfter, "1")]
    case .unavailable:
      self.init(
        .serviceUnavailable, "service.database_unavailable", "The database does not answer; nothing was changed.")
      headers = [(.retryAfter, "2")]
    case .outcomeUnknown:
      self.init(
        .serviceUnavailable, "service.outcome_unknown",
        "The commit was not answered. Repeat the request with the same Idempotency-Key to learn what became of it.")
      headers = [(.retryAfter, "2")]
    case .keyReused:
      self.init(
        .unprocessableContent, "idempotency.key_reused", "The Idempotency-Key was used for a different request.")
    case .leaseLost, .defect: self.init(.internalServerError, "service.defect", "The service failed on this request.")
    }
  }

  /// Anything a handler threw. What is not known is a defect: its description stays inside.
  package init(any error: any Error) {
    switch error {
    case let problem as Problem: self = problem
    case let refusal as any Refusal: self.init(refusal)
    case let faults as JSONFaults: self.init(faults)
    case let error as PipelineError: self.init(error)
    case let error as HTTPError where error.status == .contentTooLarge:
      self.init(.contentTooLarge, "request.too_large", "The body is larger than the service takes.")
    case let error as HTTPError: self.init(error.status, "request.refused", error.body ?? error.status.reasonPhrase)
    default: self.init(.internalServerError, "service.defect", "The service failed on this request.")
    }
  }
}
