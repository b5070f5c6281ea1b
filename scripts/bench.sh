#!/usr/bin/env bash
# Throughput of tunnels side by side, in alternating rounds of one run on one
# machine:
#
#   client (…c) 198.51.100.2 ── 198.51.100.1 gateway (…g) [bridge] ── 10.77.0.2 LAN host (…l)
#   client (…d) 198.51.101.2 ── 198.51.101.1 ┘
#
# Skybridge and ocserv run all the time in one namespace; clients connect to one
# after the other, and the order turns round with every round. Same client, same
# options where two servers are compared (--no-dtls on both where TLS is), inner
# MTU 1400 for all.
#
#   stock-dtls  openconnect, DTLS, Skybridge          ocserv-dtls  the same to ocserv
#   stock-tls   openconnect --no-dtls                 ocserv-tls   the same to ocserv
#   stock-large the same with segments above the MTU (an option of the server, off by default)
#   pair        our own client, DTLS, Skybridge       pair-tls     the same by TLS with its extension
#   pair-plain  the same as a stock client is         pair-ocserv  our own client, DTLS, ocserv
#   probe       the path without a protocol, see test/bench/others/probe
#   wireguard   wireguard-go, see test/bench/others/wireguard
#   base        like pair, with node and peer of the commit BASE: what a change wins
#   first-ours, first-openconnect  time from skyconnect's `up`, and from openconnect's start, to the
#               first packet from the LAN host; certificate and password, both to Skybridge
#   delay-ours, delay-ocserv   round trips of one openconnect while another is loaded
#
# Then loads of many clients on loopback, see test/bench/load: idle, busy,
# connects. LONG=1 lets people connect for five minutes instead of one.
#
# Usage (root): [ROUNDS=5] [SECS=10] [FLOWS="1 4"] [SYSTEMS="..."] [LOADS="idle busy connects"] [LONG=1]
#   [BASE=commit] [PROFILE=dir] scripts/bench.sh
# Writes build/bench/NAME.json per figure and prints a table. Figures whose
# systems are left out are not made. Fails if a measurement is missing, not if a
# goal is. PROFILE writes CPU profiles of node and peer there.
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${ROUNDS:-5} secs=${SECS:-10} flows=${FLOWS:-1 4} profile=${PROFILE:-} base=${BASE:-} loads=${LOADS-idle busy connects}
systems=${SYSTEMS:-stock-dtls ocserv-dtls pair-ocserv stock-large ocserv-tls stock-tls pair probe pair-plain wireguard pair-tls first-ours first-openconnect delay-ours delay-ocserv}
out=$PWD/build/bench

[ "$(id -u)" = 0 ] || { echo "bench: network namespaces need root" >&2; exit 1; }
for p in ip ss iperf3 ocserv ocpasswd openconnect openssl nsenter ping go; do
  command -v "$p" >/dev/null || { echo "bench: $p is missing" >&2; exit 1; }
done

work=$(mktemp -d) tag=sbb$$ pids=() clients=() nodes=()
c=${tag}c d=${tag}d g=${tag}g l=${tag}l vpn=vpngw-$tag vpn2=vpngw-b$tag
chmod 755 "$work"
mkdir -p "$out" "$work/m"
inside() { nsenter --net="/run/netns/$1" "${@:2}"; }
spawn() { exec nsenter --net="/run/netns/$1" "${@:2}"; } # in the background: $! is the program
stop() { kill "$1" 2>/dev/null || true; wait "$1" 2>/dev/null || true; }
stop_clients() {
  for p in "${clients[@]:-}"; do [ -z "$p" ] || stop "$p"; done
  clients=()
}
cleanup() {
  stop_clients
  for p in "${pids[@]:-}"; do [ -z "$p" ] || stop "$p"; done
  for n in "$c" "$d" "$g" "$l" "$vpn" "$vpn2"; do ip netns del "$n" 2>/dev/null || true; done
  rm -rf "$work"
}
trap cleanup EXIT
wants() { [[ " $systems " == *" $1"* ]]; }

