/// What holds for every operation: told once, at the head of the description and of the reference page.
enum APIGuide {
  static let overview = sections.map { "## \($0.title)\n\($0.text)" }.joined(separator: "\n\n")

  static let sections: [(title: String, text: String)] = [
    (
      "Values",
      "JSON in UTF-8 with names in snake_case. Money is `{\"amount\", \"currency\"}`, an integer of minor units and ISO 4217. "
        + "Rates are whole basis points (`*_bps`), chips whole units. Moments are RFC 3339 in UTC (`*_at`), days "
        + "YYYY-MM-DD (`*_on`, `business_date`). Figures of chips are decimals in texts. Ids are a prefix and a UUID: knowing "
        + "one proves no right. Answers may gain members; bodies take no unknown ones."
    ),
    (
      "Keys",
      "`Authorization: Bearer <key>`. A key belongs to an organisation, and carries roles, often a person, for staff duties, and "
        + "scopes where it is confined (`read`, `write`, `loans:read`). What is not the caller's and what is not there answer "
        + "alike, 404."
    ),
    (
      "Two persons",
      "What staff do that moves money or changes compliance is of two persons, who are never the same: "
        + "`/v1/approvals` lists what waits for the second. Some acts make an object that counts for nothing until "
        + "it is approved. Others are held as the request that they are: that answers 202 with an approval of kind "
        + "`held_act`, and nothing is done. Its `facts` are the path, the body and the version that it is bound to. "
        + "`POST /v1/approvals/{id}/approve` does it then, by the rules and on the books of that moment; `result` "
        + "is what the act answers by itself, and a key's `secret` is shown there once. A refusal leaves it "
        + "waiting, and whoever asked for it may reject it too. What stops something, such as suspending or "
        + "revoking, does not wait. A sandbox asks for one person, unless it was started with `--two-persons`: then "
        + "both ways can be tried."
    ),
    (
      "Tokens",
      "Where the service is set up for an outside issuer, a JWT of it is taken in the place of a key, in the same header. It says "
        + "who somebody is; what that person may do says a binding of its `iss` and `sub` (`/v1/identity-bindings`), made and "
        + "revoked under the rules of keys. It needs `kid` in its header, and `iss`, `aud`, `sub`, `iat` and `exp`. Whatever is "
        + "wrong with a key or a token, the answer is the same 401."
    ),
    (
      "Repeating a request",
      "Every POST that changes something needs `Idempotency-Key`. The same key with the same request (method, path, query, "
        + "bytes of the body) has one effect; the answer is repeated byte for byte with `Idempotency-Replayed: true`, for 30 "
        + "days. With another request it is refused. After a 503, or no answer at all, repeat with the same key."
    ),
    (
      "Asking first",
      "`?validate_only=true` on any of them: the same checks and the same answer, nothing changes, no key is "
        + "needed. What would be held for a second person answers as if it were done."
    ),
    (
      "All or none",
      "`POST /v1/batches` does up to 100 commands in one transaction, each on what those before it did: "
        + "`{\"operations\": [{\"path\": \"/v1/lots\", \"body\": {...}}, ...]}`, with one `Idempotency-Key` for the whole. `results` has "
        + "status, location, etag and body of each. Where one is refused none is done: the answer has its status, `results` its "
        + "problem, and the others 424. Each operation counts as a request, needs its own scope, and may have an `if_match`. What shows a secret "
        + "once, takes a file, goes over whole books or changes what everybody's requests are decided by is posted by itself."
    ),
    (
      "Versions",
      "Answers about one object carry its version as `ETag`. `If-None-Match` on a GET answers 304 where nothing changed; "
        + "`If-Match` on a POST answers 412 where something did."
    ),
    (
      "Lists",
      "`{\"data\": [...], \"next_cursor\": ...}`, in order of creation. Give `next_cursor` back as `cursor` until it is null: "
        + "each item is seen once, whatever is added meanwhile. Cursors are signed, and good for their own list."
    ),
    (
      "Expanding",
      "`?expand=lot,lender` on a read or a list adds `expanded`: by id, each object that these name, once, as its own read gives it. "
        + "What the caller, or its key's scopes, could not read there is not in it. One level deep; each operation says which names it "
        + "knows. Such an answer has no `ETag`, since the version of an object does not tell of others."
    ),
    (
      "Refusals",
      "`application/problem+json` (RFC 9457): `code` is stable, `detail` for people, `errors` names each member at fault by "
        + "JSON pointer and each parameter as `?name`, `request_id` is that of our logs. 422 is wrong whenever it is sent, 409 only "
        + "now. A parameter that a route does not know is refused, not passed over."
    ),
    (
      "Limits",
      "`RateLimit-Policy` and `RateLimit` say what the quotas are and what is left; 429 has `Retry-After`. A head is at most 32 KiB, "
        + "a body what its operation says, and a request has a deadline. Bodies come uncompressed."
    ),
    (
      "Events",
      "Every change that concerns the caller, once and in order: asked for (`/v1/events?after=`), streamed "
        + "(`/v1/events/stream`, resumed by `Last-Event-ID`), or sent to a URL (`/v1/webhooks`, signed after Standard Webhooks 1.0, "
        + "retried for days, at least once with a constant `webhook-id`). `sequence` counts the events of one object without gaps."
    ),
    (
      "Change",
      "Under `/v1` things are added and none is taken away or given another meaning."
    ),
  ]
}
