# shellcheck shell=bash disable=SC2034,SC2153 # variables are shared with the script that sources this
# The service of deploy/run: start, readiness, story, what to try next, stop. Sourced after state.sh.

readonly STOP_GRACE=30 # seconds for requests under way and the settlement step of a worker
PRIVATE_SERVER=''

port_taken() { (exec 3<>"/dev/tcp/$HOST/$PORT") 2>/dev/null; }

require_free_port() {
  if port_taken; then
    fail "Port $PORT on $HOST is in use by another program." \
      "Choose another one: deploy/run --port $((PORT % 65535 + 1))"
  fi
}

# A run that was killed outright may leave its service behind for a moment (it is told of its parent's death and stops).
stop_left_over_service() {
  local pid identity
  if [[ -f $STATE/service.pid ]] && read -r pid identity <"$STATE/service.pid" &&
    [[ $(process_identity "$pid") == "$identity" ]]; then
    say "            stopping the service of an earlier run that was cut off (process $pid)"
    end_process "$pid" "$STOP_GRACE" || warn "It did not stop within $STOP_GRACE s and was killed."
  fi
  rm -f -- "$STATE/service.pid"
}

# It dies with this script even if that is killed, and hears no Ctrl-C but ours.
start_service() {
  local started ready='' deadline=$((SECONDS + 60))
  started=$(now_us)
  if [[ -f $SERVICE_LOG ]]; then mv -f -- "$SERVICE_LOG" "$SERVICE_LOG.1"; fi
  (umask 077 && : >"$SERVICE_LOG")
  require_free_port
  setsid -- setpriv --pdeathsig TERM -- "$CHIPBRIDGE" serve --host "$HOST" --port "$PORT" --sandbox \
    </dev/null >>"$SERVICE_LOG" 2>&1 9<&- &
  SERVICE=$!
  printf '%s %s\n' "$SERVICE" "$(process_identity "$SERVICE" || true)" >"$STATE/service.pid"
  while ((SECONDS < deadline)); do
    if ! kill -0 "$SERVICE" 2>/dev/null; then break; fi
    if curl -fsS --noproxy '*' -o /dev/null --max-time 2 "$URL/readyz" 2>/dev/null; then ready=yes; break; fi
    sleep 0.1
  done
  if [[ -z $ready ]]; then
    tail -n 20 -- "$SERVICE_LOG" >&2
    if kill -0 "$SERVICE" 2>/dev/null; then fail "The service is not ready after a minute. Its log: $SERVICE_LOG"; fi
    SERVICE=''
    fail "The service ended while it started. Its log: $SERVICE_LOG"
  fi
  done_line "serving on $URL (process $SERVICE, log $SERVICE_LOG)" "$started"
}

stop_service() {
  local started status=0
  started=$(now_us)
  end_process "$SERVICE" "$STOP_GRACE" || warn "The service did not stop within $STOP_GRACE s and was killed."
  wait "$SERVICE" 2>/dev/null || status=$?
  SERVICE=''
  rm -f -- "$STATE/service.pid"
  if ((status == 0)); then
    done_line "stopped the service" "$started"
  else
    warn "The service ended with status $status. Its log: $SERVICE_LOG"
  fi
  return "$status"
}

# On the first start; on a database of somebody else's only when asked for.
tell_story() {
  local started status=0
  if [[ $STORY == no ]]; then return 0; fi
  if [[ -z $PRIVATE_SERVER && $STORY != yes ]]; then return 0; fi
  if [[ -f $PRIVATE/story-played ]]; then
    say "            the story was played on an earlier start: $PRIVATE/story.txt"
    return 0
  fi
  say ''
  started=$(now_us)
  start_aside - "$CHIPBRIDGE" story --url "$URL" --keys "$KEYS" --transcript "$PRIVATE/story.txt"
  await_aside || status=$?
  if ((status != 0)); then
    fail "The story did not play to its end (status $status). The service's log: $SERVICE_LOG" \
      "To start over: deploy/run --fresh. To serve without it: deploy/run --no-story."
  fi
  : >"$PRIVATE/story-played"
  say ''
  done_line "played the story; its text: $PRIVATE/story.txt" "$started"
}

try_next() {
  local keys binary
  printf -v keys '%q' "$KEYS"
  printf -v binary '%q' "$CHIPBRIDGE"
  say ''
  title "Try next, in another terminal"
  cat <<END
  KEY=\$(grep -o '"admin" *: *"[^"]*"' $keys | cut -d'"' -f4)
  curl -sw "\\n" $URL/readyz
  curl -sw "\\n" -H "Authorization: Bearer \$KEY" "$URL/v1/chip-models?limit=3"
  curl -sw "\\n" -H "Authorization: Bearer \$KEY" $URL/v1/loans
  curl -sw "\\n" -H "Authorization: Bearer \$KEY" $URL/v1/ledger/trial-balance
  curl -sw "\\n" -X POST -H "Authorization: Bearer \$KEY" -H "Idempotency-Key: try-1" -H "Content-Type: application/json" \\
    -d '{"legal_name":"Example Labs","jurisdiction":"US","roles":["startup"]}' $URL/v1/organizations
END
  if [[ -n $PRIVATE_SERVER ]]; then
    # Single quotes: the address has characters that a shell reads.
    say "  DATABASE_URL='$DATABASE_URL' $binary verify"
  else
    say "  $binary verify"
  fi
  say ''
  say "The keys file has the keys of every party: $KEYS"
  if [[ -n $PRIVATE_SERVER ]]; then
    say "Ctrl-C stops the service, then PostgreSQL. The data stays; deploy/run --fresh starts over."
  else
    say "Ctrl-C stops the service; your PostgreSQL stays as it is."
  fi
}
