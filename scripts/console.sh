#!/usr/bin/env bash
# Builds the console into internal/web/console/dist, where the binary embeds it.
# Does nothing where no source has changed since the last build.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

dist=$root/internal/web/console/dist
stamp=$build/stamp/console
sources=$(cd "$root/console" && find . \( -name node_modules -o -name dist \) -prune -o -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum)
if [ -f "$dist/index.html" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$sources" ]; then exit 0; fi
say "building the console"
cd "$root/console"
npm run --silent build
echo "$sources" > "$stamp"
