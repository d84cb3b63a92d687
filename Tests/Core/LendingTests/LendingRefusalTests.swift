import Lending
import Primitives
import Testing

private typealias F = LendingFixtures

@Suite("Refusals of lending")
struct LendingRefusalTests {
  /// One of each case, with its kind, code, a part of its sentence, and its pointer.
  static func refusals() throws -> [(LendingRefusal, RefusalKind, String, String, String?)] {
    let (day, later, time) = (try F.day("2026-02-01"), try F.day("2026-03-01"), Instant.epoch)
    return [
      (
        .illegalState(object: "loan", state: "closed", act: "pay"), .conflict, "illegal_state",
        "The loan is closed; pay is not possible.", nil
      ),
      (.unknownChipModel("h999", pointer: "/acceptable/0"), .invalid, "unknown_chip_model", "h999", "/acceptable/0"),
      (.quantityNotPositive, .invalid, "quantity_not_positive", "at least 1", "/quantity"),
      (
        .insufficientChips(lot: F.lotID, state: "available", wanted: 9, present: 8), .conflict, "insufficient_chips",
        "9 units are wanted, 8 are available", "/quantity"
      ),
      (
        .beyondReservePlan(wanted: 9, lendable: 8), .conflict, "beyond_reserve_plan", "leaves 8 units to lend; 9",
        "/quantity"
      ),
      (
        .belowLeastPiece(7, least: 8), .conflict, "below_least_piece", "7 units are fewer than the least piece of 8",
        nil
      ),
      (.notInBoards(9, multipleOf: 8), .invalid, "not_in_boards", "9 is not a multiple of 8", "/quantity"),
      (.moreThanWanted(9, remaining: 8), .conflict, "more_than_wanted", "9 units are offered, 8 are still wanted", nil),
      (.offersPending(8), .conflict, "offers_pending", "8 units are in pending offers", nil),
      (.offerLapsed(time), .conflict, "offer_lapsed", "expired at 1970-01-01T00:00:00Z", nil),
      (.offerNotExpired(time), .conflict, "offer_not_expired", "expires at 1970-01-01T00:00:00Z", nil),
      (
        .exportVerdict(effect: "hold_licence", rules: ["a", "b"], act: "hand-over"), .conflict, "export_verdict",
        "for the hand-over is hold_licence, by a, b", nil
      ),
      (.noMark(try F.chip()), .conflict, "no_mark", "nvidia-a800-sxm4-80", nil),
      (.staleOrder("listing"), .conflict, "stale_order", "The listing changed", nil),
      (.termsDisagree(pointer: "/x", detail: "No."), .invalid, "terms_disagree", "No.", "/x"),
      (.wholeQuantityOnly(512), .conflict, "whole_quantity_only", "512 units are delivered together", "/quantity"),
      (.moreThanOut(9, out: 8), .conflict, "more_than_out", "9 units are to be returned, 8 are out", "/quantity"),
      (
        .dateOutOfOrder(given: day, earliest: later), .invalid, "date_out_of_order",
        "2026-02-01 is before 2026-03-01", "/occurred_on"
      ),
      (
        .futureDate(given: later, today: day), .invalid, "future_date", "2026-03-01 is after today, 2026-02-01",
        "/occurred_on"
      ),
      (.conditionRequired, .invalid, "condition_required", "good or damaged", "/condition"),
      (.loan(.recallNotContracted), .conflict, "recall_not_contracted", "no right of recall", nil),
      (.overflow, .invalid, "overflow", "too large", nil),
    ]
  }

  @Test("each refusal has its kind, its stable code, a sentence with the facts, and a pointer")
  func refusals() throws {
    for (refusal, kind, code, part, pointer) in try Self.refusals() {
      #expect(refusal.kind == kind, "\(refusal)")
      let module = if case .loan = refusal { "loan" } else { "lending" }
      #expect(refusal.code == "\(module).\(code)")
      #expect(refusal.detail.contains(part), "\(refusal.detail)")
      #expect(refusal.pointer == pointer, "\(refusal)")
    }
  }

  @Test("no two refusals share a code")
  func distinctCodes() throws {
    let codes = try Self.refusals().map(\.0.code)
    #expect(codes.count == 22)
    #expect(Set(codes).count == codes.count)
  }
}
