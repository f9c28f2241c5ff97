#!/bin/bash
# SPDX-License-Identifier: MIT
# plain_sound.sh gstreamer|ffmpeg g722|l16|opus: the codecs and channel counts that SIP phones do not
# have here, with programs that know RTP alone. SIPp answers for them. G.722 is mono; L16 (44.1 kHz)
# and Opus are stereo with another tone on each side: 700 and 1200 Hz from us, 440 and 1000 Hz to us.
. "$(dirname "$0")/lib.sh"
PEER=$1 SOUND=$2
need sipp sox ffmpeg "$TANDEM"
AUDIO_PORT=21000 FMTP='a=x-plain:1' CHANNELS=2
case $SOUND in
g722) CODEC=G722/8000 HZ=16000 CHANNELS=1 ;;
l16) CODEC=L16/44100/2 HZ=44100 ;;
opus) CODEC=opus/48000/2 HZ=48000 FMTP='a=fmtp:[$audio_type] stereo=1;sprop-stereo=1' ;;
esac
sed -e "s|@CODEC@|$CODEC|; s/@AUDIO_PORT@/$AUDIO_PORT/; s|@FMTP@|$FMTP|" "$HERE/sipp_uas_sound.xml" >"$W/sound.xml"
sox -n -r 48000 -c 2 -b 16 "$W/ours.wav" synth 3 sine 700 sine 1200 gain -9
sox -n -r "$HZ" -c "$CHANNELS" -b 16 "$W/theirs.wav" synth 20 sine 440 $([ "$CHANNELS" = 2 ] && echo sine 1000) gain -9
start SIPP sipp.log sipp -sf "$W/sound.xml" -i 127.0.0.1 -p 5080 -m 1 -nostdin -trace_logs -log_file "$W/offer.log"
sleep 1
tandem_side us "" call sip:plain@127.0.0.1:5080 --plain --port 5070 --video off --sink off --audio "file:$W/ours.wav" \
	--wav "$W/us.wav" -c:a "$SOUND" -ac "$CHANNELS" --seconds 9
wait_for 10 offer.log '^offer [0-9]+ [0-9]+' || fail "no offer that SIPp could read" sipp.log us.log
read -r _ to_audio audio_type < <(grep '^offer' "$W/offer.log")

gstreamer() {
	local caps="application/x-rtp,media=audio,payload=$audio_type" decode encode
	need gst-launch-1.0
	case $SOUND in
	g722)
		caps+=",clock-rate=8000,encoding-name=G722"
		decode="rtpg722depay ! avdec_g722" encode="avenc_g722 ! rtpg722pay"
		;;
	l16)
		caps+=",clock-rate=44100,encoding-name=L16,channels=2"
		decode=rtpL16depay encode="rtpL16pay pt=$audio_type"
		;;
	opus)
		caps+=",clock-rate=48000,encoding-name=OPUS"
		decode="rtpopusdepay ! opusdec" encode="opusenc ! rtpopuspay pt=$audio_type"
		;;
	esac
	start PEER_IN in.log gst-launch-1.0 -q -e udpsrc address=127.0.0.1 port=$AUDIO_PORT caps="$caps" \
		! rtpjitterbuffer latency=40 ! $decode ! audioconvert ! wavenc ! filesink location="$W/in.wav"
	start PEER_OUT out.log gst-launch-1.0 -q filesrc location="$W/theirs.wav" ! wavparse ! audioconvert ! $encode \
		! udpsink host=127.0.0.1 port="$to_audio"
}

ffmpeg_peer() {
	local encode
	case $SOUND in
	g722) encode="-c:a g722" ;;
	l16) encode="-c:a pcm_s16be" ;;
	opus) encode="-c:a libopus -b:a 96k" ;;
	esac
	cat >"$W/peer.sdp" <<-SDP
		v=0
		o=- 1 1 IN IP4 127.0.0.1
		s=-
		c=IN IP4 127.0.0.1
		t=0 0
		m=audio $AUDIO_PORT RTP/AVP $audio_type
		a=rtpmap:$audio_type $CODEC
	SDP
	start PEER_IN in.log ffmpeg -nostdin -loglevel error -protocol_whitelist file,udp,rtp -i "$W/peer.sdp" -t 5 -y "$W/in.wav"
	start PEER_OUT out.log ffmpeg -nostdin -loglevel error -re -i "$W/theirs.wav" $encode -payload_type "$audio_type" -f rtp "rtp://127.0.0.1:$to_audio"
}

if [ "$PEER" = gstreamer ]; then gstreamer; else ffmpeg_peer; fi
await_tandem us 20
finish "$PEER_IN" "$PEER_OUT"
# Each side holds its own tone for 3 s, and the other side's tone for none.
sides() {
	check_tone "$1" "$2" 3 0 || fail "no $2 Hz on the left of $1" us.log in.log out.log
	[ "$CHANNELS" = 1 ] && return
	check_tone "$1" "$3" 3 1 || fail "no $3 Hz on the right of $1" us.log in.log out.log
	check_tone "$1" "$3" 0.2 0 && fail "$3 Hz on the left of $1, too"
	check_tone "$1" "$2" 0.2 1 && fail "$2 Hz on the right of $1, too"
}
if [ "$SOUND" = g722 ]; then # One channel of both tones, as loud as each other: each is half of it.
	LEAST_SHARE=0.3 check_tone in.wav 700 3 && LEAST_SHARE=0.3 check_tone in.wav 1200 3 ||
		fail "$PEER did not decode our two tones" us.log in.log
else
	sides in.wav 700 1200
fi
sides us.wav 440 1000
pass "$PEER $SOUND"
