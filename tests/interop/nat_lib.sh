# SPDX-License-Identifier: MIT
# Real NATs for tests, sourced behind lib.sh: network namespaces of processes, veth pairs, nftables.
#
#   public, this namespace: 44.0.0.1 and 44.0.0.2 (a server's two addresses), 44.0.0.9
#     |- nat of A 44.1.0.1 -- A 10.1.0.2        make_side a KIND
#     |- nat of B 44.2.0.1 -- B 10.2.0.2        make_side b KIND
#
# KIND: none (a public address), full-cone, restricted, port-restricted, symmetric, hairpin (as
# full-cone, and turns packets around inside), double (port-restricted behind port-restricted),
# blocked (no UDP at all), upnp (port-restricted with miniupnpd).
# shellcheck shell=bash

# new_namespace VAR: a process that holds a namespace; its id goes to VAR.
new_namespace() {
	local pid n
	unshare -n sleep 1000 </dev/null >/dev/null 2>&1 &
	pid=$!
	PIDS+=("$pid")
	for ((n = 0; n < 100; n++)); do
		[ "$(readlink "/proc/$pid/ns/net")" != "$(readlink /proc/self/ns/net)" ] && break
		sleep 0.02
	done
	nsenter -t "$pid" -n ip link set lo up
	printf -v "$1" %s "$pid"
}

# wire NAME PID ADDRESS/LENGTH PEER_NAME PEER_PID PEER_ADDRESS/LENGTH: a cable; PID 0 is here.
wire() {
	ip link add "$1" type veth peer name "$4" || skip "no veth in this kernel"
	local end
	for end in "$1 $2 $3" "$4 $5 $6"; do
		set -- $end
		if [ "$2" = 0 ]; then
			ip addr add "$3" dev "$1" && ip link set "$1" up
		else
			ip link set "$1" netns "$2"
			nsenter -t "$2" -n ip addr add "$3" dev "$1"
			nsenter -t "$2" -n ip link set "$1" up
		fi
	done
}

in_side() { # a|b COMMAND...
	local of=SIDE_$1
	shift
	nsenter -t "${!of}" -n "$@"
}

make_public() {
	[ "$(id -u)" = 0 ] || skip "only root may make a NAT"
	need ip nft nsenter unshare
	ip addr add 44.0.0.1/32 dev lo
	ip addr add 44.0.0.2/32 dev lo
	ip addr add 44.0.0.9/32 dev lo
	# The rest of the Internet, which answers nothing. Without it a relay that is asked to send to a
	# private address gets an error, and coturn gives the whole allocation up.
	ip link add rest0 type veth peer name rest1
	ip link set rest0 arp off up
	ip link set rest1 up
	ip route add default dev rest0
	echo 1 >/proc/sys/net/ipv4/ip_forward
}

# The rules of one NAT: masquerade NAT_PID KIND OUTER INSIDE, from interface in0 to out0.
masquerade() {
	local pid=$1 kind=$2 outer=$3 inside=$4 how= before= forward= turn=
	case $kind in
	symmetric) how=" fully-random" ;;
	full-cone | hairpin)
		before="iifname \"out0\" udp dport 1024-65535 dnat ip to $inside"
		;;
	restricted)
		before="iifname \"out0\" udp dport 1024-65535 dnat ip to $inside"
		forward="iifname \"in0\" meta l4proto udp add @contacted { udp sport . ip daddr }
			iifname \"out0\" meta l4proto udp udp dport . ip saddr != @contacted drop"
		;;
	blocked) forward='meta l4proto udp drop' ;;
	esac
	if [ "$kind" = hairpin ]; then
		before+="
			iifname \"in0\" ip daddr $outer udp dport 1024-65535 dnat ip to $inside"
		turn="iifname \"in0\" oifname \"in0\" snat ip to $outer"
	fi
	nsenter -t "$pid" -n sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
	nsenter -t "$pid" -n nft -f - <<-NFT || skip "no nftables NAT in this kernel"
		table inet filter {
		    set contacted { type inet_service . ipv4_addr; flags dynamic,timeout; timeout 60s; }
		    chain miniupnpd { }
		    chain prerouting_miniupnpd { }
		    chain postrouting_miniupnpd { }
		    chain forward {
		        type filter hook forward priority 0;
		        $forward
		        jump miniupnpd
		    }
		    chain input {
		        type filter hook input priority 0;
		        iifname "out0" meta l4proto udp ct state new drop
		    }
		    chain prerouting {
		        type nat hook prerouting priority -100;
		        jump prerouting_miniupnpd
		        $before
		    }
		    chain postrouting {
		        type nat hook postrouting priority 100;
		        jump postrouting_miniupnpd
		        $turn
		        oifname "out0" masquerade$how
		    }
		}
	NFT
}

