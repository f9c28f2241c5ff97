#!/bin/bash
# SPDX-License-Identifier: MIT
# GStreamer's webrtcbin calls `tandem answer --web` over a path that loses packets both ways, and
# offers RED and ULPFEC: it mends what we send, and we what it sends (docs/repair.md).
. "$(dirname "$0")/lib.sh"
/usr/bin/python3 -c 'import gi
gi.require_version("GstWebRTC", "1.0")
from gi.repository import Gst
Gst.init(None)
raise SystemExit(not all(Gst.ElementFactory.find(n) for n in ("webrtcbin", "nicesrc", "rtpulpfecdec")))' \
	2>/dev/null || skip "needs python3-gi gir1.2-gst-plugins-bad-1.0 gstreamer1.0-nice"
# libnice has no candidates on the loopback interface.
{ ip link add v0 type veth peer name v1 && ip address add 192.0.2.1/24 dev v0 &&
	ip link set v0 up && ip link set v1 up; } || skip "no network interface can be made here"
start PID tandem.log "$TANDEM" answer --auto --no-keys --json --web 8090 --video pattern --audio tone:440 \
	--sink null --wav "$W/here.wav" -s 640x360 -c:v vp8 --seconds 40
wait_for 10 tandem.log 'browsers call at' || fail "it does not listen" tandem.log
timeout 40 /usr/bin/python3 "$HERE/webrtcbin.py" http://127.0.0.1:8090/whip vp8 "$W" 30 repairs \
	>"$W/gst.log" 2>&1 || fail "webrtcbin ends badly" gst.log tandem.log
grep -q 'DELETE 200' "$W/gst.log" || fail "no clean end" gst.log
for ((n = 0; n < 100; n++)); do running "$PID" || break; sleep 0.1; done
read -r _ there _ < <(grep '^recovered' "$W/gst.log")
[ "${there:-0}" -ge 20 ] || fail "GStreamer mended ${there:-nothing} of ours" gst.log tandem.log
mended=$(python3 -c '
import json, sys
text = open(sys.argv[1]).read()
video = json.loads(text[text.index("{"):])["report"]["video"]
print({k: video[k] for k in video if k.startswith(("parity", "mended", "packets"))}, file=sys.stderr)
print(video["mended"] if video["parity_received"] and video["parity_sent"] else 0)' \
	"$W/tandem.log" 2>"$W/video.log")
cat "$W/video.log"
[ "${mended:-0}" -ge 5 ] || fail "we mended ${mended:-nothing} of GStreamer's" tandem.log
pass "it mended $there of ours, we $mended of its"
