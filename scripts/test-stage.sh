#!/usr/bin/env bash
# One stage of the tests; scripts/test.sh prepares the ground and calls this.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$root"

testsum() { "$bin/testsum" "$@"; }
counted() { # counted NAME CMD...: one command that is one test
  local name=$1; shift
  if "$@"; then echo '1 0' >> "$TESTSUM_FILE"; else echo '0 1' >> "$TESTSUM_FILE"; echo "FAIL  $name" >&2; return 1; fi
}

stage_console() {
  cd console
  npm run --silent typecheck
  npm run --silent lint
  npm run --silent format:check
  rm -f "$build/vitest.json"
  npx vitest run --reporter=default --reporter=json --outputFile.json="$build/vitest.json" || true
  testsum vitest console "$build/vitest.json"
  "$root/scripts/console.sh"
}

stage_static() {
  "$root/scripts/tools.sh"
  say "format"; "$bin/golangci-lint" fmt --diff || die "not formatted: make format"
  say "vet"; go vet ./... && go vet -tags netns,fault ./test/...
  say "other systems"; other_systems
  say "lint"; "$bin/golangci-lint" run ./...
  say "tidy"; go mod tidy -diff || die "go.mod is not tidy: make tidy"
  say "generated files"; generated_files
}

# other_systems: the client builds for Windows and macOS, its tests compile there, and nothing here can run it. Gio draws on macOS by
# cgo alone, so that the window is looked at for Windows only.
other_systems() (
  export CGO_ENABLED=0
  local client
  mapfile -t client < <(go list ./internal/tun ./internal/netio ./internal/fdwait ./internal/client/... ./cmd/skyconnect)
  GOOS=windows GOARCH=amd64 go vet "${client[@]}" ./cmd/skyconnect-window
  GOOS=darwin GOARCH=arm64 go vet $(printf '%s\n' "${client[@]}" | grep -v '/client/window')
  GOOS=windows GOARCH=arm64 go build -o /dev/null ./cmd/skyconnect
  GOOS=darwin GOARCH=amd64 go build -o /dev/null ./cmd/skyconnect
)

# sources lists a digest per file that is or could be committed.
sources() { git ls-files -z --cached --others --exclude-standard | sort -zu | while IFS= read -r -d '' f; do [ -f "$f" ] && printf '%s\0' "$f"; done | xargs -0 sha256sum; }

generated_files() {
  sources > "$build/sources.before"
  "$root/scripts/generate.sh" >/dev/null
  sources > "$build/sources.after"
  diff "$build/sources.before" "$build/sources.after" || die "generated files were out of date (see above); they are written now: commit them"
}

# go_tests STAGE FLAGS... PACKAGES...
go_tests() {
  local name=$1 status=0; shift
  go test -json "$@" 2>&1 | testsum go "$name" || status=$?
  return $status
}

# The race detector, but not inside SQLite: that package is C put into Go by a machine, its memory is not Go's, and its locks
# are sync's, which stay watched. Everything that calls it, its driver included, is watched.
race=(-race "-gcflags=modernc.org/sqlite/lib=-race=false -d=checkptr=0")

with_postgres() {
  start_postgres "$build/postgres-$1"
  export SKYBRIDGE_TEST_POSTGRES=$postgres_url
}

stage_unit() {
  local status=0
  with_postgres unit
  go_tests unit "${race[@]}" -timeout 30m ./... || status=$?
  go_tests exact -count=1 -run 'Alloc' $(grep -rlE '^//go:build .*!race' --include='*_test.go' internal | xargs -n 1 dirname | sort -u | sed 's|^|./|') || status=$?
  counted "coverage of the fuzz seeds" "$root/scripts/fuzz-floor.sh" || status=$?
  return $status
}
# Packages with tests that kill the process at named points, built so that it can be done.
stage_fault() {
  need_root "the crash test" test-fault
  local packages
  mapfile -t packages < <(grep -rlE '^//go:build .*\bfault\b' --include='*_test.go' internal cmd test | xargs -r -n 1 dirname | sort -u | sed 's|^|./|')
  with_postgres fault
  go_tests fault -tags fault -timeout 15m "${packages[@]}"
}

stage_quick() { with_postgres quick; go_tests quick -timeout 5m ./...; }

stage_netns() {
  need_root "the namespace test" test-netns
  go_tests netns -tags netns -count=1 -parallel 4 -timeout 30m ./test/netns/... # they wait more than they work
}

stage_e2e() { need_root "the browser test" test-e2e; "$root/scripts/e2e.sh" && "$root/scripts/e2e.sh" hongkong; }

stage_demo() {
  need_root "the demo" test-demo
  counted "demo on SQLite" "$root/scripts/demo.sh" sqlite
  counted "demo on PostgreSQL" "$root/scripts/demo.sh" postgres
  counted "demo with the profile hongkong" "$root/scripts/demo.sh" hongkong
}

# Each fuzz target for ten minutes, or FUZZTIME; each clause's gate off; random histories ten times over; a client that comes and
# goes for ten minutes, or SOAK; 10,000 sessions. All are run, also when one has found something.
stage_long() {
  local pkg target status=0
  with_postgres long
  while read -r pkg; do
    for target in $(grep -hoE '^func Fuzz[A-Za-z0-9_]*' "$pkg"/*_test.go | sed 's/^func //'); do
      say "fuzzing $pkg $target"
      counted "$pkg $target" go test -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZTIME:-10m}" "./$pkg" </dev/null || status=$?
    done
  done < <(grep -rlE '^func Fuzz' --include='*_test.go' cmd internal | xargs -n 1 dirname | sort -u)
  say "mutants: each enforced clause without its gate"
  go run ./test/mutants || status=$?
  go_tests long "${race[@]}" -count=10 -timeout 60m ./internal/dataplane/... ./internal/protocol/... ./internal/tun/... ./internal/platform/... || status=$?
  need_root "the soak" test-long
  go_tests soak -tags netns,long -count=1 -timeout 24h -run "TestSoak|TestAnIdleClient" ./test/netns || status=$?
  counted "10,000 sessions" ten_thousand_sessions || status=$?
  go_tests histories -count=1 -timeout 60m -run TestAnyHistoryKeepsThePromises ./internal/app -rapid.checks=100 || status=$?
  return $status
}

# ten_thousand_sessions holds the gateway's memory, in MB, to the bound of the benchmark.
ten_thousand_sessions() {
  local megabytes
  megabytes=$(go run ./test/bench/load idle -sessions 10000 -settle 30s | sed -n 's/.*"value":\([0-9]*\).*/\1/p')
  say "10,000 sessions: ${megabytes:-?} MB"
  [ "${megabytes:-601}" -le 600 ]
}

declare -F "stage_${1:?which stage?}" >/dev/null || die "there is no stage $1"
"stage_$1"
