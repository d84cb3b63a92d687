# shellcheck shell=bash disable=SC2034,SC2153 # variables are shared with the script that sources this
# The state folder of deploy/run: private database, keys, logs. Made by us, marked by a file, held by one run at a time.
# Sourced after say.sh, process.sh and postgres.sh.

readonly STATE_MARK=made-by-chipbridge-deploy-run

# Sets STATE (the folder) and what lies in it: PRIVATE (what belongs to one database), KEYS, SERVICE_LOG, CLUSTER_HOME.
choose_state() {
  local parent
  STATE=$(readlink -m -- "${CHIPBRIDGE_STATE:-$ROOT/.chipbridge}")
  parent=${STATE%/*}
  (umask 022 && mkdir -p -- "${parent:-/}") || fail "The parent of the state folder cannot be made: $parent" \
    "CHIPBRIDGE_STATE may name a folder elsewhere."
  if ((EUID == 0)) && [[ -z ${DATABASE_URL:-} ]] &&
    ! (cd / && "${AS_SERVER[@]}" test -x "${parent:-/}"); then
    # As root the server runs as the user postgres, who may not pass a closed folder such as /root.
    if [[ -n ${CHIPBRIDGE_STATE:-} ]]; then
      fail "The user postgres, who runs the server when root starts it, cannot enter $parent." \
        "Name a folder elsewhere in CHIPBRIDGE_STATE, or run this command as an ordinary user."
    fi
    say "            $ROOT is closed to the user postgres, who runs the server: the state goes to /var/lib/chipbridge"
    STATE=/var/lib/chipbridge
  fi
  if [[ -e $STATE && ! -d $STATE ]]; then fail "$STATE is not a folder." "CHIPBRIDGE_STATE may name another one."; fi
  if [[ -d $STATE && ! -O $STATE ]]; then
    fail "$STATE belongs to $(stat -c %U -- "$STATE"), not to $(id -un)." \
      "Run this command as $(stat -c %U -- "$STATE"), or name another folder in CHIPBRIDGE_STATE."
  fi
  if [[ -d $STATE && ! -f $STATE/$STATE_MARK ]]; then
    if [[ -n $(ls -A -- "$STATE") ]]; then
      fail "$STATE holds files, and was not made by deploy/run: it is left alone." \
        "Name another folder in CHIPBRIDGE_STATE."
    fi
  fi
  # The server's user must pass through to its own part; nobody else reads anything.
  local mode=0700
  if ((EUID == 0)); then mode=0711; fi
  install -d -m "$mode" -- "$STATE" || fail "The state folder cannot be made: $STATE" \
    "CHIPBRIDGE_STATE may name a folder elsewhere."
  if [[ ! -f $STATE/$STATE_MARK ]]; then
    printf '%s\n' "deploy/run made this folder, and deploy/run --fresh empties it." >"$STATE/$STATE_MARK"
  fi

  CLUSTER_HOME="$STATE/postgres"
  SERVICE_LOG="$STATE/service.log"
  PRIVATE=$STATE
  if [[ -n ${DATABASE_URL:-} ]]; then
    # Keys belong to one database: another address has other keys. The address itself is a secret, so not its text.
    PRIVATE="$STATE/database-$(printf '%s' "$DATABASE_URL" | sha256sum | head -c 12)"
    install -d -m 0700 -- "$PRIVATE"
  fi
  KEYS="$PRIVATE/keys.json"
}

# One run at a time: a lock on the mark, which the kernel lets go however this run ends.
hold_state() {
  exec 9<"$STATE/$STATE_MARK"
  if ! flock -n 9; then
    fail "Another deploy/run is at work in $STATE (process $(cat -- "$STATE/run.pid" 2>/dev/null || printf '?'))." \
      "Stop it with Ctrl-C, or give this one a folder and a port of its own: CHIPBRIDGE_STATE=... deploy/run --port ..."
  fi
  STATE_HELD=yes
  printf '%s\n' "$$" >"$STATE/run.pid"
}

# --fresh: the folder and its mark (which carries the lock) stay, the rest goes.
clear_state() {
  local entry
  local -a entries=()
  if [[ -d $CLUSTER_HOME/data ]]; then
    if cluster_pid "$CLUSTER_HOME" >/dev/null && ! cluster_is_ours "$CLUSTER_HOME"; then
      fail "A PostgreSQL that deploy/run did not start is running in $CLUSTER_HOME/data." "Stop it first."
    fi
    find_cluster_postgres
    cluster_stop "$CLUSTER_HOME" || fail "PostgreSQL in $CLUSTER_HOME/data does not stop."
  fi
  for entry in postgres keys.json story.txt story-played service.log service.log.1 service.pid; do
    if [[ -e $STATE/$entry ]]; then entries+=("$entry"); fi
  done
  if ((${#entries[@]} == 0)); then
    say "            --fresh: nothing to remove in $STATE"
    return 0
  fi
  say "            --fresh: removes from $STATE: ${entries[*]}"
  for entry in "${entries[@]}"; do rm -rf --one-file-system -- "${STATE:?}/$entry"; done
}

# A data folder runs only under the major version that made it.
find_cluster_postgres() {
  local major
  major=$(in_home "$CLUSTER_HOME" cat data/PG_VERSION) || fail "$CLUSTER_HOME/data is no PostgreSQL data folder." \
    "deploy/run --fresh starts over."
  find_postgres "$major" || fail "The data in $CLUSTER_HOME was made by PostgreSQL $major, which is not installed." \
    "Install postgresql-$major, or start over with deploy/run --fresh."
}

# The private server: made on the first start, found again on later ones, also after a crash of anything.
start_private_postgres() {
  local started pid log="$CLUSTER_HOME/server.log"
  started=$(now_us)
  make_home "$CLUSTER_HOME" || fail "The database's folder cannot be made: $CLUSTER_HOME"
  if [[ -d $CLUSTER_HOME/data ]]; then
    find_cluster_postgres
  else
    cluster_create "$CLUSTER_HOME" durable || fail "The data folder could not be made (initdb's words are above)."
    done_line "made a private PostgreSQL in $CLUSTER_HOME" "$started"
    started=$(now_us)
  fi
  if pid=$(cluster_pid "$CLUSTER_HOME"); then
    choose_socket_folder "$CLUSTER_HOME"
    if cluster_is_ours "$CLUSTER_HOME"; then
      CLUSTER_OURS=yes
      say "            PostgreSQL still runs from an earlier run that was cut off (process $pid): taken over"
    else
      say "            PostgreSQL runs already, started by somebody else (process $pid): it stays when this run ends"
    fi
    cluster_sql postgres 'select 1' >/dev/null || fail "That PostgreSQL does not answer. Its log: $log"
  else
    CLUSTER_OURS=yes
    cluster_start "$CLUSTER_HOME" || fail "PostgreSQL did not start. Its log: $log"
    pid=$(cluster_pid "$CLUSTER_HOME") || fail "PostgreSQL ended at once. Its log: $log"
    done_line "started PostgreSQL (process $pid, socket in $SOCKET_FOLDER)" "$started"
  fi
  if [[ $(cluster_sql postgres "select count(*) from pg_database where datname = 'chipbridge'") != 1 ]]; then
    cluster_sql postgres 'create database chipbridge' || fail "The database could not be made. PostgreSQL's log: $log"
  fi
  DATABASE_URL=$(cluster_url chipbridge)
  export DATABASE_URL
  PRIVATE_SERVER=yes
}
