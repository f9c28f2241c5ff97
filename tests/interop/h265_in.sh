#!/bin/bash
# SPDX-License-Identifier: MIT
# h265_in.sh: H.265, which we decode and never send. SIPp offers it both ways and calls us, GStreamer
# sends it. Our answer must say that we only receive; what we record must be what GStreamer saw.
. "$(dirname "$0")/lib.sh"
need sipp ffmpeg gst-launch-1.0 gst-inspect-1.0 "$BUILD/tests/interop/code_reader" "$TANDEM"
gst-inspect-1.0 x265enc >/dev/null 2>&1 || skip "GStreamer has no x265enc"
display A
show_source "$A"
tandem_side us "" answer --auto --plain --port 5070 $(tandem_content us 700) --seconds 12
sleep 1
start SIPP sipp.log sipp -sf "$HERE/sipp_uac_h265.xml" -i 127.0.0.1 -p 5080 -m 1 -nostdin -trace_logs -log_file "$W/answer.log" 127.0.0.1:5070
wait_for 10 answer.log '^answer [0-9]+' || fail "no answer with H.265 that is recvonly" sipp.log us.log
read -r _ to_video < <(grep '^answer' "$W/answer.log")
start GST_OUT out.log env DISPLAY="$A" gst-launch-1.0 -q \
	ximagesrc use-damage=false show-pointer=false ! video/x-raw,framerate=30/1 ! videoconvert ! video/x-raw,format=I420 \
	! x265enc tune=zerolatency speed-preset=ultrafast bitrate=1500 key-int-max=30 ! rtph265pay config-interval=-1 pt=96 \
	! udpsink host=127.0.0.1 port="$to_video"
await_tandem us 25
finish "$SIPP"
check_recording us.mkv 45 || fail "we did not record GStreamer's picture" us.log out.log
python3 - "$W/us.json" <<-'PY' || fail "the report is not of a call that only receives H.265" us.json
	import json, sys
	video = json.load(open(sys.argv[1]))["report"]["video"]
	sys.exit(video["receive_codec"] != "h265" or video["send_codec"] != "" or video["packets_sent"] != 0)
PY
pass "gstreamer h265"
