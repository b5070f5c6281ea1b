#!/usr/bin/env bash
# The headless demo: skybridge demo walks the whole path through the public API.
#
#   scripts/demo.sh             against the service that make run has started; without one,
#                               against one of its own, in a directory that goes away
#   scripts/demo.sh sqlite      always one of its own, on the embedded database
#   scripts/demo.sh hongkong    the same with the profile hongkong
#   scripts/demo.sh postgres    one of its own, on a throw-away PostgreSQL
set -euo pipefail
. "$(dirname "$0")/lib.sh"
need_root "the demo" demo

running() { curl -fsk --max-time 2 https://127.0.0.1:8443/readyz >/dev/null 2>&1; }

own() {
  local dir
  dir=$(mktemp -d /tmp/skybridge-demo.XXXXXX)
  cleanup rm -rf "$dir"
  start_demo "$dir" "$@"
  "$build/skybridge" demo "${demo_flags[@]}"
}

case ${1:-any} in
  any)
    if running; then
      say "walking through the service at https://127.0.0.1:8443"
      "$build/skybridge" demo --data "$root/data"
    else
      say "no service is running here (make run); starting one for the demo"
      own
    fi
    ;;
  sqlite) own ;;
  hongkong) own --profile hongkong ;;
  postgres)
    start_postgres "$build/postgres-demo"
    dir=$(mktemp -d /tmp/skybridge-migrate.XXXXXX)
    cleanup rm -rf "$dir"
    "$build/skybridge" migrate --demo --data "$dir" --db "$postgres_url"
    own --db "$postgres_url"
    ;;
  *) die "sqlite, hongkong or postgres, not $1" ;;
esac
