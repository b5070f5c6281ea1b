#!/usr/bin/env bash
# What the protection of personal data costs, on SQLite: see test/bench/privacy.
#
# Usage: [ROUNDS=5] scripts/bench-privacy.sh
# Writes build/bench/NAME.json per figure and prints the medians beside their
# goals. Fails if a measurement is missing, not if a goal is. Needs no root.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p build/bench
BENCH_OUT=$PWD/build/bench go test -timeout 60m -run '^$' -bench . -benchtime 1x -count "${ROUNDS:-5}" ./test/bench/privacy
