#!/bin/sh
# What openconnect calls to set up the tunnel: the address and the routes that the gateway gave, and
# nothing else. Debian's own script would also rewrite the name servers of the machine that tests.
set -e
case $reason in
  connect)
    ip link set dev "$TUNDEV" up mtu "${INTERNAL_IP4_MTU:-1400}"
    ip addr add "$INTERNAL_IP4_ADDRESS/32" dev "$TUNDEV"
    i=0
    while [ "$i" -lt "${CISCO_SPLIT_INC:-0}" ]; do
      eval "ip route replace \"\$CISCO_SPLIT_INC_${i}_ADDR/\$CISCO_SPLIT_INC_${i}_MASKLEN\" dev \"\$TUNDEV\""
      i=$((i + 1))
    done
    ;;
  disconnect) ip link set dev "$TUNDEV" down 2>/dev/null || true ;;
esac
