#!/usr/bin/env bash
# Throughput of stock openconnect through Skybridge and through ocserv, side by
# side in one run on one machine:
#
#   client (…c) 198.51.100.2 ── 198.51.100.1 gateway (…g) [bridge] ── 10.77.0.2 LAN host (…l)
#
# Both servers run all the time in the same namespace; the client connects to
# one after the other, and the order changes every round. Same client, same
# options (--no-dtls on both where TLS is compared), inner MTU 1400 for both.
#
# LARGE=1 lets Skybridge send segments above the MTU over TLS (an option of the
# server, off by default); its results are named apart.
#
# Usage (root): [ROUNDS=5] [SECS=10] [FLOWS="1 4"] [TRANSPORTS="tls dtls"] [GOAL=1.5] scripts/bench.sh
# Writes build/bench/tunnel-TRANSPORT-FLOWS-DIRECTION.json and prints a table of
# medians. Fails if a measurement is missing, not if a goal is.
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${ROUNDS:-5} secs=${SECS:-10} flows=${FLOWS:-1 4} transports=${TRANSPORTS:-tls dtls} goal=${GOAL:-1.5}
large=${LARGE:-0} label=tunnel
[ "$large" = 0 ] || label=tunnel-large
out=$PWD/build/bench

[ "$(id -u)" = 0 ] || { echo "bench: network namespaces need root" >&2; exit 1; }
for p in ip iperf3 ocserv ocpasswd openconnect openssl nsenter go; do
  command -v "$p" >/dev/null || { echo "bench: $p is missing" >&2; exit 1; }
done

work=$(mktemp -d) tag=sbb$$ pids=()
c=${tag}c g=${tag}g l=${tag}l vpn=vpngw-$tag
chmod 755 "$work"
inside() { nsenter --net="/run/netns/$1" "${@:2}"; }
spawn() { exec nsenter --net="/run/netns/$1" "${@:2}"; } # in the background: $! is the program
stop() { kill "$1" 2>/dev/null || true; wait "$1" 2>/dev/null || true; }
cleanup() {
  for p in "${pids[@]:-}"; do [ -z "$p" ] || stop "$p"; done
  for n in "$c" "$g" "$l" "$vpn"; do ip netns del "$n" 2>/dev/null || true; done
  rm -rf "$work"
}
trap cleanup EXIT

# Namespaces. The gateway of Skybridge answers at 10.77.0.1, ocserv at 10.77.0.3.
for n in "$c" "$g" "$l"; do ip netns add "$n"; ip -n "$n" link set lo up; done
ip link add c0 netns "$c" type veth peer name g0 netns "$g"
ip link add l0 netns "$l" type veth peer name g1 netns "$g"
ip -n "$g" link add br0 type bridge
ip -n "$g" link set g1 master br0
ip -n "$c" addr add 198.51.100.2/24 dev c0
ip -n "$g" addr add 198.51.100.1/24 dev g0
ip -n "$g" addr add 10.77.0.3/24 dev br0
ip -n "$l" addr add 10.77.0.2/24 dev l0
for x in "$c c0" "$g g0" "$g g1" "$g br0" "$l l0"; do ip -n "${x% *}" link set "${x#* }" up; done
ip -n "$l" route add 10.98.0.0/16 via 10.77.0.1
ip -n "$l" route add 10.99.0.0/16 via 10.77.0.3
inside "$g" sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward'
spawn "$l" iperf3 -s >/dev/null 2>&1 & pids+=($!)

# Skybridge, stand-alone.
go build -o "$work/node" ./test/bench/node
hash=$(echo pass | "$work/node" -hash)
cat > "$work/node.json" <<JSON
{"NodeID": "node-bench", "StateDir": "$work/state", "Listen": ["198.51.100.1"],
 "Networks": {"vpc": {"Bridge": "br0", "Address": "10.77.0.1/24"}},
 "DesiredFile": "$work/desired.json", "UsersFile": "$work/users.json"}
JSON
cat > "$work/desired.json" <<JSON
{"generation": 1, "node": "node-bench", "gateways": [{"id": "$vpn", "state": "active", "network": "vpc", "session_limit": 10,
 "ssl_servers": [{"id": "sslsrv-bench", "name": "bench", "port": 443, "udp": true, "pool": "10.98.0.0/16",
 "local_subnets": ["10.77.0.0/24"], "mtu": 1400, "dpd": 90, "keepalive": 300, "cookie_timeout": 300, "rekey_time": 86400, "tls_min": "1.2",
 "large_segments": $([ "$large" = 0 ] && echo false || echo true)}]}]}
JSON
echo "{\"users\": [{\"name\": \"bench\", \"bcrypt\": \"$hash\"}]}" > "$work/users.json"
spawn "$g" "$work/node" "$work/node.json" 2> "$work/node.log" & pids+=($!)

# ocserv. Its mtu is the link's: 1466 leaves 1400 inside for DTLS with AES-GCM.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$work/key.pem" -out "$work/cert.pem" \
  -days 30 -subj /CN=198.51.100.1 2>/dev/null
