#!/usr/bin/env bash
# A throw-away PostgreSQL for the tests, on a unix socket only.
#
#   scripts/postgres.sh start DIR   makes a cluster in DIR, starts it, prints its URL
#   scripts/postgres.sh stop DIR    stops it
set -euo pipefail
action=${1:?start or stop} dir=$(realpath -m "${2:?directory}")
bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
[ -n "$bin" ] || { echo "PostgreSQL is not installed: apt-get install postgresql" >&2; exit 1; }
as() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }
case $action in
  start)
    mkdir -p "$dir"
    # The socket's path must be short, and its folder open to two users: postgres, and the control
    # plane's root, which gave up the right to pass through what is closed to it.
    sock=$(mktemp -d /tmp/sbpg.XXXXXX)
    echo "$sock" > "$dir/socket"
    if [ "$(id -u)" = 0 ]; then chown root:postgres "$sock"; chmod 770 "$sock"; fi
    as "$bin/initdb" -D "$sock/data" -U skybridge -A trust -E UTF8 --no-sync >"$dir/initdb.log" 2>&1
    # Durability is PostgreSQL's own business, tested by its authors; our tests kill our processes, not this one.
    # Every test has a database of its own for seconds: there is nothing to vacuum and nobody to replicate to.
    as "$bin/pg_ctl" -D "$sock/data" -l "$sock/log" -w -o \
      "-k $sock -c listen_addresses='' -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=400 -c autovacuum=off -c wal_level=minimal -c max_wal_senders=0" start >"$dir/start.log" 2>&1
    echo "postgres:///postgres?host=$sock&user=skybridge"
    ;;
  stop)
    sock=$(cat "$dir/socket")
    as "$bin/pg_ctl" -D "$sock/data" -m immediate stop >/dev/null
    rm -rf "$sock"
    ;;
  *) echo "start or stop" >&2; exit 2 ;;
esac
