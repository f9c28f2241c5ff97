#!/bin/bash
# SPDX-License-Identifier: MIT
# kamailio_pair.sh: the two nodes of docs/growth.md with their own files. Bob's message waits for
# Paul; Paul signs in over TLS at the first node and gets it; Bob calls him and sees him through the
# second one, which knows by DMQ where he is, and writes to him.
. "$(dirname "$0")/lib.sh"
need kamailio openssl sqlite3 "$TANDEM"
MODULES=/usr/lib/x86_64-linux-gnu/kamailio/modules
FILES=$HERE/../../docs/kamailio
for module in tls presence_xml db_sqlite; do
	[ -e $MODULES/$module.so ] || skip "Kamailio's $module.so is not installed (tools/packages.txt, peers)"
done
cd "$W" || exit 1
for user in paul bob; do
	echo "pw-$user" | "$FILES/adduser" people.db $user example.org || fail "no account for $user"
done
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3 -subj /CN=example.org \
	-addext subjectAltName=IP:127.0.0.1,IP:127.0.0.2 -keyout key.pem -out chain.pem 2>/dev/null || fail "no certificate"

# node NUMBER OTHER: its folder, from the files of the guide.
node() {
	mkdir "node$1"
	cp "$FILES/tls.cfg" "node$1/"
	sed -e 's/^\(tcp_\)\?children=4/\1children=1/' "$FILES/kamailio.cfg" >"node$1/kamailio.cfg"
	sed -e "/NODE_ADDRESS/s/192.0.2.1/127.0.0.$1/; /PEER_ADDRESS/s/192.0.2.2/127.0.0.$2/; s/SERVER_ID 1/SERVER_ID $1/" \
		-e "s|/etc/kamailio/people.db|$W/people.db|; s|/etc/kamailio|$W/node$1|" "$FILES/node.cfg" >"node$1/node.cfg"
	cp key.pem chain.pem "node$1/"
	sed -i "s|\./|$W/node$1/|" "node$1/tls.cfg"
	start "NODE$1" "node$1.log" kamailio -DD -E -f "$W/node$1/kamailio.cfg" -Y "$W/node$1" -w "$W/node$1" -m 32 -M 4
}
stands() { # NUMBER: its node takes connections.
	local pid=NODE$1
	for ((n = 0; n < 200; n++)); do
		bash -c "exec 3<>/dev/tcp/127.0.0.$1/5061" 2>/dev/null && return
		running "${!pid}" || fail "node $1 did not start" "node$1.log"
		sleep 0.1
	done
	fail "node $1 takes no connections" "node$1.log"
}
# One after the other: both look at the tables of one file when they start.
node 1 2
stands 1
node 2 1
stands 2

echo pw-paul | "$TANDEM" account add paul@example.org --password --file paul.json --server 127.0.0.1 --transport tls \
	--ca chain.pem || fail "account of paul"
echo pw-bob | "$TANDEM" account add bob@example.org --password --file bob.json --server 127.0.0.2:5060 ||
	fail "account of bob"
bob() { timeout 30 env XDG_CONFIG_HOME="$W/bob" XDG_DATA_HOME="$W/bob" "$TANDEM" "$@" --accounts "$W/bob.json"; }

bob chat paul@example.org "for later" --messages >kept.log 2>&1 || fail "nobody kept the message" kept.log node2.log

MEDIA="-c:v h264 --video off --sink off --audio tone --speaker null --no-keys --no-port-mapping"
start PAUL paul.log "$TANDEM" answer --accounts paul.json --auto --keep --port 5070 $MEDIA
wait_for 20 paul.log "account paul@example.org: registered" || fail "paul is not registered" paul.log node1.log
wait_for 20 paul.log "for later" || fail "the kept message did not come" paul.log node1.log node2.log

# The other node knows of him in a moment: 480 until then.
for ((n = 0; n < 30; n++)); do
	bob call paul@example.org --port 5072 --seconds 1 --json $MEDIA >call.json 2>call.log && break
	sleep 0.3
done
python3 -c 'import json, sys
sys.exit(json.load(sys.stdin)["report"]["audio"]["packets_received"] < 25)' <call.json ||
	fail "no call through the second node" call.json call.log paul.log node1.log node2.log
bob chat paul@example.org "right away" --messages >now.log 2>&1 || fail "the message was refused" now.log node1.log node2.log
wait_for 20 paul.log "right away" || fail "the message did not come" paul.log node1.log node2.log
mkdir -p bob/tandem && cp bob.json bob/tandem/accounts.json && chmod 600 bob/tandem/accounts.json
start WATCH watch.log env XDG_CONFIG_HOME="$W/bob" XDG_DATA_HOME="$W/bob" "$TANDEM" presence watch paul@example.org --port 5076 --json
wait_for 20 watch.log '"available"' || fail "bob does not see paul" watch.log paul.log node1.log node2.log
finish "$PAUL" || fail "paul does not end" paul.log
pass "registered at one node over TLS, called, written to and seen through the other"
