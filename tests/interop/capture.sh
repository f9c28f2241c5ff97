#!/bin/bash
# SPDX-License-Identifier: MIT
# capture.sh vp8|h264: a call between two of our own, captured. tshark must dissect SIP, SDP, RTP and
# RTCP of it without one expert error, and find every kind of packet that the call has.
. "$(dirname "$0")/lib.sh"
PICTURE=$1
need tshark "$TANDEM"
start DUMP dump.log tshark -q -i lo -f udp -w "$W/call.pcapng"
wait_for 10 dump.log 'Capturing on' || skip "this user may not capture packets"
sleep 0.5
running "$DUMP" || skip "this user may not capture packets"
tandem_side b "" answer --auto --only-plain --port 5070 --audio tone:440 --video pattern -s "$SIZE" -c:v "$PICTURE" --sink null --speaker null --seconds 6
sleep 1
tandem_side a "" call sip:b@127.0.0.1:5070 --only-plain --port 5080 --audio tone:700 --video pattern -s "$SIZE" -c:v "$PICTURE" --sink null --speaker null --seconds 4
await_tandem a 15
await_tandem b 15
finish "$DUMP"

# Sound and picture share a port, so the payload type alone tells the picture.
type=$(tshark -r "$W/call.pcapng" -d udp.port==5070,sip -d udp.port==5080,sip -V -Y sdp 2>/dev/null |
	grep -ioE "rtpmap:[0-9]+ $PICTURE/" | head -n 1 | tr -dc '0-9 ' | cut -d ' ' -f 1)
[ -n "$type" ] || fail "no payload type of $PICTURE in the SDP" a.log b.log
ports=()
for port in $(tshark -r "$W/call.pcapng" -d udp.port==5070,sip -d udp.port==5080,sip -Y sdp -T fields -e sdp.media.port 2>/dev/null |
	tr ',' '\n' | sort -u); do
	ports+=(-d "udp.port==$port,rtp")
done
dissect() {
	tshark -r "$W/call.pcapng" -d udp.port==5070,sip -d udp.port==5080,sip -d "rtp.pt==$type,$PICTURE" "${ports[@]}" "$@" 2>/dev/null
}

# count FILTER: packets that match.
count() {
	dissect -Y "$1" -T fields -e frame.number | wc -l
}

errors=$(dissect -Y '_ws.expert.severity == "Error"' -T fields -e frame.number -e _ws.expert.message | head -n 5)
[ -z "$errors" ] || fail "expert errors: $errors"
malformed=$(count _ws.malformed)
[ "$malformed" = 0 ] || fail "$malformed malformed packets"
[ "$PICTURE" = vp8 ] && payload=vp8 || payload=h264
for filter in 'sip.Method == "INVITE"' 'sip.Method == "BYE"' 'sdp.media.media == "video"' rtcp.pt==200 \
	'rtcp.pt==202' "rtp" "$payload"; do
	found=$(count "$filter")
	echo "$filter: $found packets"
	[ "$found" -gt 0 ] || fail "tshark found no packet for: $filter" a.log b.log
done
# What tshark takes for RTP is what we sent; but packets of one size that leave together are captured
# as one on the loopback interface (UDP_SEGMENT), and a busy machine's capture may drop some.
sent=$(python3 -c '
import json, sys
reports = [json.load(open(name))["report"] for name in sys.argv[1:]]
print(sum(r[m]["packets_sent"] + r[m]["packets_resent"] for r in reports for m in ("audio", "video")))' "$W/a.json" "$W/b.json")
found=$(count rtp)
echo "RTP: $found packets captured of $sent sent"
[ $((found * 100)) -ge $((sent * 50)) ] || fail "$found RTP packets of $sent" a.log b.log
pass "$PICTURE: $(count rtp) RTP packets, no expert error"
