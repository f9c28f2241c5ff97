#!/bin/bash
# SPDX-License-Identifier: MIT
# GStreamer's webrtcbin calls `tandem answer --web` by WHIP (docs/browser.md), both ways.
#   webrtcbin.sh vp8|h264
. "$(dirname "$0")/lib.sh"
codec=$1
need ffmpeg "$BUILD/tests/interop/code_reader"
/usr/bin/python3 -c 'import gi
gi.require_version("GstWebRTC", "1.0")
from gi.repository import Gst
Gst.init(None)
raise SystemExit(not (Gst.ElementFactory.find("webrtcbin") and Gst.ElementFactory.find("nicesrc")))' \
	2>/dev/null || skip "needs python3-gi gir1.2-gst-plugins-bad-1.0 gstreamer1.0-nice"
# libnice has no candidates on the loopback interface.
{ ip link add v0 type veth peer name v1 && ip address add 192.0.2.1/24 dev v0 &&
	ip link set v0 up && ip link set v1 up; } || skip "no network interface can be made here"
start PID tandem.log "$TANDEM" answer --auto --no-keys --json --web 8090 --video pattern --audio tone:440 \
	--sink null --wav "$W/here.wav" --sheet "$W/sheet.png" -c:v "$codec" --time-code --seconds 20
wait_for 10 tandem.log 'browsers call at' || fail "it does not listen" tandem.log
timeout 30 /usr/bin/python3 "$HERE/webrtcbin.py" http://127.0.0.1:8090/whip "$codec" "$W" 7 \
	>"$W/gst.log" 2>&1 || fail "webrtcbin ends badly" gst.log tandem.log
grep -q 'state connected' "$W/gst.log" || fail "not connected" gst.log tandem.log
grep -q 'DELETE 200' "$W/gst.log" || fail "no clean end" gst.log
"$BUILD/tests/interop/code_reader" 1280x720 60 <"$W/seen.gray" || fail "no time codes there" gst.log
check_tone heard.raw 440 3 || fail "our tone was not heard there" gst.log
check_tone here.wav 700 3 || fail "its tone was not heard here" tandem.log
blue=$(ffmpeg -v error -i "$W/sheet.png" -f rawvideo -pix_fmt rgb24 - | python3 -c '
import sys
pixels = sys.stdin.buffer.read()
at = range(0, len(pixels) - 2, 3 * 97)
print(100 * sum(pixels[i] < 40 and pixels[i + 1] < 40 and pixels[i + 2] > 200 for i in at) // len(at))')
[ "$blue" -gt 20 ] || fail "the contact sheet is not blue: $blue %" tandem.log
pass "$codec: both ways, $blue % of the contact sheet is its blue"
