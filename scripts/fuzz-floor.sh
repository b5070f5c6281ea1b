#!/usr/bin/env bash
# Holds the fuzz targets of wire code to the coverage in fuzz-floor.txt, so that a decoder does
# not slip out of their sight.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$root"

below=0
while read -r package floor; do
  case $package in '' | '#'*) continue ;; esac
  reached=$(go test -run '^Fuzz' -cover "./$package" | sed -nE 's/.*coverage: ([0-9]+)(\.[0-9]+)?% of statements.*/\1/p')
  if [ "${reached:-0}" -lt "$floor" ]; then
    echo "$package: its fuzz seeds reach ${reached:-0}% of the statements, $floor% is the floor" >&2
    below=1
  fi
done < scripts/fuzz-floor.txt
exit $below
