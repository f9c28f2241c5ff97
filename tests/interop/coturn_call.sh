#!/bin/bash
# SPDX-License-Identifier: MIT
# coturn_call.sh udp|tcp: a call of ours that may only go by coturn, over UDP or TCP to it. Passes when
# both sides heard and saw the other, relayed and encrypted.
. "$(dirname "$0")/lib.sh"
[ "$1" = tcp ] && HOW='?transport=tcp' || HOW=
need turnserver "$TANDEM"
start COTURN coturn.log turnserver -n -L 127.0.0.1 -p 3478 --relay-ip=127.0.0.1 --allow-loopback-peers \
	--lt-cred-mech --user=ann:secret --realm=example.test --no-cli --no-tls --no-dtls
sleep 1.5
CONTENT="--bind 127.0.0.1 --video pattern --audio tone --sink null --speaker null -c:v vp8 -s $SIZE"
tandem_side b "" answer --auto --port 5070 $CONTENT --seconds 12
sleep 1
tandem_side a "" call 127.0.0.1:5070 --port 5080 --relay-only --turn "ann:secret@127.0.0.1:3478$HOW" $CONTENT --seconds 4
await_tandem a 20
await_tandem b 15
for side in a b; do
	grep -q '"path": "relayed"' "$W/$side.json" || fail "$side did not go by the relay" a.log b.log coturn.log
	grep -q '"protection": "dtls"' "$W/$side.json" || fail "$side was not encrypted" a.log
	shown=$(sed -n 's/.*"frames_shown": \([0-9]*\).*/\1/p' "$W/$side.json" | head -n 1)
	[ "${shown:-0}" -gt 40 ] || fail "$side showed ${shown:-0} pictures" a.log b.log
done
pass "${1:-udp}"
