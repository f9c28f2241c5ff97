#!/bin/bash
# SPDX-License-Identifier: MIT
# linphone.sh call|answer opus|PCMU: a call with linphonec and VP8 that we make or answer. It cannot
# show a picture here (Xvfb has no Xv port), so what it decoded is read from a snapshot; its own
# picture is a still one, which our recording must hold.
. "$(dirname "$0")/lib.sh"
VERB=$1 SOUND=$2
need linphonec paplay parec ffmpeg sox "$TANDEM" "$BUILD/tests/interop/code_reader"
STILL=$(ls /usr/share/mediastreamer2/images/nowebcamCIF.jpg /usr/share/images/nowebcamCIF.jpg 2>/dev/null | head -n 1)
[ -n "$STILL" ] || skip "linphone's still picture is not installed"
display B
sound
sox -n -r 48000 -c 1 "$W/tone.wav" synth 40 sine 440 vol 0.3
if [ "$VERB" = call ]; then
	AUDIO=$SOUND VIDEO=1 start_linphonec b 5080 "$B" -a
	start PLAY play.log paplay -d mic_b "$W/tone.wav"
	tandem_side us "" call sip:b@127.0.0.1:5080 --plain --port 5070 $(tandem_content us 700) -c:v vp8 --seconds 12
else
	tandem_side us "" answer --auto --plain --port 5070 $(tandem_content us 700) -c:v vp8 --seconds 12
	AUDIO=$SOUND VIDEO=1 start_linphonec b 5080 "$B"
	start PLAY play.log paplay -d mic_b "$W/tone.wav"
	linphone_say b "call sip:us@127.0.0.1:5070"
fi
wait_for 10 b.core.log 'StreamsRunning' || fail "no call" b.log us.log
sleep 2
record_sink spk_b 5
linphone_say b "snapshot $W/snap.jpg"
check_tone spk_b.raw 700 3 || fail "linphone did not play our tone" b.log us.log
await_tandem us 15
check_snapshot snap.jpg || fail "linphone did not decode our picture" b.log us.log
check_tone us.wav 440 2 || fail "we did not record linphone's tone" us.log
check_still us.mkv "$STILL" || fail "we did not see linphone's picture" us.log
pass "$VERB $SOUND vp8"
