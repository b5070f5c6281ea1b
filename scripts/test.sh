#!/usr/bin/env bash
# Runs stages of the tests, one after the other, and says how long each took.
#
#   scripts/test.sh all | STAGE...     stages: static unit fault quick console netns e2e demo long
#
# The stages themselves are in scripts/test-stage.sh. No test may be skipped:
# tools/testsum fails a stage in which one was. The last line adds up the run.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$root"

export CI=true # a test that lacks its database or its rights fails instead of passing by
export TESTSUM_FILE=$build/figures
rm -f "$TESTSUM_FILE"
timings=()
failed=()

# stage NAME runs one stage and remembers its time and fate. The others run
# even when it fails, so that one run tells all that is wrong.
stage() {
  local name=$1 begin=$SECONDS fate=ok
  say "stage $name"
  "$root/scripts/test-stage.sh" "$name" || { fate=FAILED; note_failure "$name"; }
  timings+=("$(printf '%-10s %4d s  %s' "$name" $((SECONDS - begin)) "$fate")")
}

# A stage that stopped before its tests has left no figure; it counts as one failure.
note_failure() {
  failed+=("$1")
  grep -qvE ' 0$' "$TESTSUM_FILE" 2>/dev/null || echo '0 1' >> "$TESTSUM_FILE"
}

# ---- the run

# In a full run the console is built, checked and tested while golangci-lint
# compiles: the one waits for the disk, the other for the processor.
prepare() {
  local begin=$SECONDS
  "$root/scripts/setup.sh" test
  go build -o "$bin/testsum" ./tools/testsum
  timings+=("$(printf '%-10s %4d s' setup $((SECONDS - begin)))")
}

build_binaries() {
  local begin=$SECONDS
  "$root/scripts/build.sh" || note_failure build
  timings+=("$(printf '%-10s %4d s' build $((SECONDS - begin)))")
}

run_all() {
  "$root/scripts/tools.sh" & local tools=$!
  stage console
  wait $tools || note_failure tools
  stage static
  stage unit
  stage fault
  stage netns
  build_binaries
  stage e2e
  stage demo
}

run_named() {
  local name
  for name in "$@"; do
    case $name in e2e | demo) build_binaries ;; esac
    stage "$name"
  done
}

[ $# -gt 0 ] || die "which stage? all, static, unit, fault, quick, console, netns, e2e, demo, long"
if [ "$*" = all ] && ! is_root; then
  die "make test needs root for the namespace, browser and demo stages; without root: make check test-console"
fi
prepare
if [ "$*" = all ]; then run_all; else run_named "$@"; fi

say "times"
printf '%s\n' "${timings[@]}"
[ ${#failed[@]} = 0 ] || echo "FAILED: ${failed[*]}"
[ -f "$TESTSUM_FILE" ] || exit 0 # static checks alone count nothing
"$bin/testsum" total