# Namespaces. The gateway of Skybridge answers at 10.77.0.1, the others at 10.77.0.3.
for n in "$c" "$d" "$g" "$l"; do ip netns add "$n"; ip -n "$n" link set lo up; done
ip link add c0 netns "$c" type veth peer name g0 netns "$g"
ip link add d0 netns "$d" type veth peer name g2 netns "$g"
ip link add l0 netns "$l" type veth peer name g1 netns "$g"
ip -n "$g" link add br0 type bridge
ip -n "$g" link set g1 master br0
ip -n "$c" addr add 198.51.100.2/24 dev c0
ip -n "$d" addr add 198.51.101.2/24 dev d0
ip -n "$g" addr add 198.51.100.1/24 dev g0
ip -n "$g" addr add 198.51.101.1/24 dev g2
ip -n "$g" addr add 10.77.0.3/24 dev br0
ip -n "$l" addr add 10.77.0.2/24 dev l0
for x in "$c c0" "$d d0" "$g g0" "$g g1" "$g g2" "$g br0" "$l l0"; do ip -n "${x% *}" link set "${x#* }" up; done
ip -n "$d" route add default via 198.51.101.1
for net in 10.93.0.0/16 10.97.0.0/16 10.98.0.0/16; do ip -n "$l" route add "$net" via 10.77.0.1; done
ip -n "$l" route add 10.95.0.0/16 via 10.77.0.4
for net in 10.94.0.0/16 10.96.0.0/16 10.99.0.0/16; do ip -n "$l" route add "$net" via 10.77.0.3; done
inside "$g" sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward'

# Programs.
go build -o "$work/node" ./test/bench/node
go build -o "$work/peer" ./test/bench/peer
go build -o "$work/load" ./test/bench/load
go build -trimpath -ldflags "-s -w" -o "$work/skyconnect" ./cmd/skyconnect
(cd test/bench/others && go build -o "$work/probe" ./probe && go build -o "$work/wireguard" ./wireguard)

# Skybridge, stand-alone: two servers, the second with segments above the MTU.
hash=$(echo pass | "$work/node" -hash)
server() { # id port pool large [more]
  cat <<JSON
{"id": "$1", "name": "bench", "port": $2, "udp": true, "pool": "$3", "local_subnets": ["10.77.0.0/24"], "mtu": 1400,
 "dpd": 90, "keepalive": 300, "cookie_timeout": 300, "rekey_time": 86400, "tls_min": "1.2", "large_segments": $4${5:-}}
JSON
}
node() { # program gateway address servers: makes its files and starts it
  cat > "$work/$2.json" <<JSON
{"NodeID": "node-bench", "StateDir": "$work/state-$2", "Listen": ["198.51.100.1"],
 "Networks": {"vpc": {"Bridge": "br0", "Address": "$3/24"}},
 "DesiredFile": "$work/$2-desired.json", "UsersFile": "$work/users.json"}
JSON
  cat > "$work/$2-desired.json" <<JSON
{"generation": 1, "node": "node-bench", "gateways": [{"id": "$2", "state": "active", "network": "vpc", "session_limit": 10,
 "ssl_servers": [$4]}]}
JSON
  spawn "$g" "$1" ${profile:+-cpuprofile "$profile/$(basename "$1").prof"} "$work/$2.json" 2> "$work/$2.log" & pids+=($!) nodes+=($!)
}
echo "{\"users\": [{\"name\": \"bench\", \"bcrypt\": \"$hash\", \"max_sessions\": 4}]}" > "$work/users.json"
# The third wants a certificate of its people, issued by a CA made here.
issue() { # name issuer: a key and a certificate
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$work/$1.key" -out "$work/$1.csr" -subj "/CN=$1" 2>/dev/null
  openssl x509 -req -in "$work/$1.csr" -CA "$work/$2.pem" -CAkey "$work/$2.key" -CAcreateserial -days 30 -out "$work/$1.pem" \
    -extfile <(echo "extendedKeyUsage = clientAuth") 2>/dev/null
}
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$work/ca.key" -out "$work/ca.pem" -days 30 -subj /CN=ca 2>/dev/null
issue bench ca
certain=', "login_mode": "password_certificate", "require_certificate": true, "client_cas": ["'$(openssl x509 -in "$work/ca.pem" -outform der | base64 -w 0)'"]'
node "$work/node" "$vpn" 10.77.0.1 "$(server sslsrv-bench 443 10.98.0.0/16 false), $(server sslsrv-large 444 10.97.0.0/16 true),
  $(server sslsrv-certain 445 10.93.0.0/16 false "$certain")"
