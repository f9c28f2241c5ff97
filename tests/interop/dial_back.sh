#!/bin/bash
# SPDX-License-Identifier: MIT
# dial_back.sh PATH_TO_SIP_PEER|calls: a caller, a service and a called side behind a packet filter that
# lets in the service alone, each in a network namespace. Called straight, nothing comes about; through
# the service the called side dials back. With signalling alone, or as calls of the command.
. "$(dirname "$0")/lib.sh"
peer=${1:?usage: dial_back.sh PATH_TO_SIP_PEER|calls}
need nft python3 nsenter
[ "${TANDEM_OWN_NET:-}" = 1 ] || skip "network namespaces are not allowed here"

# side NAME ADDRESS: a namespace on the service's bridge; its process id goes to NAME.
side() {
	local pid
	unshare -n sleep "$LIMIT" &
	pid=$!
	PIDS+=("$pid")
	printf -v "$1" %s "$pid"
	for _ in $(seq 50); do
		[ "$(readlink "/proc/$pid/ns/net")" != "$(readlink /proc/self/ns/net)" ] && break
		sleep 0.05
	done
	ip link add "to_$1" type veth peer name eth0 netns "$pid" || skip "no veth pairs here"
	ip link set "to_$1" master br0 up
	nsenter -t "$pid" -n sh -c "ip link set lo up; ip addr add $2/24 dev eth0; ip link set eth0 up"
}

ip link add br0 type bridge 2>/dev/null || skip "no bridges here"
ip addr add 10.99.0.1/24 dev br0
ip link set br0 up
side alice 10.99.0.2
side bob 10.99.0.3
nsenter -t "$bob" -n nft -f - <<-RULES || skip "no packet filter here"
	table inet closed {
		chain in {
			type filter hook input priority 0; policy drop;
			iif lo accept
			ct state established,related accept
			ip saddr 10.99.0.1 accept
		}
	}
RULES
python3 "$HERE/sip_pipe.py" 10.99.0.1:5060 10.99.0.3:5060 &
PIDS+=($!)
sleep 0.5

# talk NAME VERB...: a tandem in a namespace; its process id goes to NAME_pid, what it said to $W.
talk() {
	local name=$1 home=$W/home_$1
	shift
	mkdir -p "$home"
	nsenter -t "${!name}" -n env HOME="$home" "$TANDEM" "$@" --audio tone --speaker null --video off \
		--sink off --no-keys --no-port-mapping --json >"$W/$name.json" 2>"$W/$name.log" </dev/null &
	printf -v "${name}_pid" %s "$!"
	PIDS+=("$!")
}

# call_bob EXIT OPTION...: alice calls, and it ends with that code.
call_bob() {
	local want=$1 got
	shift
	talk alice call sip:bob@10.99.0.3 "$@"
	wait "$alice_pid"
	got=$?
	[ $got = "$want" ] || fail "the call ($*) ended with $got, not $want" alice.log alice.json bob.log
}

# The called side's figures come from the same call as the caller's, and sound went both ways.
check_call() {
	python3 - "$W/alice.json" "$W/bob.json" <<-'PYTHON'
		import json, sys
		sides = [json.load(open(name))["report"] for name in sys.argv[1:]]
		for side in sides:
		    security = side["security"]
		    print(security["path"], security["protection"], security["local"], security["remote"],
		          side["audio"]["packets_received"], "packets of sound")
		    assert security["protection"] == "dtls" and security["ice"]
		    assert side["audio"]["packets_received"] > 150
		assert sides[0]["security"]["words"] == sides[1]["security"]["words"] != ""
	PYTHON
}

calls() {
	need "$TANDEM"
	talk bob answer --auto --keep
	wait_for 10 bob.log "waiting for calls" || fail "bob does not wait" bob.log
	call_bob 4 --ring 3
	# Who answers by himself calls nobody whom he does not know, unless told to.
	call_bob 5 --service sip:10.99.0.1 --service-first
	grep -q "call from" "$W/bob.log" && fail "bob was reached" bob.log
	finish "$bob_pid" || fail "bob does not end" bob.log
	for how in "" --service-first; do
		talk bob answer --auto --call-back
		wait_for 10 bob.log "waiting for calls" || fail "bob does not wait" bob.log
		call_bob 0 --service sip:10.99.0.1 $how --seconds 3
		wait "$bob_pid" || fail "bob's call ended badly" bob.log
		grep -q "to be called at sip:back-" "$W/bob.log" || fail "bob was called straight" bob.log
		check_call || fail "see above" alice.log bob.log
	done
	pass "calls"
}

[ "$peer" != calls ] || calls
nsenter -t "$bob" -n "$peer" 5060 40 answer 1 >"$W/bob.log" 2>&1 &
answers=$!
PIDS+=("$answers")
sleep 0.5
nsenter -t "$alice" -n "$peer" 5060 3 call sip:bob@10.99.0.3 >"$W/straight.log" 2>&1 &&
	fail "it was reached straight: the filter does not filter" straight.log
grep -q up "$W/bob.log" && fail "it was reached straight" bob.log
nsenter -t "$alice" -n "$peer" 5060 30 through sip:10.99.0.1 10.99.0.2:5060 sip:bob@10.99.0.3 \
	hold resume bye >"$W/alice.log" 2>&1 || fail "no call through the service" alice.log bob.log
wait "$answers" || fail "the called side ended badly" alice.log bob.log
pass "$(tail -n 1 "$W/alice.log")"
