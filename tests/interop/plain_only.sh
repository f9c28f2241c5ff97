#!/bin/bash
# SPDX-License-Identifier: MIT
# plain_only.sh: SIPp as a telephone that knows media in clear alone, in the three ways in which such
# ones answer an offer of encrypted media. Called without --plain there is no call, one sentence names
# the flag, and the code says why; with --plain there is a call.
. "$(dirname "$0")/lib.sh"
need sipp "$TANDEM"
cd "$W" || exit 1

HEADERS='[last_Via:]
[last_From:]
[last_To:];tag=[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:plain@[local_ip]:[local_port]>'

# scenario STATUS [PORT]: what answers, with a description of sound at PORT.
scenario() {
	cat <<-XML
		<?xml version="1.0" encoding="UTF-8" ?>
		<scenario name="media in clear alone">
		<recv request="INVITE"></recv>
		<send retrans="500"><![CDATA[
		SIP/2.0 $1
		$HEADERS
		$([ -z "${2:-}" ] && echo "Content-Length: 0" && echo || cat <<-SDP
			Content-Type: application/sdp
			Content-Length: [len]

			v=0
			o=plain 1 1 IN IP4 [local_ip]
			s=-
			c=IN IP4 [local_ip]
			t=0 0
			m=audio $2 RTP/AVP 0
			a=rtpmap:0 PCMU/8000
		SDP
		)

		]]></send>
		<recv request="ACK"></recv>
	XML
	[ -z "${2:-}" ] || cat <<-XML
		<recv request="BYE"></recv>
		<send><![CDATA[
		SIP/2.0 200 OK
		${HEADERS/;tag=\[call_number\]/}
		Content-Length: 0

		]]></send>
	XML
	echo '</scenario>'
}

# call EXIT STATUS PORT OPTION...
call() {
	local want=$1 got
	scenario "$2" "$3" >answer.xml
	shift 3
	start SIPP sipp.log sipp -sf answer.xml -i 127.0.0.1 -p 5080 -m 1 -nostdin
	sleep 0.7
	"$TANDEM" call sip:old@127.0.0.1:5080 --audio tone --video off --sink off --speaker null -c:a pcmu \
		--no-keys --no-port-mapping --json --seconds 1 "$@" >us.json 2>us.log </dev/null
	got=$?
	[ $got = "$want" ] || fail "$got instead of $want" us.log us.json sipp.log answer.xml
	wait "$SIPP" || fail "SIPp saw something else" sipp.log us.log
}

# In the last two the other side may lack our codecs as well: it does not say.
while read -r code port status; do
	call "$code" "$status" "${port#-}"
	grep -q '"reason": "[^"]*--plain[^"]*"' us.json || fail "the flag is not named" us.json
	grep -o '"reason": "[^"]*"' us.json
done <<-ROWS
	8 21000 200 OK
	6 0 200 OK
	6 - 488 Not Acceptable Here
ROWS
call 0 "200 OK" 21000 --plain

# The other way round nothing rings, and the called side learns why.
start US us.log "$TANDEM" answer --auto --audio tone --video off --sink off --speaker null --port 5070 --no-keys --no-port-mapping
wait_for 10 us.log "waiting for calls" || fail "we do not wait" us.log
start SIPP sipp.log sipp -sn uac -i 127.0.0.1 -p 5080 -m 1 -nostdin 127.0.0.1:5070
wait_for 10 us.log "a call was refused: .*--plain" || fail "nobody is told of the refused call" us.log sipp.log
wait "$SIPP" && fail "SIPp was answered" sipp.log us.log
finish "$US"
pass "refused in words, and taken with --plain"
