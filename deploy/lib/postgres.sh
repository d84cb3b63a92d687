# shellcheck shell=bash disable=SC2119,SC2120
# A PostgreSQL server of our own in a folder: made, started, found again after a crash, stopped. It answers on a Unix
# socket only, in a folder that nobody but its own user (and root) can enter. Sourced after say.sh and process.sh.
#
# A server's folder ("home") holds data/, socket/ and server.log.

readonly POSTGRES_LEAST=15
# The mark that a server was started by these scripts: it stands in data/postmaster.opts, which every start writes anew.
readonly CLUSTER_MARK='--cluster_name=chipbridge'

POSTGRES_BIN=''
AS_SERVER=() # the prefix that runs a command as the server's user

# find_postgres [MAJOR]: sets POSTGRES_BIN to the folder of a server of at least POSTGRES_LEAST, or of exactly MAJOR.
find_postgres() {
  local folder version
  local -a folders=()
  if [[ -n ${CHIPBRIDGE_POSTGRES_BIN:-} ]]; then
    folders=("$CHIPBRIDGE_POSTGRES_BIN")
  else
    mapfile -t folders < <(printf '%s\n' /usr/lib/postgresql/*/bin | sort -rV)
    if folder=$(pg_config --bindir 2>/dev/null); then folders+=("$folder"); fi
  fi
  for folder in "${folders[@]}"; do
    if [[ ! -x $folder/initdb || ! -x $folder/postgres ]]; then continue; fi
    version=$("$folder/postgres" --version 2>/dev/null | sed -nE 's/.*\) ([0-9]+).*/\1/p') || continue
    if [[ -z $version ]] || ((version < POSTGRES_LEAST)); then continue; fi
    if [[ -n ${1:-} && $version != "$1" ]]; then continue; fi
    POSTGRES_BIN=$folder
    return 0
  done
  return 1
}

require_postgres() {
  if find_postgres; then return 0; fi
  fail "PostgreSQL $POSTGRES_LEAST or newer is needed; no such server was found in /usr/lib/postgresql." \
    "An older Ubuntu gets it from the project's own packages: https://www.postgresql.org/download/linux/ubuntu/" \
    "CHIPBRIDGE_POSTGRES_BIN may name the folder of initdb and postgres."
}

# PostgreSQL refuses to run as root: then it runs as the package's user.
choose_server_user() {
  AS_SERVER=()
  if ((EUID != 0)); then return 0; fi
  if ! id -u postgres >/dev/null 2>&1; then
    fail "PostgreSQL does not run as root, and there is no user 'postgres' to run it as." \
      "Make one (useradd --system postgres), or run this command as an ordinary user."
  fi
  AS_SERVER=(setpriv "--reuid=$(id -u postgres)" "--regid=$(id -g postgres)" --init-groups
    env HOME=/ USER=postgres LOGNAME=postgres)
}

# in_home HOME COMMAND...: as the server's user, in the server's folder: a relative data path needs no quoting in the
# shell that pg_ctl puts in between, and the caller's folder may be closed to that user. The lock is not inherited.
in_home() (
  cd -- "$1" || exit
  shift
  exec env LC_ALL=C.UTF-8 "${AS_SERVER[@]}" "$@" </dev/null 9<&-
)

# The server's process id, when it runs. The number in postmaster.pid alone proves nothing: after a crash it may be
# another process's by now, so the process must also stand in our data folder.
cluster_pid() { # HOME
  local home=$1 pid data
  data=$(readlink -f -- "$home/data") || return 1
  pid=$(in_home "$home" head -n 1 data/postmaster.pid 2>/dev/null) || return 1
  if [[ ! $pid =~ ^[0-9]+$ || ! -d /proc/$pid ]]; then return 1; fi
  if [[ $(in_home "$home" readlink "/proc/$pid/cwd" 2>/dev/null) != "$data" ]]; then return 1; fi
  printf '%s' "$pid"
}

cluster_is_ours() { in_home "$1" grep -qe "$CLUSTER_MARK" data/postmaster.opts 2>/dev/null; } # HOME

# The processes that stand in the data folder: after a killed postmaster its children live on for a moment.
cluster_leftovers() { # HOME
  local data
  data=$(readlink -f -- "$1/data") || return 0
  # shellcheck disable=SC2016
  in_home "$1" sh -c 'for link in /proc/[0-9]*/cwd; do
      if [ "$(readlink "$link" 2>/dev/null)" = "$1" ]; then echo "$link"; fi
    done' sh "$data"
}

# The socket's folder, in SOCKET_FOLDER: HOME/socket, unless that is too long for a socket's address (107 bytes) or has
# characters that a list of hosts cannot carry; then a short private one, remembered in HOME/socket-folder.
choose_socket_folder() { # HOME
  local home=$1
  SOCKET_FOLDER="$home/socket"
  if ((${#SOCKET_FOLDER} <= 85)) && [[ $SOCKET_FOLDER != *[!A-Za-z0-9/._\ +@-]* ]]; then return 0; fi
  SOCKET_FOLDER=$(in_home "$home" cat socket-folder 2>/dev/null) || SOCKET_FOLDER=''
  if [[ -n $SOCKET_FOLDER && -d $SOCKET_FOLDER && ! -L $SOCKET_FOLDER &&
    $(stat -c %u -- "$SOCKET_FOLDER") == "$(stat -c %u -- "$home")" ]]; then return 0; fi
  SOCKET_FOLDER=$(in_home "$home" mktemp -d /tmp/chipbridge-socket.XXXXXX) || return 1
  printf '%s\n' "$SOCKET_FOLDER" | in_home_write "$home" socket-folder
}

# cluster_create HOME durable|throwaway: HOME exists, belongs to the server's user. The data folder gets its name last,
# so a creation that was broken off is no half-made server later on.
cluster_create() {
  local home=$1 kind=$2
  local -a options=(--username=postgres --auth-local=trust --auth-host=reject --encoding=UTF8 --locale=C.UTF-8
    --no-instructions)
  if [[ $kind == durable ]]; then options+=(--data-checksums); else options+=(--no-sync); fi
  in_home "$home" rm -rf --one-file-system data.new &&
    in_home "$home" "$POSTGRES_BIN/initdb" -D data.new "${options[@]}" >"$SCRATCH/initdb.log" 2>&1 &&
    in_home "$home" sh -c "printf '%s\n' 'local all all trust' >data.new/pg_hba.conf &&
      printf '%s\n' \"include_if_exists = 'chipbridge.conf'\" >>data.new/postgresql.conf" &&
    printf '%s\n' "$kind" | in_home_write "$home" data.new/chipbridge.kind &&
    in_home "$home" mv data.new data && return 0
  cat -- "$SCRATCH/initdb.log" >&2
  return 1
}

# Standard input into a file of the server's folder.
in_home_write() { # HOME FILE
  local text
  text=$(cat)
  # shellcheck disable=SC2016
  in_home "$1" sh -c 'printf "%s\n" "$1" >"$2"' sh "$text" "$2"
}

# cluster_start HOME: returns when the server answers. Who may connect: whoever may enter the socket's folder (mode
# 0700), as any role; that is what "peer" would ask, without a map of names.
cluster_start() {
  local home=$1 kind waited stale fsync=on settings=''
  choose_socket_folder "$home" || return 1
  kind=$(in_home "$home" cat data/chipbridge.kind)
  if [[ $kind == throwaway ]]; then
    fsync=off
    settings="max_connections = 300
max_wal_size = '2GB'
autovacuum_naptime = '1h'"
  fi
  for ((waited = 0; waited < 100; waited++)); do
    if [[ -z $(cluster_leftovers "$home") ]]; then break; fi
    sleep 0.2
  done
  if stale=$(in_home "$home" head -n 1 data/postmaster.pid 2>/dev/null) && [[ -d /proc/$stale ]]; then
    # No process stands in this data folder, so the number is another program's now; the server would believe it.
    in_home "$home" rm -f data/postmaster.pid
  fi
  # shellcheck disable=SC2016
  in_home "$home" sh -c 'mkdir -p -m 0700 -- "$1" && chmod 0700 -- "$1" && rm -f -- "$1"/.s.PGSQL.*' \
    sh "$SOCKET_FOLDER" || return 1
  in_home_write "$home" data/chipbridge.conf <<END || return 1
# Written by deploy/run and deploy/test at every start.
listen_addresses = ''
port = 5432
unix_socket_directories = '"$SOCKET_FOLDER"'
unix_socket_permissions = 0700
fsync = $fsync
full_page_writes = $fsync
synchronous_commit = $fsync
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %q%u@%d '
$settings
END
  if ! in_home "$home" "$POSTGRES_BIN/pg_ctl" -D data -l server.log -o "$CLUSTER_MARK" -w -t 600 -s start \
    >"$SCRATCH/pg_ctl.log" 2>&1; then
    cat -- "$SCRATCH/pg_ctl.log" >&2
    in_home "$home" tail -n 20 server.log >&2
    return 1
  fi
}

# cluster_stop HOME: a fast shutdown, with its checkpoint; at once when that takes over a minute (recovery repeats it).
cluster_stop() {
  local home=$1 socket
  if cluster_pid "$home" >/dev/null; then
    in_home "$home" "$POSTGRES_BIN/pg_ctl" -D data -m fast -w -t 60 -s stop >/dev/null 2>&1 ||
      in_home "$home" "$POSTGRES_BIN/pg_ctl" -D data -m immediate -w -t 20 -s stop >&2 || return 1
  fi
  if socket=$(in_home "$home" cat socket-folder 2>/dev/null) && [[ $socket == /tmp/chipbridge-socket.* ]]; then
    in_home "$home" rm -rf --one-file-system -- "$socket" socket-folder
  fi
}

# The address of a database on the server whose socket folder was chosen last.
cluster_url() { # DATABASE
  local text=$SOCKET_FOLDER out='' char i
  for ((i = 0; i < ${#text}; i++)); do
    char=${text:i:1}
    case $char in
      [A-Za-z0-9/._-]) out+=$char ;;
      *) out+=$(printf '%%%02X' "'$char") ;;
    esac
  done
  printf 'postgres://postgres@/%s?host=%s' "$1" "$out"
}

cluster_sql() { # DATABASE SQL
  "$POSTGRES_BIN/psql" -X -q -A -t -v ON_ERROR_STOP=1 -d "$(cluster_url "$1")" -c "$2" </dev/null 9<&-
}

# make_home HOME: the server's folder, owned by the server's user and closed to others.
make_home() {
  install -d -m 0700 -- "$1" || return 1
  if ((EUID == 0)); then chown postgres: -- "$1"; fi
}