printf 'pass\npass\n' | ocpasswd -c "$work/passwd" bench
cat > "$work/ocserv.conf" <<CONF
auth = "plain[passwd=$work/passwd]"
tcp-port = 8443
udp-port = 8443
run-as-user = nobody
run-as-group = nogroup
socket-file = $work/ocserv.sock
server-cert = $work/cert.pem
server-key = $work/key.pem
isolate-workers = false
max-clients = 0
max-same-clients = 0
max-ban-score = 0
try-mtu-discovery = false
dtls-legacy = true
device = vpns
ipv4-network = 10.99.0.0/16
mtu = ${OCSERV_MTU:-1466}
route = 10.77.0.0/24
CONF
chmod 644 "$work/ocserv.conf" "$work/passwd" "$work/cert.pem" "$work/key.pem"
spawn "$g" ocserv -f -c "$work/ocserv.conf" > "$work/ocserv.log" 2>&1 & pids+=($!)
sleep 2

cat > "$work/script" <<'SCRIPT'
#!/bin/sh
[ "$reason" = connect ] || exit 0
ip link set "$TUNDEV" up mtu 1400
ip addr replace "$INTERNAL_IP4_ADDRESS/32" dev "$TUNDEV"
ip route replace 10.77.0.0/24 dev "$TUNDEV"
SCRIPT
chmod 755 "$work/script"

port_of() { if [ "$1" = skybridge ]; then echo 443; else echo 8443; fi; }
pin_of() {
  inside "$c" openssl s_client -connect "198.51.100.1:$(port_of "$1")" </dev/null 2>/dev/null | openssl x509 -pubkey -noout |
    openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64
}
declare -A pin=([skybridge]=$(pin_of skybridge) [ocserv]=$(pin_of ocserv))

connect() { # system transport
  local option=()
  [ "$2" = dtls ] || option=(--no-dtls)
  spawn "$c" openconnect "${option[@]}" --script "$work/script" --interface tun0 -u bench --passwd-on-stdin \
    --servercert "pin-sha256:${pin[$1]}" "https://198.51.100.1:$(port_of "$1")" > "$work/client.log" 2>&1 <<< pass & client=$!
  for _ in $(seq 200); do
    if ip -n "$c" route show dev tun0 2>/dev/null | grep -q 10.77; then
      sleep 1
      [ "$2" != dtls ] || grep -q "Established DTLS" "$work/client.log" || break
      return
    fi
    sleep 0.1
  done
  echo "bench: $1 does not connect by $2" >&2
  tail -n 20 "$work/client.log" "$work/node.log" "$work/ocserv.log" >&2
  exit 1
}

rate() { # flows [-R]: Mbit/s received
  { inside "$c" iperf3 -c 10.77.0.2 -t "$secs" -P "$1" -f m "${@:2}" 2>/dev/null || true; } |
    awk -v P="$1" '/receiver/ && (P == 1 || /SUM/) {v = (P == 1 ? $7 : $6)} END {print (v == "" ? 0 : v)}'
}

measure() { # system transport round
  local n up down
  connect "$1" "$2"
  for n in $flows; do
    up=$(rate "$n") down=$(rate "$n" -R)
    printf 'round %s  %-4s %s flows  %-10s up %8s  down %8s Mbit/s\n' "$3" "$2" "$n" "$1" "$up" "$down"
    echo "$up" >> "$work/$2-$n-up.$1"
    echo "$down" >> "$work/$2-$n-down.$1"
  done
  stop "$client"
}

for r in $(seq "$rounds"); do
  for t in $transports; do
    if [ $((r % 2)) = 1 ]; then order="skybridge ocserv"; else order="ocserv skybridge"; fi
    for s in $order; do measure "$s" "$t" "$r"; done
  done
done

# Medians of per-round ratios.
mkdir -p "$out"
echo
failed=0
for t in $transports; do for n in $flows; do for d in up down; do
  f="$work/$t-$n-$d"
  paste "$f.skybridge" "$f.ocserv" | awk -v name="$label-$t-$n-$d" -v goal="$goal" -v file="$out/$label-$t-$n-$d.json" '
    function median(a, n,   i, j, v) {
      for (i = 2; i <= n; i++) for (j = i; j > 1 && a[j] < a[j-1]; j--) { v = a[j]; a[j] = a[j-1]; a[j-1] = v }
      return n % 2 ? a[(n + 1) / 2] : (a[n / 2] + a[n / 2 + 1]) / 2
    }
    $1 <= 0 || $2 <= 0 { bad = 1; next }
    { k++; x[k] = $1 + 0; y[k] = $2 + 0; q[k] = $1 / $2; xs = xs (k > 1 ? ", " : "") $1; ys = ys (k > 1 ? ", " : "") $2 }
    END {
      if (bad || !k) { print name ": a measurement is missing" > "/dev/stderr"; exit 1 }
      m = median(q, k)
      printf "{\"name\": \"%s\", \"unit\": \"Mbit/s\", \"ours\": [%s], \"peer\": \"ocserv\", \"peers\": [%s], \"median_ratio\": %.3f, \"goal\": %s}\n", name, xs, ys, m, goal > file
      printf "%-26s ours %7.0f  ocserv %7.0f Mbit/s  ratio %5.2f  goal %s\n", name, median(x, k), median(y, k), m, goal
    }' || failed=1
done; done; done
exit $failed
