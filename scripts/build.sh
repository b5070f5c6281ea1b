#!/usr/bin/env bash
# Builds the console and the binaries. Only two packages need the built console,
# which one of them embeds; all others compile while Vite works.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$root"

"$root/scripts/console.sh" &
console=$!
go list ./internal/... | grep -vE '/internal/(app|web/console)$' | xargs go build || { wait $console || true; exit 1; }
wait $console
for command in cmd/*/; do
  go build -o "build/$(basename "$command")" "./$command"
done
