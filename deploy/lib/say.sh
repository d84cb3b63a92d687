# shellcheck shell=bash
# What a person sees: one line a step with its seconds, and clear sentences when something is in the way.
# Sourced by deploy/run and deploy/test.

BOLD='' RED='' PLAIN='' LIVE=''
if [[ ${CI:-} == true ]]; then
  exec </dev/null
elif [[ -t 1 ]]; then
  LIVE=yes
  if [[ -z ${NO_COLOR:-} && ${TERM:-dumb} != dumb ]]; then BOLD=$'\e[1m' RED=$'\e[31m' PLAIN=$'\e[0m'; fi
fi

say() { printf '%s\n' "$*"; }
title() { printf '%s%s%s\n' "$BOLD" "$*" "$PLAIN"; }
warn() { printf '%s\n' "$@" >&2; }

# fail SENTENCE...: each argument is a line; the first says what is wrong, the others the way out.
fail() {
  clear_live
  printf '%s%s%s\n' "$RED" "$1" "$PLAIN" >&2
  shift
  if (($#)); then printf '  %s\n' "$@" >&2; fi
  exit 1
}

usage_error() {
  warn "$1" "Try --help."
  exit 2
}

# Microseconds; the radix character of EPOCHREALTIME follows the locale, so only its digits are read.
now_us() { printf '%s' "${EPOCHREALTIME//[!0-9]/}"; }

# seconds_since MICROSECONDS: "12.3 s".
seconds_since() {
  local tenths=$((($(now_us) - $1) / 100000))
  printf '%d.%d s' $((tenths / 10)) $((tenths % 10))
}

done_line() { # LABEL START
  clear_live
  printf '%10s  %s\n' "$(seconds_since "$2")" "$1"
}

# A line that the next one overwrites; only on a terminal.
live() { if [[ -n $LIVE ]]; then printf '\r\e[K            %s' "$*"; fi; }
clear_live() { if [[ -n $LIVE ]]; then printf '\r\e[K'; fi; }
