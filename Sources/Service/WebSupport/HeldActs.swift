import Hummingbird
import Operations
import Parties
import Persistence
import Primitives
import StrictJSON

extension Gateway {
  /// Runs an approval together with the act that waited for it: both are done, or neither. The answer is the approval's, with
  /// what the act came to as its `result`; a refusal of either is the answer as it is, and the act goes on waiting.
  /// - Parameters:
  ///   - act: as its own route makes it of the request that was held.
  ///   - shownOnce: what the act shows once, such as the secret of a key; whoever approves it is shown it.
  ///   - body: of the approving request, for its fingerprint, in which the person is too.
  package func postApproved(
    _ decision: DecideHeldAct, render: Rendering<HeldAct>, with act: Submission.Part,
    shownOnce: (name: StaticString, value: String)?, _ request: Request, _ context: ChipBridgeContext,
    by principal: Principal, body: [UInt8]
  ) async throws -> Response {
    let approval = Submission.Part(decision, by: principal, render: { render.answer($0) })
    // Keys are the staff's together; that the maker was refused with one must not be what the checker is told.
    let signed = body + Array((principal.personID?.description ?? "").utf8)
    return try await postTogether(
      [approval, act], request, context, by: principal, body: signed, shownOnce: shownOnce
    ) { gathered in
      switch gathered {
      case .refused(_, let answer): return answer
      case .done(let answers):
        let result = answers[1]
        let whole = Self.adding(
          { writer in
            writer.key("result")
            Self.write(result, to: &writer)
          }, to: answers[0].body)
        return StoredAnswer(status: answers[0].status, headers: answers[0].headers, body: whole)
      }
    }
  }
}
