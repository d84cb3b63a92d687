# shellcheck shell=bash disable=SC2034,SC2153 # variables are shared with the script that sources this
# Throw-away PostgreSQL servers of a test run, in /tmp: short paths for sockets, and the server's user can always enter.
# Sourced after postgres.sh.

THROWAWAYS=()

# start_throwaway throwaway|durable: sets THROWAWAY_URL, a superuser's address of the database postgres.
start_throwaway() {
  local folder started
  started=$(now_us)
  folder=$(mktemp -d /tmp/chipbridge-test.XXXXXX) || return 1
  printf '%s %s\n' "$$" "$(process_identity "$$")" >"$folder/runner"
  chmod 0711 -- "$folder"
  THROWAWAYS+=("$folder")
  make_home "$folder/postgres" && cluster_create "$folder/postgres" "$1" && cluster_start "$folder/postgres" || return 1
  THROWAWAY_URL=$(cluster_url postgres)
  done_line "started a throw-away PostgreSQL ($1, process $(cluster_pid "$folder/postgres"), $folder)" "$started"
}

drop_throwaways() {
  local folder status=0
  for folder in "${THROWAWAYS[@]}"; do drop_throwaway "$folder" || status=1; done
  THROWAWAYS=()
  return "$status"
}

drop_throwaway() { # FOLDER
  if [[ -d $1/postgres/data ]] && ! cluster_stop "$1/postgres"; then
    warn "The PostgreSQL in $1 did not stop."
    return 1
  fi
  rm -rf --one-file-system -- "$1"
}

# What a run that was killed outright left behind: only folders of this user whose runner is gone.
sweep_throwaways() {
  local folder pid identity
  for folder in /tmp/chipbridge-test.*; do
    if [[ ! -d $folder || -L $folder || ! -O $folder || ! -f $folder/runner ]]; then continue; fi
    if ! read -r pid identity <"$folder/runner"; then continue; fi
    if [[ $(process_identity "$pid") == "$identity" ]]; then continue; fi
    say "            removing the PostgreSQL that a killed test run left in $folder"
    drop_throwaway "$folder" || true
  done
}
