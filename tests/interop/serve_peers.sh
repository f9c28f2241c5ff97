#!/bin/bash
# SPDX-License-Identifier: MIT
# serve_peers.sh udp|tcp|tls: two baresips sign in at `tandem serve`, see each other, write and call,
# and over UDP sipp signs in as a third.
. "$(dirname "$0")/lib.sh"
VIA=$1
need baresip sipp "$TANDEM"
. "$HERE/serve_lib.sh"
home ann ben carl
baresip_account ann 5070 4441 ben
baresip_account ben 5080 4442 ann
start BEN ben.log baresip -4 -s -f "$W/ben" -v
wait_for 20 ben.log '200 OK' || fail "ben is not signed in" ben.log serve.log
start ANN ann.log baresip -4 -s -f "$W/ann" -v
wait_for 20 ann.log '200 OK' || fail "ann is not signed in" ann.log serve.log
wait_for 20 ann.log '^NOTIFY ' || fail "ann does not see ben" ann.log
control 4441 message "sip:ben@home.test hello"
wait_for 20 ben.log '^MESSAGE ' || fail "ben did not get the message" ann.log ben.log
control 4441 dial sip:ben@home.test
wait_for 20 ann.log 'Call established' || fail "no call" ann.log ben.log
control 4441 hangup ""
wait_for 20 ben.log '^BYE ' || fail "the end did not arrive" ann.log ben.log
[ "$VIA" = udp ] || pass "$VIA: presence, message, call"

sipp 127.0.0.1:5060 -i 127.0.0.1 -p 5203 -sf "$HERE/sipp/register.xml" -m 1 -nostdin -s carl -au carl -ap pw-carl -key user carl \
	-timeout 20 -timeout_error >"$W/register.log" 2>&1 || fail "sipp is not signed in" register.log
pass "$VIA: presence, message, call; sipp is signed in"
