#!/usr/bin/env bash
# Builds the console and the binaries. The two need one another only at the end
# (the binary embeds the console), so dependencies compile while Vite works.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$root"

"$root/scripts/console.sh" &
console=$!
go build ./internal/... || { wait $console || true; exit 1; }
wait $console
for command in cmd/*/; do
  go build -o "build/$(basename "$command")" "./$command"
done
