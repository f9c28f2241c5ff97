#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Each kind of NAT that nftables makes, looked at by our probe through coturn's two addresses: the
# probe says what the NAT is, and the NATs of the other tests are what their names say.
#   nat_probe.sh PROGRAM
PROGRAM=$1
. "$(dirname "$0")/lib.sh"
. "$HERE/nat_lib.sh"
make_public
start_coturn
# KIND: what must be said of it.
seen=0
while read -r kind says; do
	make_side a "$kind"
	case $kind in none) inside=44.1.0.2 ;; *) inside=10.1.0.2 ;; esac
	found=$(in_side a timeout 20 "$PROGRAM" 44.0.0.1 "$inside") || fail "$kind: the probe failed" coturn.log
	echo "$kind: $found"
	grep -qE "^$says" <<<"$found" || fail "$kind: expected $says" coturn.log
	seen=$((seen + 1))
	ip link del pub1
done <<'KINDS'
none udp yes nat no .* filtering endpoint-independent
full-cone udp yes nat yes mapping endpoint-independent filtering endpoint-independent hairpin no big yes
hairpin udp yes nat yes mapping endpoint-independent filtering endpoint-independent hairpin yes
restricted udp yes nat yes mapping endpoint-independent filtering address-dependent hairpin no
port-restricted udp yes nat yes mapping endpoint-independent filtering address- and port-dependent hairpin no
symmetric udp yes nat yes mapping (address- and port-dependent|address-dependent) filtering address- and port-dependent
double udp yes nat yes mapping endpoint-independent filtering address- and port-dependent
blocked udp no
KINDS
pass "$seen kinds"
