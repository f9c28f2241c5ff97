#!/bin/bash
# SPDX-License-Identifier: MIT
# kamailio.sh: accounts at a Kamailio that asks for passwords and presents a certificate. Paul waits
# over TLS, Bob calls him over UDP and then over TCP, through the server; a wrong password, a
# certificate that nobody vouches for, and a user whom nobody knows are refused with a reason.
. "$(dirname "$0")/lib.sh"
need kamailio openssl "$TANDEM"
MODULES=/usr/lib/x86_64-linux-gnu/kamailio/modules
[ -e $MODULES/tls.so ] || skip "kamailio-tls-modules is not installed"
cd "$W" || exit 1
export HOME=$W

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3 -subj "/CN=Test CA" \
	-keyout ca.key -out ca.pem 2>/dev/null
openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=kamailio \
	-keyout kam.key -out kam.csr 2>/dev/null
openssl x509 -req -in kam.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 \
	-extfile <(echo subjectAltName=IP:127.0.0.1) -out kam.pem 2>/dev/null || fail "no certificate"
printf '[server:default]\nmethod = TLSv1.2+\nverify_certificate = no\nrequire_certificate = no\nprivate_key = %s\ncertificate = %s\n' \
	"$W/kam.key" "$W/kam.pem" >tls.cfg

cat >kamailio.cfg <<CFG
#!KAMAILIO
debug=2
log_stderror=yes
children=1
tcp_children=2
enable_tls=yes
listen=udp:127.0.0.1:5060
listen=tcp:127.0.0.1:5060
listen=tls:127.0.0.1:5061
alias="reskit.test"
mpath="$MODULES/"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "auth.so"
loadmodule "tls.so"
modparam("tls", "config", "$W/tls.cfg")
modparam("registrar", "max_expires", 3600)
modparam("registrar", "min_expires", 60)
modparam("auth", "algorithm", "SHA-256")
modparam("auth", "nonce_expire", 30)
request_route {
	if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
	force_rport();
	if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
	if (has_totag()) {
		if (loose_route()) { t_relay(); exit; }
		if (is_method("ACK") && t_check_trans()) t_relay();
		exit;
	}
	if (is_method("OPTIONS") && uri == myself && \$rU == \$null) { sl_send_reply("200", "Here"); exit; }
	if (is_method("REGISTER")) {
		if (!pv_www_authenticate("reskit.test", "pw-\$fU", "0")) { www_challenge("reskit.test", "1"); exit; }
		save("location");
		exit;
	}
	if (!pv_proxy_authenticate("reskit.test", "pw-\$fU", "0")) { proxy_challenge("reskit.test", "1"); exit; }
	consume_credentials();
	record_route();
	if (!lookup("location")) { sl_send_reply("404", "Not Found"); exit; }
	t_relay();
}
CFG
start KAMAILIO kamailio.log kamailio -DD -E -f "$W/kamailio.cfg" -Y "$W" -w "$W" -m 32 -M 4
for ((n = 0; n < 100; n++)); do
	bash -c 'exec 3<>/dev/tcp/127.0.0.1/5061' 2>/dev/null && break
	running "$KAMAILIO" || fail "kamailio did not start" kamailio.log
	sleep 0.1
done

# account FILE USER PASSWORD OPTION...
account() {
	echo "$3" | "$TANDEM" account add "$2@reskit.test" --password --file "$1" "${@:4}" || fail "account $1"
}

# check FILE EXIT WORDS
check() {
	local got
	"$TANDEM" account check --file "$1" >check.log 2>&1
	got=$?
	[ $got = "$2" ] && grep -q "$3" check.log || fail "$1: exit $got instead of $2, or no \"$3\"" check.log kamailio.log
}

account paul.json paul pw-paul --server 127.0.0.1 --transport tls --ca ca.pem
account udp.json bob pw-bob --server 127.0.0.1:5060
account tcp.json bob pw-bob --server 127.0.0.1:5060 --transport tcp
account wrong.json bob nonsense --server 127.0.0.1:5060
account nobody.json bob pw-bob --server 127.0.0.1:5061 --transport tls
check udp.json 0 "registered"
check tcp.json 0 "registered"
check paul.json 0 "registered"
check wrong.json 3 "password or the user name is wrong"
check nobody.json 3 "an authority that this machine does not know"
"$TANDEM" account add bob@reskit.test --file pinned.json --server 127.0.0.1 --transport tls \
	--fingerprint "$(openssl x509 -in kam.pem -noout -fingerprint -sha256 | cut -d= -f2)" || fail "pin"
check pinned.json 3 "the account has none" # Believed, and asked for a password.

MEDIA="-c:v h264 --video off --sink off --audio tone --speaker null --no-keys --no-port-mapping"
start PAUL paul.log "$TANDEM" answer --accounts paul.json --auto --keep --port 5070 $MEDIA
wait_for 20 paul.log "account paul@reskit.test: registered" || fail "paul is not registered" paul.log kamailio.log
for way in udp tcp; do
	timeout 30 "$TANDEM" call paul@reskit.test --accounts $way.json --port 5072 --seconds 2 --json $MEDIA >call.$way 2>call.$way.log
	got=$?
	[ $got = 0 ] && python3 -c 'import json, sys
sys.exit(json.load(sys.stdin)["report"]["audio"]["packets_received"] < 50)' <call.$way ||
		fail "call over $way: exit $got" call.$way call.$way.log paul.log kamailio.log
done
timeout 30 "$TANDEM" call nobody@reskit.test --port 5074 --accounts udp.json --json $MEDIA >call.none 2>&1
got=$?
[ $got = 5 ] && grep -q "nobody of that name" call.none || fail "unknown user: exit $got" call.none
finish "$PAUL" || fail "paul does not end" paul.log
pass "registered over UDP, TCP and TLS with SHA-256, called through it, refused in words"
