#!/usr/bin/env bash
# The browser test: starts a demonstration in a directory that goes away, and walks through it
# with Debian's Chromium as a person would. Screenshots are left in build/screenshots/.
#
#   scripts/e2e.sh              one run with the profile mainland
#   scripts/e2e.sh hongkong     the same with the profile hongkong
set -euo pipefail
. "$(dirname "$0")/lib.sh"
need_root "the browser test" test-e2e
[ -x /usr/bin/chromium ] || die "Chromium is not installed; run scripts/setup.sh test"

profile=${1:-mainland}
dir=$(mktemp -d /tmp/skybridge-e2e.XXXXXX)
cleanup rm -rf "$dir"
start_demo "$dir/data" --profile "$profile"
mkdir "$dir/work"

export E2E_URL=$demo_url
export E2E_MAILBOX=http://127.0.0.1:$((demo_ports + 3))
export E2E_NAMESPACE=skydemo-client
export E2E_LAN_HOST=10.77.0.2
export E2E_NODE=198.51.100.1
export E2E_DIR=$dir/work
export E2E_SCREENSHOTS=$build/screenshots
export E2E_PROFILE=$profile
E2E_OPERATOR_PASSWORD=$(cat "$dir/data/operator-password")
E2E_AUDITOR_PASSWORD=$(cat "$dir/data/auditor-password")
export E2E_OPERATOR_PASSWORD E2E_AUDITOR_PASSWORD
node --test --test-reporter=tap test/e2e/*.test.mjs | "$bin/testsum" node "e2e $profile"
