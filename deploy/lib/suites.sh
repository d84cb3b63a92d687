# shellcheck shell=bash
# The checks and suites of deploy/test, and how their outcome is counted. Sourced after throwaway.sh.

readonly SECONDS_A_BENCH=600

# How Swift Testing names a test in a line: "a display name" or function(label:). The runner's own lines name none.
readonly NAMED='Test ("|[^ "]+\()'

check_scripts() {
  # shellcheck disable=SC2016
  step "checked the syntax of the scripts" bash -c '
    for script; do bash -n "$script" || exit 1; done
    if command -v shellcheck >/dev/null; then shellcheck -x "$@"; fi' \
    bash deploy/run deploy/test deploy/lib/*.sh .ci/run
}

# All suites in one run of the one build.
run_suites() {
  start_throwaway throwaway || fail "The throw-away PostgreSQL did not start (its words are above)."
  export CHIPBRIDGE_TEST_DATABASE_URL=$THROWAWAY_URL CHIPBRIDGE_TEST_POSTGRES_BIN=$POSTGRES_BIN
  if [[ -n $LONG ]]; then export CHIPBRIDGE_LONG=1; fi
  run_tests "$ROOT/.build/chipbridge-test.log" "${FILTERS[@]}"
}

# One run of the tests. Shown: failures, skips, ends of suites; the rest is in the log.
run_tests() { # LOG ARGUMENT...
  local log=$1 follower status=0 before=$FAILED
  shift
  say ''
  : >"$log"
  # One after the other: many tests break servers and wait for what happens within seconds, and two cores are soon busy.
  # Line by line, or the lines of a run that hangs or crashes would be lost in its buffer.
  start_aside "$log" stdbuf -oL swift test --skip-build --disable-xctest --no-parallel "$@"
  { tail -n +1 -s 0.3 --pid="$ASIDE" -f -- "$log" |
    LC_ALL=C grep -a --line-buffered -vE "^(◇ |↳ T(esting Library|arget Platform)|✔ $NAMED|\[0/1\] Planning)"; } &
  follower=$!
  await_aside $((MINUTES * 60)) || status=$?
  wait "$follower" 2>/dev/null || true
  say ''
  if [[ -n $ASIDE_LATE ]]; then warn "The tests were ended after $MINUTES minute(s)."; fi
  count_outcome "$log" "$status"
  slowest "$log"
  if ((FAILED > before)); then
    say "Failed (the whole output is in $log):"
    LC_ALL=C sed -nE "s/^.*✘ ($NAMED.*) failed after [0-9.]+ seconds( with [^\"]*)?\.\$/  \1/p" "$log"
  fi
}

# Adds to PASSED, FAILED and SKIPPED. The runner's status and its closing line decide; the lines of the tests only tell
# how many. A runner that crashed closes with no such line: that is a failure more, whatever passed before.
count_outcome() { # LOG STATUS
  local log=$1 status=$2 line total=0 closings=0 bad=0 failed skipped passed
  while IFS= read -r line; do
    [[ $line =~ Test\ run\ with\ ([0-9]+)\ tests? ]] || continue
    total=$((total + BASH_REMATCH[1])) closings=$((closings + 1))
    if [[ $line != *' passed after '* ]]; then bad=yes; fi
  done < <(LC_ALL=C grep -aE \
    '(✔|✘|━) Test run with [0-9]+ tests?( in [0-9]+ suites?)? (passed|failed) after ' "$log" || true)
  failed=$(lines "✘ $NAMED.* failed after [0-9.]+ seconds( with [^\"]*)?\.\$" "$log")
  skipped=$(lines "➜ $NAMED.* skipped(\.|: )" "$log")
  if ((closings == 0)); then
    passed=$(lines "(✔|━) $NAMED.* passed after [0-9.]+ seconds" "$log")
    failed=$((failed + 1))
    warn "The test runner ended without its closing line (status $status): it crashed, was ended, or never began."
    under_way "$log"
  else
    if [[ $bad == yes || $status != 0 ]] && ((failed == 0)); then
      warn "The test runner failed (status $status) without naming a test."
      failed=1
    fi
    if ((total == 0 && failed == 0)); then
      warn "No test ran${FILTERS[*]:+: none matches ${FILTERS[*]}}."
      failed=1
    fi
    passed=$((total > failed + skipped ? total - failed - skipped : 0))
  fi
  PASSED=$((PASSED + passed)) FAILED=$((FAILED + failed)) SKIPPED=$((SKIPPED + skipped))
}

lines() { LC_ALL=C grep -acE -e "$1" -- "$2" || true; } # PATTERN FILE

# The tests that had started and not ended: where a crash or a hang was.
under_way() { # LOG
  warn "Tests under way at that moment:"
  LC_ALL=C awk '
    /◇ Test (".*"|[^ "]+\(.*\)) started\.$/ { sub(/^.*◇ Test /, ""); sub(/ started\.$/, ""); open[$0] = 1; next }
    /(✔|✘|━) Test .* (passed|failed) after [0-9.]+ seconds/ {
      sub(/^.*(✔|✘|━) Test /, ""); sub(/( with [0-9]+ test cases?)? (passed|failed) after [0-9.]+ seconds.*$/, "")
      delete open[$0]
    }
    END { for (name in open) print "  " name }' "$1" | sort | head -n 40 >&2
}

slowest() { # LOG
  local list
  list=$(LC_ALL=C sed -nE "s/^.*(✔|✘|━) ($NAMED.*) (passed|failed) after ([0-9.]+) seconds.*\$/\5 \2/p" "$1" |
    sort -rn | awk '$1 >= 1 { printf "%8.1f s  %s\n", $1, substr($0, index($0, " Test ") + 6) }' | head -n 8) || list=''
  if [[ -n $list ]]; then printf 'The slowest tests:\n%s\n' "$list"; fi
}

# What only means something for a program as it is deployed: the whole number of slow clients, and the bench.
run_optimised() {
  local product bin
  if ((${#FILTERS[@]} > 0)); then
    say "            no optimised build, its tests and no bench: a filter was given"
    return 0
  fi
  for product in chipbridge chipbridge-bench; do
    if ! step "built $product (release)" swift build -c release --product "$product"; then
      FAILED=$((FAILED + 1))
      return 0
    fi
  done
  bin=$(swift build -c release --show-bin-path </dev/null)
  CHIPBRIDGE_BIN="$bin/chipbridge" run_tests "$ROOT/.build/chipbridge-test-optimised.log" --filter SlowClientTests
  run_bench "$bin"
}

# The bench compares with pgbench on a durable server of its own; it prints its settings and ratios itself.
run_bench() { # FOLDER
  local status=0
  if ! start_throwaway durable; then
    FAILED=$((FAILED + 1))
    warn "The durable PostgreSQL of the bench did not start (its words are above)."
    return 0
  fi
  say ''
  start_aside - env DATABASE_URL="$THROWAWAY_URL" PATH="$PATH:$POSTGRES_BIN" "$1/chipbridge-bench" http --quick
  await_aside "$SECONDS_A_BENCH" || status=$?
  say ''
  if ((status != 0)); then
    warn "The bench failed (status $status${ASIDE_LATE:+, ended after $SECONDS_A_BENCH s})."
    FAILED=$((FAILED + 1))
  fi
}
