#!/bin/bash
# SPDX-License-Identifier: MIT
# plain_rtp.sh gstreamer|ffmpeg vp8|vp9|h264: programs that know RTP and SDP but no SIP and send no
# feedback. SIPp answers for them; they decode our tone and picture and send theirs to our ports.
. "$(dirname "$0")/lib.sh"
PEER=$1 PICTURE=$2
need sipp ffmpeg parec "$BUILD/bench/glass_sampler" "$BUILD/tests/interop/code_reader"
display A
display B
sound
show_source "$A"
AUDIO_PORT=21000 VIDEO_PORT=21010
if [ "$PICTURE" = h264 ]; then
	CODEC=H264 FMTP='a=fmtp:[$video_type] profile-level-id=42e01f;packetization-mode=1'
else
	CODEC=${PICTURE^^} FMTP='a=x-plain:1'
fi
sed -e "s/@CODEC@/$CODEC/; s/@AUDIO_PORT@/$AUDIO_PORT/; s/@VIDEO_PORT@/$VIDEO_PORT/; s|@FMTP@|$FMTP|" \
	"$HERE/sipp_uas_plain.xml" >"$W/plain.xml"
start SIPP sipp.log sipp -sf "$W/plain.xml" -i 127.0.0.1 -p 5080 -m 1 -nostdin -trace_logs -log_file "$W/offer.log"
sleep 1
if [ -n "${STANDIN:-}" ]; then # Another program in our place: how this script itself was tried.
	VIDEO=$([ "$PICTURE" = h264 ] && echo avcodec || echo vp8) TONE=700 GRAB=1 SINK=spk_a SHOW=0 RTP=20000 baresip_config us 5070
	start_baresip us "$A" "/dial sip:plain@127.0.0.1:5080"
else
	need "$TANDEM"
	tandem_side us "" call sip:plain@127.0.0.1:5080 --plain --port 5070 $(tandem_content us 700) -c:v "$PICTURE" --seconds 12
fi
wait_for 10 offer.log '^offer [0-9]+ [0-9]+ [0-9]+ [0-9]+' || fail "no offer that SIPp could read" sipp.log us.log
read -r _ to_audio audio_type to_video video_type < <(grep '^offer' "$W/offer.log")

gstreamer() {
	local decode encode
	need gst-launch-1.0
	if [ "$PICTURE" = h264 ]; then
		decode="rtph264depay ! avdec_h264"
		encode="x264enc tune=zerolatency speed-preset=superfast bitrate=1500 key-int-max=60 ! rtph264pay config-interval=-1"
	elif [ "$PICTURE" = vp9 ]; then
		decode="rtpvp9depay ! vp9dec"
		encode="vp9enc deadline=1 cpu-used=8 lag-in-frames=0 target-bitrate=1500000 keyframe-max-dist=60 ! rtpvp9pay"
	else
		decode="rtpvp8depay ! vp8dec"
		encode="vp8enc deadline=1 cpu-used=-10 target-bitrate=1500000 keyframe-max-dist=60 ! rtpvp8pay"
	fi
	start GST_IN in.log env DISPLAY="$B" gst-launch-1.0 -q \
		udpsrc address=127.0.0.1 port=$VIDEO_PORT caps="application/x-rtp,media=video,clock-rate=90000,encoding-name=$CODEC,payload=$video_type" \
		! rtpjitterbuffer latency=20 ! $decode ! videoconvert ! ximagesink sync=false \
		udpsrc address=127.0.0.1 port=$AUDIO_PORT caps="application/x-rtp,media=audio,clock-rate=48000,encoding-name=OPUS,payload=$audio_type" \
		! rtpjitterbuffer latency=40 ! rtpopusdepay ! opusdec ! audioconvert ! pulsesink device=spk_b
	start GST_OUT out.log env DISPLAY="$A" gst-launch-1.0 -q \
		ximagesrc use-damage=false show-pointer=false ! video/x-raw,framerate=30/1 ! videoconvert ! video/x-raw,format=I420 \
		! $encode pt="$video_type" ! udpsink host=127.0.0.1 port="$to_video" \
		audiotestsrc is-live=true freq=440 ! audio/x-raw,rate=48000,channels=1 ! opusenc frame-size=20 ! rtpopuspay pt="$audio_type" \
		! udpsink host=127.0.0.1 port="$to_audio"
	record_sink spk_b 8 &
	local recorder=$!
	check_glass "$B" 15 || fail "GStreamer did not show our picture" in.log us.log
	wait $recorder
	check_tone spk_b.raw 700 3 || fail "GStreamer did not play our tone" in.log us.log
}

ffmpeg_peer() {
	local encode
	if [ "$PICTURE" = h264 ]; then
		encode="libx264 -preset superfast -tune zerolatency -profile:v baseline -pix_fmt yuv420p"
	elif [ "$PICTURE" = vp9 ]; then # Its RTP muxer calls VP9 an experiment.
		encode="libvpx-vp9 -pix_fmt yuv420p -deadline realtime -cpu-used 8 -strict experimental"
	else
		encode="libvpx -deadline realtime -cpu-used 8"
	fi
	cat >"$W/peer.sdp" <<-SDP
		v=0
		o=- 1 1 IN IP4 127.0.0.1
		s=-
		c=IN IP4 127.0.0.1
		t=0 0
		m=audio $AUDIO_PORT RTP/AVP $audio_type
		a=rtpmap:$audio_type opus/48000/2
		m=video $VIDEO_PORT RTP/AVP $video_type
		a=rtpmap:$video_type $CODEC/90000
		$([ "$PICTURE" = h264 ] && echo "a=fmtp:$video_type packetization-mode=1")
	SDP
	sed -i '/^$/d' "$W/peer.sdp"
	start FF_IN in.log ffmpeg -nostdin -loglevel error -protocol_whitelist file,udp,rtp -analyzeduration 1M -i "$W/peer.sdp" \
		-map 0:v -t 5 -fps_mode passthrough -vf "scale=${SIZE/x/:}" -pix_fmt gray -f rawvideo -y "$W/in.gray" -map 0:a -t 5 -ar 48000 -ac 1 -y "$W/in.wav"
	start FF_OUT out.log ffmpeg -nostdin -loglevel error -re -f lavfi -i sine=440:r=48000 -f x11grab -framerate 30 -video_size "$SIZE" -i "$A" \
		-map 0:a -c:a libopus -b:a 32k -payload_type "$audio_type" -f rtp "rtp://127.0.0.1:$to_audio" \
		-map 1:v -c:v $encode -b:v 1500k -g 60 -payload_type "$video_type" -f rtp "rtp://127.0.0.1:$to_video"
	local n
	for ((n = 0; n < 150; n++)); do
		running "$FF_IN" || break
		sleep 0.1
	done
	finish "$FF_IN"
	"$BUILD/tests/interop/code_reader" "$SIZE" 45 <"$W/in.gray" || fail "FFmpeg did not decode our picture" in.log us.log
	check_tone in.wav 700 3 || fail "FFmpeg did not decode our tone" in.log us.log
}

if [ "$PEER" = gstreamer ]; then gstreamer; else ffmpeg_peer; fi
if [ -n "${STANDIN:-}" ]; then
	record_sink spk_a 3
	check_tone spk_a.raw 440 1.5 || fail "the stand-in did not play the peer's tone" us.log out.log
	pass "stand-in, $PEER $PICTURE"
fi
await_tandem us 20
check_tone us.wav 440 3 || fail "we did not record the peer's tone" us.log out.log
check_recording us.mkv 45 || fail "we did not record the peer's picture" us.log out.log
pass "$PEER $PICTURE"
