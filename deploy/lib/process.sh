# shellcheck shell=bash
# Commands run aside: each in a session of its own, so that a Ctrl-C at the terminal reaches this script alone, which
# then ends what it started in its own order, by process id. Sourced after say.sh.

ASIDE=''      # the process id (and session id) of the command that runs aside
ASIDE_LATE='' # set when await_aside ended a command that ran past its limit

# start_aside LOG COMMAND...: standard output and error to LOG, or to the screen when LOG is "-".
# Descriptor 9 holds deploy/run's lock; no child may keep it, or a killed run would leave its state folder locked.
start_aside() {
  local log=$1
  shift
  if [[ $log == - ]]; then
    setsid -- "$@" </dev/null 9<&- &
  else
    setsid -- "$@" </dev/null >"$log" 2>&1 9<&- &
  fi
  ASIDE=$!
}

# await_aside [LIMIT-SECONDS [LOG]]: waits, showing a build's "[12/345]" from LOG; its exit status.
await_aside() {
  local limit=${1:-0} log=${2:-} pid=$ASIDE started=$SECONDS shown=$SECONDS rounds=0 progress status=0
  ASIDE_LATE=''
  while kill -0 "$pid" 2>/dev/null; do
    if ((rounds++ < 20)); then sleep 0.1; else sleep 1; fi
    if [[ -n $log && -s $log ]] && ((rounds > 20)); then
      progress=$(tail -c 2000 -- "$log" | tr '\r' '\n' | grep -aoE '^\[[0-9]+/[0-9]+\]' | tail -n 1) || progress=''
      if [[ -n $progress ]]; then
        live "$progress $((SECONDS - started)) s"
        if [[ -z $LIVE ]] && ((SECONDS - shown >= 60)); then
          say "            $progress after $((SECONDS - started)) s"
          shown=$SECONDS
        fi
      fi
    fi
    if ((limit > 0 && SECONDS - started >= limit)); then
      ASIDE_LATE=yes
      stop_aside
    fi
  done
  wait "$pid" 2>/dev/null || status=$?
  ASIDE=''
  clear_live
  return "$status"
}

# Every process of a session that start_aside made (a build puts its children into process groups of their own).
session_members() { # SESSION
  local file line
  for file in /proc/[0-9]*/stat; do
    { line=$(<"$file"); } 2>/dev/null || continue
    # "pid (name) state parent group session ...": the name may hold blanks and parentheses.
    # shellcheck disable=SC2086
    set -- "$1" ${line##*) }
    if [[ ${5:-} == "$1" ]]; then file=${file#/proc/}; printf '%s\n' "${file%/stat}"; fi
  done
}

# Ends the command aside with all of its session: asks, waits 5 s, then insists.
stop_aside() {
  local session=$ASIDE signal member members waited
  if [[ -z $session ]]; then return 0; fi
  # A build and a test run pass an interrupt on to their children; the rest of the session is asked after it.
  kill -INT "$session" 2>/dev/null || true
  for signal in TERM KILL; do
    for ((waited = 0; waited < 25; waited++)); do
      members=$(session_members "$session")
      if [[ -z $members ]]; then return 0; fi
      sleep 0.2
      if ((waited == 5)); then for member in $members; do kill -TERM "$member" 2>/dev/null || true; done; fi
    done
    for member in $members; do kill "-$signal" "$member" 2>/dev/null || true; done
  done
}

# step LABEL COMMAND...: quiet on success; on failure the errors and the end of what the command said, and its status.
# STEP_LIMIT (seconds) ends a command that takes longer.
step() {
  local label=$1 log="$SCRATCH/step.log" started status=0
  shift
  started=$(now_us)
  live "$label ..."
  start_aside "$log" "$@"
  await_aside "${STEP_LIMIT:-0}" "$log" || status=$?
  if ((status == 0)); then
    done_line "$label" "$started"
    return 0
  fi
  if [[ -n $ASIDE_LATE ]]; then warn "Ended after ${STEP_LIMIT} s: $label"; fi
  warn "${RED}Failed after $(seconds_since "$started"): $label${PLAIN}"
  if (($(wc -l <"$log") > 60)) && grep -aqE '(^|: )error: ' "$log"; then
    warn "Its errors:"
    grep -aE -A 6 '(^|: )error: ' "$log" | head -n 60 >&2
    warn "The end of its output:"
    tail -n 15 -- "$log" >&2
  else
    tail -n 60 -- "$log" >&2
  fi
  return "$status"
}

# A process that a later run can tell from another one that got the same number: start time and boot.
process_identity() { # PID
  local line
  { line=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
  # shellcheck disable=SC2086
  set -- ${line##*) }
  printf '%s@%s' "${20}" "$(</proc/sys/kernel/random/boot_id)"
}

# end_process PID GRACE-SECONDS: asks with TERM; insists after the grace. 1 when it had to insist.
end_process() {
  local pid=$1 deadline=$((SECONDS + $2))
  kill -TERM "$pid" 2>/dev/null || return 0
  while kill -0 "$pid" 2>/dev/null; do
    if ((SECONDS >= deadline)); then
      kill -KILL "$pid" 2>/dev/null || true
      return 1
    fi
    sleep 0.1
  done
}
