import Parties
import Postgres
import Primitives
import StrictJSON

/// Why an order was left over by the last round that saw it: from the round's record.
package struct RoundReasons: Sendable {
  package struct Reason: Sendable {
    package let constraint: String
    package let effect: String?
    package let candidates: Int64
  }

  package let roundID: MatchRoundID
  package let reasons: [Reason]

  private static let latest = Statement(
    "read_leftover_reasons",
    """
    select r.id, l.leftover -> 'reasons' from match_rounds r
    cross join lateral jsonb_array_elements(r.result -> 'leftovers') as l (leftover)
    where r.state = 'succeeded' and l.leftover ->> 'order' = $1
    order by r.created_at desc limit 1
    """,
    parameters: [.text], columns: [.uuid, .jsonb])

  package static var statements: [Statement] { [latest] }

  /// - Parameter order: the id of a request or listing that the caller was allowed to see.
  package static func latest(of order: String, reader: Reader) async throws -> RoundReasons? {
    // The record of a round names every order; the platform reads it and hands on this one's part.
    guard let row = try await reader.run([Query(latest, [.text(order)])], as: .automation)[0].first else { return nil }
    let document = try JSONDocument(parsing: row.jsonb(1), limits: .stored)
    return RoundReasons(
      roundID: MatchRoundID(try row.uuid(0).value),
      reasons: document.root.elements.map { node in
        Reason(
          constraint: node["constraint"]?.asString ?? "", effect: node["effect"]?.asString,
          candidates: node["candidates"]?.asInteger ?? 0)
      })
  }
}
