import Primitives

/// Why an act on webhooks is refused. Ordered by precedence.
package enum WebhookRefusal: Refusal, Hashable {
  case closed
  case illegalState(String, act: String)
  case tooMany(Int)
  /// What is wrong with the URL, as a sentence.
  case url(String)

  package var kind: RefusalKind {
    switch self {
    case .closed, .illegalState, .tooMany: .conflict
    case .url: .invalid
    }
  }

  package var code: String {
    switch self {
    case .closed: "webhooks.closed"
    case .illegalState: "webhooks.illegal_state"
    case .tooMany: "webhooks.too_many"
    case .url: "webhooks.url_refused"
    }
  }

  package var detail: String {
    switch self {
    case .closed: "The webhook is closed."
    case .illegalState(let state, let act): "The webhook is \(state); it cannot be \(act)."
    case .tooMany(let most): "An organisation has at most \(most) webhooks."
    case .url(let sentence): "The URL is not taken. \(sentence)"
    }
  }

  package var pointer: String? {
    if case .url = self { return "/url" }
    return nil
  }
}
