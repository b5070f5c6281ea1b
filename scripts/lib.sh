# Sourced by the other scripts: where things are, how they speak, what they clean up.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$root/build
bin=$build/bin
mkdir -p "$bin" "$build/stamp"

say() { printf '==> %s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }
is_root() { [ "$(id -u)" = 0 ]; }

# need_root WHAT ends the script with a remedy where we are not root.
need_root() {
  is_root || die "$1 needs root (network namespaces, TUN devices, nftables). Run it as root, for example: sudo env \"PATH=\$PATH\" make ${MAKE_TARGET:-$2}"
}

# cleanup CMD... is run when the script ends, the last one given first.
cleanups=()
cleanup() { cleanups+=("$(printf '%q ' "$@")"); }
run_cleanups() {
  local status=$? i
  trap '' INT TERM
  for ((i = ${#cleanups[@]} - 1; i >= 0; i--)); do eval "${cleanups[i]}" || true; done
  exit "$status"
}
trap run_cleanups EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# end_process PID asks one process of ours to stop, and makes it stop after ten seconds.
end_process() {
  kill -TERM "$1" 2>/dev/null || return 0
  local i
  for ((i = 0; i < 100; i++)); do
    kill -0 "$1" 2>/dev/null || return 0
    sleep 0.1
  done
  kill -KILL "$1" 2>/dev/null || true
}

# free_port prints a TCP port of 127.0.0.1 that nobody listens on now.
free_port() {
  node -e 'const s=require("net").createServer();s.listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})'
}

# start_postgres DIR starts a throw-away server and sets postgres_url; it stops with the script.
start_postgres() {
  rm -rf "$1"
  postgres_url=$("$root/scripts/postgres.sh" start "$1" | tail -n 1) ||
    { cat "$1"/*.log >&2 2>/dev/null; die "PostgreSQL did not start"; }
  cleanup "$root/scripts/postgres.sh" stop "$1"
}

# digest FILE... prints one digest over the contents.
digest() { cat "$@" | sha256sum | cut -c1-64; }
