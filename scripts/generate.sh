#!/usr/bin/env bash
# Writes the generated files of the tree. scripts/test.sh static fails where this changes one.
#
#   scripts/generate.sh           all of them
#   scripts/generate.sh openapi   console/openapi.json alone
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$root"

# Written beside and moved, so that a failure leaves the old file.
go run ./cmd/skybridge openapi > build/openapi.json
cmp -s build/openapi.json console/openapi.json || { say "writing console/openapi.json"; cp build/openapi.json console/openapi.json; }
[ "${1:-}" = openapi ] && exit 0
go run ./cmd/skybridge policy quotes > build/quotes.yaml
cmp -s build/quotes.yaml internal/control/clause/quotes.yaml || { say "writing internal/control/clause/quotes.yaml"; cp build/quotes.yaml internal/control/clause/quotes.yaml; }
go generate ./...
(cd console && npm run --silent generate >/dev/null)
