#!/bin/bash
# SPDX-License-Identifier: MIT
# baresip.sh call|answer opus|PCMU|g722 vp8|h264 [plain|dtls|sdes|ice]: a call with baresip that we make
# or answer, in clear, by DTLS-SRTP, with keys in the call set-up, or by DTLS-SRTP over ICE. Passes when
# baresip played our tone and showed our time codes, and we recorded its tone and its time codes.
. "$(dirname "$0")/lib.sh"
VERB=$1 SOUND=$2 PICTURE=$3 PROTECTION=${4:-plain}
need baresip parec ffmpeg "$TANDEM" "$BUILD/bench/glass_sampler" "$BUILD/tests/interop/code_reader"
FLAG= HOST=127.0.0.1
case $PROTECTION in
plain) FLAG=--plain SHOWN=none ;;
dtls) ENC=dtls_srtp SHOWN=dtls ;;
sdes) ENC=srtp-mand FLAG=--sdes SHOWN=sdes ;;
ice) ENC=dtls_srtp NAT=ice SHOWN=dtls && own_address ;;
esac
display A
display B
sound
show_source "$A"
[ "$PICTURE" = h264 ] && VIDEO=avcodec || VIDEO=vp8
[ "$SOUND" = PCMU ] && AUDIO=g711 || AUDIO=$SOUND
# Its source grabs display A; its window is on B, where its DISPLAY points.
TONE=440 GRAB=1 SINK=spk_b SHOW=1 RTP=21000 baresip_config b 5080
sed -i "s/^video_source x11grab,.*/video_source x11grab,$A/" "$W/b/config"
if [ "$VERB" = call ]; then
	start_baresip b "$B"
	tandem_side us "" call "sip:b@$HOST:5080" $FLAG --port 5070 $(tandem_content us 700) -c:v "$PICTURE" --seconds 10
else
	tandem_side us "" answer --auto $FLAG --port 5070 $(tandem_content us 700) -c:v "$PICTURE" --seconds 10
	sleep 1
	start_baresip b "$B" "/dial sip:us@$HOST:5070"
fi
wait_for 10 b.log 'Call established' || fail "no call" b.log us.log
record_sink spk_b 7 &
check_glass "$B" 15 || fail "baresip did not show our picture" b.log us.log
wait $!
check_tone spk_b.raw 700 2 || fail "baresip did not play our tone" b.log us.log
await_tandem us 15
check_tone us.wav 440 3 || fail "we did not record baresip's tone" us.log
check_recording us.mkv 60 || fail "we did not record baresip's picture" us.log ffmpeg.log
grep -qi "\"send_codec\": \"$SOUND\"" "$W/us.json" || fail "the sound was not $SOUND" us.json
grep -q "\"protection\": \"$SHOWN\"" "$W/us.json" || fail "the call was not protected by $PROTECTION" us.json
[ "$PROTECTION" != ice ] || grep -q '"ice": true' "$W/us.json" || fail "ICE did not find the path" us.json
check_sheet us.png || fail "the contact sheet is empty" us.log
pass "$VERB $SOUND $PICTURE $PROTECTION"
