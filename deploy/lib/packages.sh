# shellcheck shell=bash
# What a fresh Debian or Ubuntu lacks: the check for the Swift toolchain, and the packages installed when missing.
# Sourced after say.sh and process.sh.

readonly SWIFT_LEAST=6.2

require_linux() {
  if [[ $(uname -s) != Linux ]]; then fail "These scripts are for Linux (Debian or Ubuntu); this is $(uname -s)."; fi
}

require_swift() {
  local folder version
  if ! command -v swift >/dev/null 2>&1; then
    # Where the usual installers put it, for shells that have not read their profile.
    for folder in "${HOME:-/nonexistent}/.local/share/swiftly/bin" /opt/swift/usr/bin /usr/libexec/swift/bin; do
      if [[ -x $folder/swift ]]; then PATH="$folder:$PATH"; break; fi
    done
  fi
  local -a way=(
    "Swift $SWIFT_LEAST or newer: https://www.swift.org/install/linux (its installer, swiftly, needs no root)."
    "Then open a new shell, so that 'swift --version' answers, and repeat this command.")
  if [[ -n ${SUDO_USER:-} ]]; then
    way+=("sudo resets PATH: a toolchain of $SUDO_USER is found without sudo; this script asks for sudo itself.")
  fi
  if ! command -v swift >/dev/null 2>&1; then fail "There is no Swift toolchain on PATH." "${way[@]}"; fi
  version=$(swift --version 2>/dev/null | sed -nE 's/.*Swift version ([0-9]+(\.[0-9]+)*).*/\1/p') || version=''
  if [[ ! $version =~ ^[0-9.]+$ ]]; then
    fail "'swift --version' does not answer with a version: $(command -v swift)." "${way[@]}"
  fi
  if [[ $(printf '%s\n' "$SWIFT_LEAST" "$version" | sort -V | head -n 1) != "$SWIFT_LEAST" ]]; then
    fail "The Swift toolchain is too old: $version at $(command -v swift)." "${way[@]}"
  fi
}

as_root() {
  if ((EUID == 0)); then "$@"
  elif [[ ${CI:-} == true || ! -t 0 ]]; then sudo -n "$@"
  else sudo "$@"; fi
}

has_libpq() { [[ -e /usr/include/postgresql/libpq-fe.h ]] || pkg-config --exists libpq; }
has_server() { find_postgres; }

# A package of the list below is wanted by name; each has a reason and a check that needs no package database.
package_reason() {
  case $1 in
    pkg-config) say "tells the build where libpq is" ;;
    libpq-dev) say "PostgreSQL's client library, which the service is built on" ;;
    postgresql) say "the server; a private one is started, no system-wide one" ;;
    curl) say "asks the service whether it is ready" ;;
    git) say "the package manager fetches with it" ;;
    wrk) say "the load generator of the bench" ;;
    python3-venv) say "the tests have peer libraries and tools of Python judge the interface" ;;
    hledger) say "plain-text accounting: the tests have it check the books that we export" ;;
  esac
}

package_present() {
  case $1 in
    libpq-dev) has_libpq ;;
    postgresql) has_server ;;
    # A venv is made with pip, which Debian has in a package apart from Python.
    python3-venv) python3 -c 'import ensurepip, venv' ;;
    *) command -v "$1" ;;
  esac >/dev/null 2>&1
}

# install_missing PACKAGE...
install_missing() {
  local package started log="$SCRATCH/apt.log" command
  local -a missing=()
  for package in "$@"; do if ! package_present "$package"; then missing+=("$package"); fi; done
  if ((${#missing[@]} == 0)); then return 0; fi

  say "Missing here, wanted from the system's packages:"
  for package in "${missing[@]}"; do printf '  %-11s %s\n' "$package" "$(package_reason "$package")"; done
  command="apt-get update && apt-get install -y ${missing[*]}"
  if ! command -v apt-get >/dev/null 2>&1; then
    fail "This system has no apt-get; install the packages above by its own means and repeat this command."
  fi
  if ((EUID != 0)); then
    if ! command -v sudo >/dev/null 2>&1; then
      fail "Installing needs root, and there is no sudo here. As root, type:" "$command"
    fi
    if ! as_root true; then fail "Installing needs root, and sudo does not allow it here. As root, type:" "$command"; fi
  fi

  started=$(now_us)
  # Debian's server package would make and start a system-wide server at once: this keeps it from that.
  local quiet_file=/etc/postgresql-common/createcluster.d/chipbridge-no-main-cluster.conf
  local quiet=''
  if [[ " ${missing[*]} " == *" postgresql "* && ! -d /usr/share/postgresql-common ]]; then
    quiet=yes
    as_root install -d /etc/postgresql-common/createcluster.d
    printf 'create_main_cluster = false\n' | as_root tee "$quiet_file" >/dev/null
  fi
  local status=0
  # In the foreground: it is not to be broken off half way, and sudo may have to ask at the terminal.
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=120 update >"$log" 2>&1 9<&- ||
    warn "apt-get update did not succeed; going on with the package lists that are here."
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get -q -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0 install -y --no-install-recommends "${missing[@]}" \
    >>"$log" 2>&1 9<&- || status=$?
  if [[ -n $quiet ]]; then as_root rm -f "$quiet_file"; fi
  if ((status != 0)); then
    tail -n 20 -- "$log" >&2
    fail "Installing did not succeed (its last lines are above). As root, try:" "$command"
  fi
  for package in "${missing[@]}"; do
    if [[ $package != postgresql ]] && ! package_present "$package"; then
      fail "$package is installed, but is still not found."
    fi
  done
  done_line "installed ${missing[*]}" "$started"
}
