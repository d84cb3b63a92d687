import Hummingbird
import Operations
import Parties
import Persistence
import StrictJSON

extension Gateway {
  /// Runs an approval together with the act that waited for it: both are done, or neither. The answer is the approval's, with
  /// what the act came to as its `result`; a refusal of either is the answer as it is, and the act goes on waiting.
  /// - Parameters:
  ///   - act: as its own route makes it of the request that was held.
  ///   - body: of the approving request, for its fingerprint.
  package func postApproved(
    _ decision: DecideHeldAct, render: Rendering<HeldAct>, with act: Submission.Part, _ request: Request,
    _ context: ChipBridgeContext, by principal: Principal, body: [UInt8]
  ) async throws -> Response {
    let approval = Submission.Part(decision, by: principal, render: { render.answer($0) })
    return try await postTogether([approval, act], request, context, by: principal, body: body) { gathered in
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
