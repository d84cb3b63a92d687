import Operations
import Persistence
import WebSupport

// What happened, told in three ways; what waits for a second person.
extension Contract {
  private static let types = QueryParameter(
    "type", .text(1...1_000), "Up to 20 types parted by commas: `noun.verb`, or `noun.*` for all of a noun.")
  private static let subject = QueryParameter("subject", .text(1...200), "Only of the object with this id.")
  private static let after = QueryParameter(
    "after", .integer(0...Int64.max), "The position of the last event that was seen; 0.")

  static let events: [OperationContract] = [
    .get("events", "What happened, in order, every event once.", QueryParameter.page + [after, types, subject]),
    .get("events/{id}", "One event, with what the object was before and after."),
    .get("events/stream", "The same as server-sent events; `Last-Event-ID` resumes.", [after, types, subject]),
    .post("webhooks", "Has events sent to a URL. The secret that signs them is answered once."),
    .get(
      "webhooks", "Webhooks of the caller's organisation.",
      QueryParameter.page + [.words("state", Webhook.State.self, "Only these.")]),
    .get("webhooks/{id}", "One webhook."),
    .post("webhooks/{id}/update", "Other types, another URL or description."),
    .post("webhooks/{id}/pause", "Nothing is sent for now; what happens meanwhile is kept."),
    .post("webhooks/{id}/resume", "What was kept is sent."),
    .post("webhooks/{id}/close", "Nothing is sent any more."),
    .post("webhooks/{id}/ping", "Sends an event that says nothing, to see whether it arrives."),
    .post("webhooks/{id}/rotate-secret", "A new secret, answered once; for an overlap both sign."),
    .post("webhooks/{id}/redeliver", "Sends one event, or all since a moment, again."),
    .get(
      "webhooks/{id}/deliveries", "What was sent, when, and what was answered.",
      QueryParameter.page + [QueryParameter("state", .words(["pending", "delivered", "dead"]), "Only these.")]),
    .post(
      "batches",
      "Up to 100 commands, each as its own POST takes it, in one transaction: all are done, or none. Those whose operation "
        + "says `x-batchable` are taken. A refusal is that of the first one refused; `results` says which and why."),
    .get(
      "approvals", "Acts that wait for a second person, or were decided by one.",
      QueryParameter.page + [
        .words("kind", Approval.Kind.self, "Only of this kind."),
        QueryParameter("state", .words(["pending", "approved", "rejected"]), "Only these; pending."),
      ]),
    .get("approvals/{id}", "One such act: who made it, and what it would do."),
    .post(
      "approvals/{id}/approve", "A second person agrees; it is done. `result` is what an act answers that was held."),
    .post("approvals/{id}/reject", "A second person does not agree, or whoever asked for it takes it back."),
    .post("haircuts", "Proposes what a test of cover takes off the value of a chip, or of a class of chips, at least."),
    .get(
      "haircuts", "What is taken off at least, and for staff what waits.",
      [QueryParameter("on", .date, "Only what holds on this day.")]),
    .get("haircuts/{id}", "One entry."),
    .post("haircuts/{id}/adopt", "A second person puts it in force from its day on."),
    .post("haircuts/{id}/reject", "It is not wanted."),
  ]
}
