#!/usr/bin/env bash
# The headless demo: build/skybridge demo, with everything it starts in a directory of its own.
#
#   scripts/demo.sh             on the embedded SQLite
#   scripts/demo.sh postgres    on a throw-away PostgreSQL
set -euo pipefail
. "$(dirname "$0")/lib.sh"
need_root "the demo" demo

engine=${1:-sqlite}
options=()
case $engine in
  sqlite) ;;
  postgres)
    start_postgres "$build/postgres-demo"
    "$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)/psql" -q "$postgres_url" -c 'CREATE DATABASE demo' -c 'CREATE DATABASE demo_keys'
    options=(--db "${postgres_url/\/postgres?//demo?}" --keystore "${postgres_url/\/postgres?//demo_keys?}")
    ;;
  *) die "sqlite or postgres, not $engine" ;;
esac
"$build/skybridge" demo "${options[@]}"