if [ -n "$base" ]; then
  mkdir "$work/base"
  git archive "$base" | tar -x -C "$work/base"
  (cd "$work/base" && go build -o "$work/base-node" ./test/bench/node && go build -o "$work/base-peer" ./test/bench/peer)
  node "$work/base-node" "$vpn2" 10.77.0.4 "$(server sslsrv-base 446 10.95.0.0/16 false)"
fi

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

pin_of() {
  inside "$c" openssl s_client -connect "198.51.100.1:$1" </dev/null 2>/dev/null | openssl x509 -pubkey -noout |
    openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64
}
declare -A pin=([446]=${base:+$(pin_of 446)} [443]=$(pin_of 443) [444]=$(pin_of 444) [445]=$(pin_of 445) [8443]=$(pin_of 8443))

fail() {
  echo "bench: $*" >&2
  tail -n 20 "$work"/*.log >&2
  exit 1
}
# until_true LIMIT COMMAND...: waits up to LIMIT tenths of a second.
until_true() {
  for _ in $(seq "$1"); do "${@:2}" && return; sleep 0.1; done
  return 1
}
routed() { ip -n "$1" route show dev tun0 2>/dev/null | grep -q 10.77; }

stock() { # namespace port [options]
  spawn "$1" openconnect "${@:3}" --script "$work/script" --interface tun0 -u bench --passwd-on-stdin \
    --servercert "pin-sha256:${pin[$2]}" "https://198.51.100.1:$2" > "$work/client-$1.log" 2>&1 <<< pass & clients+=($!)
  until_true 200 routed "$1" || fail "openconnect does not connect to port $2"
  [ "${3:-}" = --no-dtls ] || until_true 50 grep -q "Established DTLS" "$work/client-$1.log" || fail "no DTLS on port $2"
}
own() { # program port channel [options]
  local program=$work/$1 port=$2
  shift 2
  spawn "$c" "$program" -server "198.51.100.1:$port" -pin "${pin[$port]}" -user bench -tun tun0 \
    ${profile:+-cpuprofile "$profile/$(basename "$program")-$1.prof"} "${@:2}" > "$work/client-$c.log" 2>&1 <<< pass & clients+=($!)
  until_true 200 routed "$c" || fail "our client does not connect"
  until_true 50 grep -q "^$1" "$work/client-$c.log" || fail "our client is not on $1"
}
both_ends() { # name, subnet: devices of a system without a server
  until_true 50 ip -n "$g" link show "$1s" >/dev/null 2>&1 || fail "no device of $1"
  until_true 50 ip -n "$c" link show "$1c" >/dev/null 2>&1 || fail "no device of $1"
  ip -n "$g" addr add "$2.0.1/16" dev "$1s"; ip -n "$g" link set "$1s" up mtu 1400
  ip -n "$c" addr add "$2.0.2/16" dev "$1c"; ip -n "$c" link set "$1c" up mtu 1400
  ip -n "$c" route replace 10.77.0.0/24 dev "$1c"
}

# First packets. A ping goes all the time, out of the door while there is no tunnel:
# its first answer came by the tunnel, since the LAN host knows no way back but that.
sky() { inside "$c" "$work/skyconnect" --socket "$work/sky/run/s" --dir "$work/sky/home" --keys plain-file --lang en "$@"; }
there() { local code=0; sky status >/dev/null 2>&1 || code=$?; [ "$code" != 4 ]; }
ready() { # skyconnect's daemon and profile
  mkdir -p "$work/sky"
  spawn "$c" "$work/skyconnect" daemon --socket "$work/sky/run/s" --state "$work/sky/state" --resolver file --resolv-conf "$work/sky/resolv.conf" \
    > "$work/sky.log" 2>&1 & pids+=($!)
  until_true 50 there || fail "skyconnect's daemon does not answer"
  sky profiles add bench --server 198.51.100.1:445 --account bench --pin "pin-sha256:${pin[445]}" > /dev/null
  sky policy accept > /dev/null
  for p in network key-store; do sky permissions grant "$p" > /dev/null; done
  sky profiles set bench --certificate "$work/bench.pem" --key "$work/bench.key"
}
up() { sky up bench --password-fd 3 3<<< pass > "$work/client-$c.log" 2>&1; }
stock_certain() {
  spawn "$c" openconnect --script "$work/script" --interface tun0 -u bench --passwd-on-stdin -c "$work/bench.pem" -k "$work/bench.key" \
    --servercert "pin-sha256:${pin[445]}" https://198.51.100.1:445 > "$work/client-$c.log" 2>&1 <<< pass
}
first() { # COMMAND: milliseconds until the first answer
  local began
  ip -n "$c" route replace default via 198.51.100.1
  spawn "$c" stdbuf -oL ping -n -D -i 0.005 10.77.0.2 > "$work/ping.log" 2>/dev/null & local ping=$!
  sleep 0.3
  began=$EPOCHREALTIME
  "$1" & clients+=($!)
  until_true 200 grep -q 'bytes from' "$work/ping.log" || fail "nothing came through the tunnel of $1"
  stop "$ping"
  ip -n "$c" route del default
  awk -v began="$began" '/bytes from/ {printf "%.1f\n", (substr($1, 2) - began) * 1000; exit}' "$work/ping.log"
}

connect() { # system
  case $1 in
    stock-dtls) stock "$c" 443 ;;
    stock-tls) stock "$c" 443 --no-dtls ;;
    stock-large) stock "$c" 444 --no-dtls ;;
    ocserv-dtls) stock "$c" 8443 ;;
    ocserv-tls) stock "$c" 8443 --no-dtls ;;
    pair) own peer 443 dtls -ext coalesce,gso ;; # what tells the gateway that its sockets are large
    pair-plain) own peer 443 dtls ;;
    pair-ocserv) own peer 8443 dtls ;;
    base) own base-peer 446 dtls ;;
    pair-tls) own peer 443 tls -dtls=false -ext coalesce,gso ;;
    probe)
      spawn "$g" "$work/probe" -tun pxs >/dev/null 2>&1 & clients+=($!)
      spawn "$c" "$work/probe" -tun pxc -remote 198.51.100.1:4444 >/dev/null 2>&1 & clients+=($!)
      both_ends px 10.96 ;;
    wireguard)
      read -r ka pa < <("$work/wireguard" -key)
      read -r kb pb < <("$work/wireguard" -key)
      spawn "$g" "$work/wireguard" -tun wgs -private "$ka" -public "$pb" -listen 5555 -allowed 10.94.0.2/32 >/dev/null 2>&1 & clients+=($!)
      spawn "$c" "$work/wireguard" -tun wgc -private "$kb" -public "$pa" -endpoint 198.51.100.1:5555 \
        -allowed 10.94.0.0/16,10.77.0.0/24 >/dev/null 2>&1 & clients+=($!)
      both_ends wg 10.94 ;;
    delay-ours) stock "$c" 443; stock "$d" 443 ;;
    delay-ocserv) stock "$c" 8443; stock "$d" 8443 ;;
    *) fail "no system $1" ;;
  esac
  sleep 1
}

# served COMMAND...: beside an iperf3 server of its own. One that outlived a tunnel
# would wait for that tunnel's client and refuse all others.
served() {
  local result=0 server
  spawn "$l" iperf3 -s >/dev/null 2>&1 & server=$!
  until_true 50 listening || fail "iperf3 does not listen"
  "$@" || result=$?
  stop "$server"
  return "$result"
}
listening() { inside "$l" ss -Hltn 'sport = :5201' | grep -q .; }

rate() { # flows [-R]: Mbit/s received
  { served inside "$c" iperf3 -c 10.77.0.2 -t "$secs" -P "$1" -f m "${@:2}" 2>/dev/null || true; } |
    awk -v P="$1" '/receiver/ && (P == 1 || /SUM/) {v = (P == 1 ? $7 : $6)} END {print (v == "" ? 0 : v)}'
}
delay() { served loaded_delay; }
loaded_delay() { # milliseconds: 99 of 100 round trips of client d are shorter, while c sends and receives all it can
  inside "$c" iperf3 -c 10.77.0.2 -t $((secs + 1)) -P 4 --bidir >/dev/null 2>&1 & local load=$!
  sleep 1
  inside "$d" ping -q -c 1 -W 2 10.77.0.2 >/dev/null || true
  { inside "$d" ping -i 0.01 -c $((secs * 80)) -W 2 10.77.0.2 || true; } | sed -n 's/.*time=\([0-9.]*\) ms/\1/p' |
    sort -n | awk '{v[NR] = $1} END {print (NR < 50 ? 0 : v[int(NR * 0.99)])}'
  wait "$load" 2>/dev/null || true
}

# cost: processor time of our programs so far, in ticks. What others do on the
# machine blurs rates more than it blurs this.
cost() { cat $(printf '/proc/%s/stat ' "${clients[@]}" "${nodes[@]}") 2>/dev/null | awk '{t += $14 + $15} END {print t}'; }
per_gigabyte() { # ticks Mbit/s: seconds of processor time for 10^9 bytes
  awk -v t="$1" -v r="$2" -v s="$secs" 'BEGIN {printf "%.2f", (r > 0 ? t / 100 / (r * s / 8000) : 0)}'
}

measure() { # system round
  local n up down t0 t1 t2
  if [[ $1 == first-* ]]; then
    if [ "$1" = first-ours ]; then first up; else first stock_certain; fi > "$work/first"
    printf 'round %s  %-17s %s ms\n' "$2" "$1" "$(cat "$work/first")"
    cat "$work/first" >> "$work/m/$1"
    [ "$1" = first-openconnect ] || sky down bench
    stop_clients
    return
  fi
  connect "$1"
  if [[ $1 == delay-* ]]; then
    up=$(delay)
    printf 'round %s  %-12s p99 %s ms\n' "$2" "$1" "$up"
    echo "$up" >> "$work/m/$1"
    stop_clients
    return
  fi
  for n in $flows; do
    t0=$(cost) up=$(rate "$n")
    t1=$(cost) down=$(rate "$n" -R)
    t2=$(cost)
    printf 'round %s  %-12s %s flows  up %8s  down %8s Mbit/s' "$2" "$1" "$n" "$up" "$down"
    case $1 in
      pair* | base | probe | wireguard) printf '  cost %s  %s s/GB' "$(per_gigabyte $((t1 - t0)) "$up")" "$(per_gigabyte $((t2 - t1)) "$down")" ;;
    esac
    printf '\n'
    echo "$up" >> "$work/m/$1-$n-up"
    echo "$down" >> "$work/m/$1-$n-down"
  done
  stop_clients
}

! wants first-ours || ready
for r in $(seq "$rounds"); do
  order=$systems
  [ $((r % 2)) = 1 ] || order=$(tr ' ' '\n' <<< "$systems" | tac | tr '\n' ' ')
  for s in $order; do measure "$s" "$r"; done
done

# Figures: medians of per-round ratios.
echo
failed=0
figure() { # row name unit ours peer goal
  [ -e "$work/m/$4" ] && [ -e "$work/m/$5" ] || return 0
  paste "$work/m/$4" "$work/m/$5" | awk -v row="$1" -v name="$2" -v unit="$3" -v peer="${5%%-*}" -v goal="$6" -v file="$out/$2.json" '
    function median(a, n,   i, j, v) {
      for (i = 2; i <= n; i++) for (j = i; j > 1 && a[j] < a[j-1]; j--) { v = a[j]; a[j] = a[j-1]; a[j-1] = v }
      return n % 2 ? a[(n + 1) / 2] : (a[n / 2] + a[n / 2 + 1]) / 2
    }
    $1 <= 0 || $2 <= 0 { bad = 1; next }
    { k++; x[k] = $1 + 0; y[k] = $2 + 0; q[k] = $1 / $2; xs = xs (k > 1 ? ", " : "") $1; ys = ys (k > 1 ? ", " : "") $2 }
    END {
      if (bad || !k) { print name ": a measurement is missing" > "/dev/stderr"; exit 1 }
      m = median(q, k); bound = substr(goal, 1, 2); than = substr(goal, 4) + 0
      ok = goal == "" ? "" : (bound == ">=" ? m >= than : m <= than) ? "yes" : "NO"
      printf "{\"row\": \"%s\", \"name\": \"%s\", \"unit\": \"%s\", \"ours\": [%s], \"peer\": \"%s\", \"peers\": [%s], \"median_ratio\": %.3f, \"goal\": \"%s\"}\n", row, name, unit, xs, peer, ys, m, goal > file
      printf "%-3s %-28s ours %7.4g  %-9s %7.4g %-6s  ratio %5.2f  goal %-7s %s\n", row, name, median(x, k), peer, median(y, k), unit, m, goal, ok
    }' || failed=1
}
for n in $flows; do for x in up down; do
  if [ "$x" = up ]; then o=4.5 w=1.8; else o=4.2 w=1.5; fi
  figure 1 "stock-dtls-$n-$x" Mbit/s "stock-dtls-$n-$x" "ocserv-dtls-$n-$x" ">= 1.3"
  [ "$x" = up ] || figure 2 "stock-large-$n-$x" Mbit/s "stock-large-$n-$x" "ocserv-tls-$n-$x" ">= 2.0"
  figure 3 "pair-probe-$n-$x" Mbit/s "pair-$n-$x" "probe-$n-$x" ">= 1.1"
  figure 3 "plain-probe-$n-$x" Mbit/s "pair-plain-$n-$x" "probe-$n-$x" ">= 0.9"
  figure 4 "pair-ocserv-$n-$x" Mbit/s "pair-$n-$x" "ocserv-dtls-$n-$x" ">= $o"
  figure 5 "pair-wireguard-$n-$x" Mbit/s "pair-$n-$x" "wireguard-$n-$x" ">= $w"
  figure 15 "client-ocserv-$n-$x" Mbit/s "pair-ocserv-$n-$x" "ocserv-dtls-$n-$x" ">= 1.2"
  figure - "pair-base-$n-$x" Mbit/s "pair-$n-$x" "base-$n-$x" ""
  figure - "stock-tls-$n-$x" Mbit/s "stock-tls-$n-$x" "ocserv-tls-$n-$x" ""
  figure - "pair-tls-$n-$x" Mbit/s "pair-tls-$n-$x" "ocserv-tls-$n-$x" ""
done; done
figure 12 first-byte ms first-ours first-openconnect "<= 1.5"
figure 10 delay-under-load ms delay-ours delay-ocserv "<= 2"

# Loads: one figure per line of output, each with a goal of its own.
for l in $loads; do
  case $l in
    connects) option=(-seconds "$([ -n "${LONG:-}" ] && echo 300 || echo 60)") ;;
    *) option=() ;;
  esac
  "$work/load" "$l" "${option[@]}" > "$work/$l.out" || failed=1
  while read -r line; do
    name=$(sed 's/.*"name":"\([^"]*\)".*/\1/' <<< "$line")
    echo "$line" > "$out/$name.json"
    sed 's/.*"row":"\([^"]*\)","name":"\([^"]*\)","unit":"\([^"]*\)","value":\([^,]*\),"goal":"\([^"]*\)","more":\(.*\)}/\1 \2 \3 \4 \5 \6/' <<< "$line" |
      awk '{ok = ($5 == ">=" ? $4 >= $6 + 0 : $4 <= $6 + 0) ? "yes" : "NO"
        printf "%-3s %-28s ours %7.4g %-6s  goal %s %-5s %s  %s\n", $1, $2, $4, $3, $5, $6, ok, $7}'
  done < "$work/$l.out"
done
exit $failed
