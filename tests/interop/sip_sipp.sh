#!/bin/bash
# SPDX-License-Identifier: MIT
# Signalling against SIPp over UDP and TCP, both ways: sip_sipp.sh PATH_TO_SIP_PEER.
# Prints one line a scenario; exit 77 when SIPp is not installed.
set -u
peer=${1:?usage: sip_sipp.sh PATH_TO_SIP_PEER}
here=$(cd "$(dirname "$0")" && pwd)
command -v sipp >/dev/null || { echo "SKIP: SIPp is not installed: apt-get install sip-tester"; exit 77; }
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
base=$((30000 + RANDOM % 1000 * 10))
failed=0

# scenario NAME SECONDS PEER_ARGS -- SIPP_ARGS: both must end well. SIPP_FIRST=1 when SIPp listens.
scenario() {
	local name=$1 seconds=$2 args=() a b
	shift 2
	while [ "$1" != -- ]; do args+=("$1"); shift; done
	shift
	if [ "${SIPP_FIRST:-0}" = 1 ]; then
		(cd "$work" && timeout "$seconds" sipp -i 127.0.0.1 -nostdin "$@" >"$name.sipp" 2>&1) & b=$!
		sleep 0.5
		"$peer" "${args[@]}" >"$work/$name.peer" 2>&1 & a=$!
	else
		"$peer" "${args[@]}" >"$work/$name.peer" 2>&1 & a=$!
		sleep 0.5
		(cd "$work" && timeout "$seconds" sipp -i 127.0.0.1 -nostdin "$@" >"$name.sipp" 2>&1) & b=$!
	fi
	wait "$a"; a=$?
	wait "$b"; b=$?
	if [ $a = 0 ] && [ $b = 0 ]; then
		echo "$name: ok"
	else
		echo "$name: failed (peer $a, sipp $b)"
		sed 's/^/  peer: /' "$work/$name.peer" | tail -12
		sed 's/^/  sipp: /' "$work/$name.sipp" | tail -12
		failed=1
	fi
}

p=$base
scenario uac-udp 20 $p 15 answer 10 -- -sf "$here/sipp/sip_uac.xml" -m 10 -r 5 -p $((p + 2)) 127.0.0.1:$p
p=$((base + 100))
scenario uac-tcp 20 $p 15 answer 5 -- -sf "$here/sipp/sip_uac.xml" -t t1 -m 5 -r 5 -p $((p + 2)) 127.0.0.1:$p
p=$((base + 200))
scenario uac-late-offer 20 $p 15 answer 3 -- -sf "$here/sipp/sip_uac_late.xml" -m 3 -r 5 -p $((p + 2)) 127.0.0.1:$p
p=$((base + 300))
SIPP_FIRST=1 scenario uas-udp 20 $p 15 call 127.0.0.1:$((p + 2)) bye -- -sn uas -m 1 -p $((p + 2))
p=$((base + 400))
SIPP_FIRST=1 scenario uas-tcp 20 $p 15 call "sip:127.0.0.1:$((p + 2));transport=tcp" bye -- -sn uas -t t1 -m 1 -p $((p + 2))
exit $failed
