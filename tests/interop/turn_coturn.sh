#!/bin/bash
# SPDX-License-Identifier: MIT
# turn_coturn.sh server|client udp|tcp|tls: coturn's clients against `tandem serve`, and our client
# core (turn_probe) against coturn's server. Wrong passwords are refused, and told in words.
. "$(dirname "$0")/lib.sh"
SIDE=$1 LINK=$2
need turnserver turnutils_uclient turnutils_stunclient turnutils_peer turnutils_natdiscovery "$TANDEM"
PROBE=$BUILD/tests/interop/turn_probe
NOBODY=(-n 5 -m 1 -l 160 -L 127.0.0.1 127.0.0.1)

# uclient OUTPUT ARGUMENT...: through our server to an echoing peer; whether nothing was lost.
uclient() {
	local log=$1
	shift
	timeout 20 turnutils_uclient -e 127.0.0.1 -r 3480 -n 20 -m 2 -l 160 -L 127.0.0.1 "$@" 127.0.0.1 >"$W/$log" 2>&1
	grep -aq 'tot_send_msgs=40, tot_recv_msgs=40' "$W/$log"
}

refused() {
	timeout 5 turnutils_uclient -e 127.0.0.1 -r 3480 "$@" "${NOBODY[@]}" >"$W/refused.log" 2>&1
	! grep -aq 'tot_recv_msgs=[1-9]' "$W/refused.log"
}

our_server() {
	local options=() port=3478 user password
	case $LINK in
	tcp) options=(-t) ;;
	tls) options=(-t -S) port=5349 ;;
	esac
	start PEER peer.log turnutils_peer -L 127.0.0.1 -p 3480
	start SERVER server.log "$TANDEM" serve --no-sip --listen 127.0.0.1 --relay-address 127.0.0.1 --allow-peers loopback \
		--user ann:apple --secret-file "$W/secret" --tls-port 5349 --identity "$W/identity.pem" --user-relays 4 --json
	wait_for 5 server.log '"started"' || fail "the server does not start" server.log
	if [ "$LINK" = udp ]; then
		start NAT nat_server.log "$TANDEM" serve --no-sip --listen 127.0.0.1 --other-address 127.0.0.2 --port 3490 --no-secret
		wait_for 5 nat_server.log '^STUN on' || fail "the STUN server does not start" nat_server.log
		timeout 20 turnutils_natdiscovery -m -f -p 3490 127.0.0.1 >"$W/nat.log" 2>&1
		[ "$(grep -c 'Endpoint Independent \(Mapping\|Filtering\)!' "$W/nat.log")" = 2 ] || fail "NAT discovery" nat.log
		timeout 10 turnutils_stunclient 127.0.0.1 >"$W/stun.log" 2>&1
		grep -q 'reflexive addr: 127.0.0.1' "$W/stun.log" || fail "coturn's STUN client learned nothing" stun.log
	fi
	uclient channel.log -p $port "${options[@]}" -u ann -w apple || fail "by channels" channel.log server.log
	refused -p $port "${options[@]}" -u ann -w pear || fail "a wrong password did" refused.log
	# The scheme of coturn's own services: it makes the credential from the secret itself.
	uclient rest.log -p $port "${options[@]}" -s -u zoe -W "$(cat "$W/secret")" || fail "by a credential of coturn's" rest.log server.log
	"$TANDEM" serve --credential eve --hours 1 --secret-file "$W/secret" >"$W/credential"
	user=$(awk '$1 == "user" { print $2 }' "$W/credential")
	password=$(awk '$1 == "password" { print $2 }' "$W/credential")
	uclient ours.log -p $port "${options[@]}" -s -u "$user" -w "$password" || fail "by a credential of ours" ours.log server.log
	finish "$SERVER"
	wait_for 5 server.log '"stopped"' || fail "the server does not stop" server.log
	grep -q '"wrong_credentials":[1-9]' "$W/server.log" || fail "wrong passwords were not counted" server.log
	grep -q 'given back\|connection ended' "$W/server.log" || fail "no relay was given back" server.log
	pass "channels, indications, expiring credentials of both makers; a wrong password is refused"
}

our_client() {
	start SERVER turnserver.log turnserver -n -L 127.0.0.1 -p 3478 --relay-ip=127.0.0.1 --allow-loopback-peers --no-cli \
		--no-tls --no-dtls --lt-cred-mech --user=ann:apple --realm=example.test --log-file=stdout --simple-log \
		--pidfile="$W/pid" --userdb="$W/db" --stale-nonce=1
	sleep 1.5
	"$PROBE" "$LINK" 127.0.0.1 3478 ann apple >"$W/probe.log" 2>&1 || fail "our client with coturn" probe.log turnserver.log
	"$PROBE" "$LINK" 127.0.0.1 3478 ann pear >"$W/wrong.log" 2>&1 && fail "a wrong password did" wrong.log
	grep -q 'refuses the user name or the password' "$W/wrong.log" || fail "a wrong password is not told" wrong.log
	pass "$(cat "$W/probe.log")"
}

if [ "$SIDE" = server ]; then our_server; else our_client; fi
