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
# A script that set -e ends says where, instead of ending in silence.
set -E
trap 'printf "error: %s, line %s: %s\n" "${BASH_SOURCE[0]##*/}" "$LINENO" "$BASH_COMMAND" >&2' ERR
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

# start_postgres DIR starts a throw-away server and sets postgres_url; it stops with the script.
start_postgres() {
  rm -rf "$1"
  postgres_url=$("$root/scripts/postgres.sh" start "$1" | tail -n 1) ||
    { cat "$1"/*.log >&2 2>/dev/null; die "PostgreSQL did not start"; }
  cleanup "$root/scripts/postgres.sh" stop "$1"
}

# digest FILE... prints one digest over the contents.
digest() { cat "$@" | sha256sum | cut -c1-64; }

# free_ports N prints the first of N neighbouring ports of 127.0.0.1 that nobody listens on now.
free_ports() {
  node -e '
    const net = require("net"), n = Number(process.argv[1]);
    const free = (port) => new Promise((yes) => { const s = net.createServer(); s.once("error", () => yes(false)); s.listen(port, "127.0.0.1", () => s.close(() => yes(true))); });
    (async () => { for (let p = 20000 + Math.floor(Math.random() * 9000); ; p += n) { let ok = true; for (let i = 0; i < n; i++) ok = ok && await free(p + i); if (ok) return console.log(p); } })();' "$1"
}

# remove_new_namespaces OLD removes the namespaces of VPN gateways that are not among OLD.
remove_new_namespaces() {
  local ns
  for ns in $(ip netns list 2>/dev/null | cut -d' ' -f1); do
    case $ns in vpngw-*) case " $1 " in *" $ns "*) ;; *) ip netns delete "$ns" ;; esac ;; esac
  done
}

# start_demo DIR [FLAG...] starts skybridge serve --demo in DIR on free ports, waits until it is
# ready, and sets demo_url, demo_ports and demo_flags for the commands that use it. It ends with the script.
start_demo() {
  local dir=$1 port pid i; shift
  if ip netns pids skydemo-lan 2>/dev/null | grep -q .; then
    die "a demonstration is running on this machine and has the demo network; stop it first (make run, Ctrl-C)"
  fi
  port=$(free_ports 8)
  demo_url=https://127.0.0.1:$port
  demo_ports=$((port + 1))
  demo_flags=(--data "$dir" --listen "127.0.0.1:$port" --demo-ports "$demo_ports" "$@")
  # A node keeps its gateways' namespaces for its next start; this one has none.
  cleanup remove_new_namespaces "$(ip netns list 2>/dev/null | cut -d' ' -f1 | tr '\n' ' ')"
  mkdir -p "$dir" "$build/log"
  demo_log=$build/log/$(basename "$dir").log
  "$build/skybridge" serve --demo "${demo_flags[@]}" >"$demo_log" 2>&1 &
  pid=$!
  cleanup end_process "$pid"
  for ((i = 0; i < 300; i++)); do
    kill -0 "$pid" 2>/dev/null || { tail -n 30 "$demo_log" >&2; die "the service ended; its log is $demo_log"; }
    curl -fsk --max-time 2 "$demo_url/readyz" >/dev/null 2>&1 && return
    sleep 0.2
  done
  tail -n 30 "$demo_log" >&2
  die "the service was not ready after a minute; its log is $demo_log"
}
