#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Port mappings at real and at broken gateways: port_map.sh PROGRAM upnp|natpmp|broken
#   upnp, natpmp   miniupnpd between two namespaces, with only that protocol on
#   broken         gateways that answer with errors, with garbage, too slowly, or hang up
# shellcheck source=tests/interop/lib.sh
PROGRAM=$1 MODE=$2
. "$(dirname "$0")/lib.sh"
need ip nft python3 unshare "$PROGRAM"
[ "$(id -u)" = 0 ] || skip "only root may make a gateway"

# The gateway is this namespace, the program has one of its own behind it.
unshare -n sleep 100 &
INSIDE=$!
PIDS+=($INSIDE)
for ((n = 0; n < 50; n++)); do
	[ "$(readlink /proc/$INSIDE/ns/net)" != "$(readlink /proc/self/ns/net)" ] && break
	sleep 0.02
done
inside() { nsenter -t $INSIDE -n "$@"; }
ip link add lan0 type veth peer name eth0 netns $INSIDE || skip "no veth in this kernel"
ip addr add 10.77.0.1/24 dev lan0
ip link set lan0 up
inside ip link set lo up
inside ip addr add 10.77.0.2/24 dev eth0
inside ip link set eth0 up
inside ip route add default via 10.77.0.1
ip link add wan0 type veth peer name wan1
ip addr add 44.1.2.3/24 dev wan0
ip link set wan0 up
ip link set wan1 up

mkfifo "$W/end"
exec 7<>"$W/end"

if [ "$MODE" = broken ]; then
	start FAKE fake.log python3 "$HERE/broken_gateway.py" 10.77.0.1
	wait_for 5 fake.log "^ready" || fail "the broken gateway did not start" fake.log
	for kind in 501 html garbage empty hang slow endless; do
		python3 -c "import urllib.request as u; u.urlopen('http://10.77.0.1:5000/be?$kind')"
		inside "$PROGRAM" 7 udp:5004 >"$W/$kind.log" 2>&1 <&7
		code=$?
		[ $code = 0 ] || fail "a gateway of the kind $kind ends the program with $code" "$kind.log"
		grep -q "^upnp found" "$W/$kind.log" || fail "$kind: nothing was said" "$kind.log" fake.log
		grep -q "^udp:5004 is [0-9]" "$W/$kind.log" && fail "$kind: a mapping that is none" "$kind.log"
		grep "^upnp found" "$W/$kind.log" | tail -n 1
	done
	pass "seven kinds of broken gateways"
fi

need miniupnpd
nft -f - <<'NFT' || skip "no nftables in this kernel"
table inet filter {
    chain forward { type filter hook forward priority 0; jump miniupnpd; }
    chain miniupnpd { }
    chain prerouting { type nat hook prerouting priority -100; jump prerouting_miniupnpd; }
    chain postrouting { type nat hook postrouting priority 100; jump postrouting_miniupnpd; oifname "wan0" masquerade; }
    chain prerouting_miniupnpd { }
    chain postrouting_miniupnpd { }
}
NFT
cat >"$W/miniupnpd.conf" <<CONF
ext_ifname=wan0
listening_ip=lan0
http_port=5000
enable_natpmp=$([ "$MODE" = natpmp ] && echo yes || echo no)
enable_upnp=$([ "$MODE" = upnp ] && echo yes || echo no)
secure_mode=yes
uuid=00000000-0000-4000-8000-000000000001
allow 1024-65535 10.77.0.0/24 1024-65535
deny 0-65535 0.0.0.0/0 0-65535
CONF
start GATEWAY gateway.log miniupnpd -d -f "$W/miniupnpd.conf" -P "$W/pid"
wait_for 5 gateway.log "HTTP listening|Listening for NAT-PMP" || sleep 1
running "$GATEWAY" || skip "miniupnpd does not run here: $(tail -n 1 "$W/gateway.log")"

inside "$PROGRAM" 30 udp:5004 tcp:1503 >"$W/program.log" 2>&1 <&7 7<&- &
PROGRAM_PID=$!
PIDS+=($PROGRAM_PID)
wait_for 12 program.log "^tcp:1503 is 44.1.2.3:1503" || fail "no mapping for TCP" program.log gateway.log
wait_for 5 program.log "^udp:5004 is 44.1.2.3:5004" || fail "no mapping for UDP" program.log gateway.log
rules=$(nft list chain inet filter prerouting_miniupnpd)
grep -q "dnat.* 10.77.0.2:5004" <<<"$rules" || fail "the gateway does not map: $rules" gateway.log
echo >&7
wait "$PROGRAM_PID" || fail "the program ended with $?" program.log
grep -q dnat <<<"$(nft list chain inet filter prerouting_miniupnpd)" &&
	fail "mappings are left at the gateway after the end" gateway.log program.log
grep -E "ended in" "$W/program.log"
pass "mapped, seen in the gateway's rules, and given back ($MODE)"