# make_side a|b KIND
make_side() {
	local side=$1 kind=$2 n nat second
	[ "$side" = a ] && n=1 || n=2
	new_namespace "SIDE_$side"
	local of=SIDE_$side
	if [ "$kind" = none ]; then
		wire "pub$n" 0 44.$n.0.254/24 eth0 "${!of}" 44.$n.0.2/24
		in_side "$side" ip route add default via 44.$n.0.254
		return
	fi
	new_namespace nat
	wire "pub$n" 0 44.$n.0.254/24 out0 "$nat" 44.$n.0.1/24
	nsenter -t "$nat" -n ip route add default via 44.$n.0.254
	printf -v "NAT_$side" %s "$nat"
	if [ "$kind" = double ]; then
		masquerade "$nat" port-restricted 44.$n.0.1 10.1$n.0.2
		new_namespace second
		wire in0 "$nat" 10.1$n.0.1/24 out0 "$second" 10.1$n.0.2/24
		nsenter -t "$second" -n ip route add default via 10.1$n.0.1
		nat=$second
		printf -v "INNER_$side" %s "$second"
	fi
	wire in0 "$nat" 10.$n.0.1/24 eth0 "${!of}" 10.$n.0.2/24
	in_side "$side" ip route add default via 10.$n.0.1
	masquerade "$nat" "$kind" 44.$n.0.1 10.$n.0.2
	[ "$kind" != upnp ] || start_miniupnpd "$nat" "$n"
}

start_miniupnpd() { # NAT_PID N
	need miniupnpd
	cat >"$W/miniupnpd$2.conf" <<-CONF
		ext_ifname=out0
		listening_ip=in0
		enable_natpmp=yes
		enable_upnp=yes
		uuid=00000000-0000-4000-8000-00000000000$2
		allow 1024-65535 10.$2.0.0/24 1024-65535
		deny 0-65535 0.0.0.0/0 0-65535
	CONF
	start "UPNPD_$2" "miniupnpd$2.log" nsenter -t "$1" -n miniupnpd -d -f "$W/miniupnpd$2.conf" -P "$W/upnpd$2.pid"
	wait_for 5 "miniupnpd$2.log" "HTTP listening" || skip "miniupnpd does not run here"
}

# start_coturn [FLAG...]: in the public network, with both addresses; user u, password p.
start_coturn() {
	need turnserver
	start COTURN coturn.log turnserver -n -L 44.0.0.1 -L 44.0.0.2 -p 3478 --alt-listening-port=3479 \
		--relay-ip=44.0.0.1 --lt-cred-mech --user=u:p --realm=nat.test --no-cli --no-tls --no-dtls \
		--log-file=stdout --pidfile "$W/coturn.pid" "$@"
	for n in 1 2 3 4 5 6 7 8 9 10; do
		grep -q 44.0.0.2:3479 <<<"$(ss -lnup 2>/dev/null) " && return
		sleep 0.2
	done
	running "$COTURN" || fail "coturn does not run" coturn.log
}
