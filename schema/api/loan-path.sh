#!/usr/bin/env bash
# From a key to a paid-off loan. Needs curl, and of a sandbox of ChipBridge: BASE, its address; STAFF and SECOND, keys of
# two different persons of the platform. A startup and a lender begin at step 3 with keys that the platform gave them.
set -euo pipefail

post() { # KEY PATH [BODY]: every POST that changes something carries a key of its own, so that it can be repeated safely
  answer --header "Authorization: Bearer $1" --header "Content-Type: application/json" \
    --header "Idempotency-Key: $(cat /proc/sys/kernel/random/uuid)" --data "${3:-"{}"}" "$BASE$2"
}
get() { # KEY PATH
  answer --header "Authorization: Bearer $1" "$BASE$2"
}
answer() { # CURL-ARGUMENTS: what was answered; a refusal says what was wrong, and ends the path
  local text
  text=$(curl --silent --show-error --fail-with-body "$@") || { echo "$text" >&2; exit 1; }
  echo "$text"
}
member() { # NAME: its first text in the JSON on standard input
  grep --only-matching --max-count=1 "\"$1\":\"[^\"]*\"" | head --lines=1 | cut --delimiter='"' --fields=4
}
ends() { # KEY PATH: waits until a run or a round has ended well
  for _ in $(seq 60); do
    case $(get "$1" "$2" | member state) in
      succeeded) return ;;
      failed | cancelled) echo "$2 did not succeed" >&2; exit 1 ;;
    esac
    sleep 0.5
  done
  echo "$2 did not end" >&2
  exit 1
}

echo "1. The platform: a business clock, and what a chip is worth, stated by one person and approved by another."
post "$STAFF" /v1/sandbox/clock '{"now":"2023-04-03T09:00:00Z"}' >/dev/null
mark=$(post "$STAFF" "/v1/chip-models/nvidia-a10/marks?second_person=true" '{
  "method": "market_quote", "amount": {"amount": 250000, "currency": "USD"}, "effective_on": "2023-03-01",
  "source": "quote of a dealer"}' | member id)
post "$SECOND" "/v1/valuation-proposals/$mark/approve" >/dev/null

echo "2. The platform: a lender and a startup, verified by a second person, each with a key that is shown once."
enrol() { # NAME ROLE: prints its id and its key
  local id
  id=$(post "$STAFF" /v1/organizations "{
    \"legal_name\": \"$1\", \"jurisdiction\": \"CN\", \"roles\": [\"$2\"],
    \"sites\": [{\"country\": \"CN\", \"region\": \"CN-north\"}]}" | member id)
  post "$SECOND" "/v1/organizations/$id/verify" '{"evidence": "register extract"}' >/dev/null
  echo "$id $(post "$STAFF" /v1/api-keys "{\"organization_id\": \"$id\", \"roles\": [\"$2\"],
    \"person_id\": \"per_${id#org_}\"}" | member secret)"
}
read -r _ LENDER <<<"$(enrol "A lender" lender)"
read -r startup STARTUP <<<"$(enrol "A startup" startup)"

echo "3. The lender: a lot of chips, and the terms on which it lends them."
lot=$(post "$LENDER" /v1/lots '{
  "chip_model_id": "nvidia-a10", "quantity": 64, "site": {"country": "CN", "region": "CN-north"},
  "available_on": "2023-03-01", "multiple_of": 8}' | member id)
post "$LENDER" /v1/listings "{
  \"lot_id\": \"$lot\", \"quantity\": 64, \"ask_rate_bps\": 900, \"min_term_days\": 30, \"max_term_days\": 730,
  \"advance_rate_bps\": 10000}" >/dev/null

echo "4. The startup: asks first what a round would make of its request, then makes it."
request='{
  "workload": "training", "end_use": "a model of our own", "quantity": 64,
  "acceptable": [{"chip_model_id": "nvidia-a10", "max_rate_bps": 1400}], "regions": ["CN-north"], "term_days": 180,
  "start_on": "2023-04-03", "delivery_mode": "physical", "repayment": {"pattern": "round_sweep", "sweep_bps": 5000}}'
post "$STARTUP" "/v1/loan-requests?validate_only=true" "$request" >/dev/null
asked=$(post "$STARTUP" /v1/loan-requests "$request" | member id)

echo "5. The platform clears the market; the startup takes its offer."
round=$(post "$STAFF" /v1/match-rounds | member id)
ends "$STAFF" "/v1/match-rounds/$round"
get "$STARTUP" "/v1/loan-requests/$asked/explanation" >/dev/null
offer=$(get "$STARTUP" "/v1/offers?state=pending" | member id)
loan=$(post "$STARTUP" "/v1/offers/$offer/accept" | member loan_id)

echo "6. The chips come: both sides say so, and the loan is active."
post "$LENDER" "/v1/loans/$loan/deliveries" '{"occurred_on": "2023-04-03"}' >/dev/null
post "$STARTUP" "/v1/loans/$loan/deliveries" '{"occurred_on": "2023-04-03"}' >/dev/null
get "$STARTUP" "/v1/loans/$loan/schedule" >/dev/null

echo "7. A month later the fee of each day has accrued."
post "$STAFF" /v1/sandbox/clock '{"now":"2023-05-03T09:00:00Z"}' >/dev/null
accrual=$(post "$STAFF" /v1/settlement-runs '{"job": "accrual", "business_date": "2023-05-02"}' | member id)
ends "$STAFF" "/v1/settlement-runs/$accrual"

echo "8. The startup closes a round. It sees what the round makes due, the platform verifies the closing."
funding=$(post "$STARTUP" /v1/funding-rounds '{
  "kind": "priced", "name": "Series A", "announced_on": "2023-05-03",
  "pre_money": {"amount": 80000000000, "currency": "USD"}, "post_money": {"amount": 100000000000, "currency": "USD"},
  "closings": [{"closed_on": "2023-05-03", "net_new_cash": {"amount": 20000000000, "currency": "USD"}}]}' | member id)
get "$STARTUP" "/v1/funding-rounds/$funding/sweep-preview" >/dev/null
post "$SECOND" "/v1/funding-rounds/$funding/verify" '{"evidence": "letter of the bank"}' >/dev/null
sweep=$(post "$STAFF" /v1/settlement-runs '{"job": "sweep", "business_date": "2023-05-03"}' | member id)
ends "$STAFF" "/v1/settlement-runs/$sweep"

echo "9. The startup asks what pays the loan off, and pays; the money is divided and the loan is closed."
quote=$(get "$STARTUP" "/v1/loans/$loan/payoff-quote")
total=$(grep --only-matching '"total":{"amount":[0-9]*' <<<"$quote" | grep --only-matching '[0-9]*$')
post "$STAFF" /v1/cash-receipts "{
  \"received_on\": \"2023-05-03\", \"source\": \"round\", \"payer_organization_id\": \"$startup\",
  \"amount\": {\"amount\": $total, \"currency\": \"USD\"}, \"reference\": \"Series A\"}" >/dev/null
echo "The loan is $(get "$STARTUP" "/v1/loans/$loan" | member state)."
