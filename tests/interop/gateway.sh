#!/bin/bash
# SPDX-License-Identifier: MIT
# gateway.sh: SIPp as a gateway to telephones, and an account of ours there that never registers. It
# answers 183 with a description and sends our sound back: heard before anybody answers. The first
# call ends as busy, so that all that is heard was early; in the second somebody answers, and our
# digits (RFC 4733) come back.
. "$(dirname "$0")/lib.sh"
need sipp sox "$TANDEM"
cd "$W" || exit 1
export HOME=$W

HEADERS='[last_Via:]
[last_From:]
[last_To:];tag=[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:gateway@[local_ip]:[local_port]>'
SDP='Content-Type: application/sdp
Content-Length: [len]

v=0
o=gateway 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
t=0 0
m=audio [media_port] RTP/AVP 0 101
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15'

# gateway MS END: so long is the early sound, and END is what follows the early sound.
gateway() {
	cat <<-XML
		<?xml version="1.0" encoding="UTF-8" ?>
		<scenario name="gateway">
		<recv request="OPTIONS" optional="true" next="asked"></recv>
		<recv request="INVITE"></recv>
		<send><![CDATA[
		SIP/2.0 183 Session Progress
		$HEADERS
		$SDP
		]]></send>
		<pause milliseconds="$1"/>
		$2
		<send next="end"><![CDATA[
		SIP/2.0 200 OK
		$HEADERS
		Content-Length: 0

		]]></send>
		<label id="asked"/>
		<send><![CDATA[
		SIP/2.0 200 OK
		$HEADERS
		Content-Length: 0

		]]></send>
		<label id="end"/>
		</scenario>
	XML
}

BUSY="<send retrans=\"500\"><![CDATA[
SIP/2.0 486 Busy Here
$HEADERS
Content-Length: 0

]]></send>
<recv request=\"ACK\"></recv>"
ANSWER="<send retrans=\"500\"><![CDATA[
SIP/2.0 200 OK
$HEADERS
$SDP
]]></send>
<recv request=\"ACK\"></recv>
<recv request=\"BYE\"></recv>"

"$TANDEM" account add "me@gateway.test" --file accounts.json --server 127.0.0.1:5080 --gateway || fail "account"

# call EXIT OPTION...: what the command says is in call.log.
call() {
	local want=$1 got
	start SIPP sipp.log sipp -sf gateway.xml -i 127.0.0.1 -mi 127.0.0.1 -p 5080 -mp 21000 -rtp_echo -m 3 -nostdin -trace_msg -message_file messages.log
	sleep 1
	timeout 30 "$TANDEM" call "tel:+49-30-1234" --accounts accounts.json --plain --port 5070 -c:v h264 --no-keys \
		--no-port-mapping --audio tone:700 --video off --sink off --speaker null "${@:2}" >call.log 2>&1
	got=$?
	finish "$SIPP"
	[ $got = "$want" ] || fail "exit $got instead of $want" call.log messages.log
	grep -q "INVITE sip:+49301234@gateway.test;user=phone SIP/2.0" messages.log || fail "another number" messages.log
}

gateway 3000 "$BUSY" >gateway.xml
call 3 --wav "$W/early.wav"
check_tone early.wav 700 1 || fail "nothing was heard before the answer" call.log
gateway 500 "$ANSWER" >gateway.xml
call 0 --dtmf "5#" --seconds 3
grep -q "digit 5" call.log && grep -q "digit #" call.log || fail "our digits did not come back" call.log
pass "early sound heard, digits both ways"
