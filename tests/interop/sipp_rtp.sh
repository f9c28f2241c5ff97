#!/bin/bash
# SPDX-License-Identifier: MIT
# sipp_rtp.sh uas|uac: SIPp with media. As UAS it sends every RTP packet back, so what we record is
# our own tone after a way there and back; as UAC it plays a PCMA file, which we record.
. "$(dirname "$0")/lib.sh"
need sipp sox "$TANDEM"
cd "$W" || exit 1
if [ "$1" = uas ]; then
	start SIPP sipp.log sipp -sn uas -i 127.0.0.1 -mi 127.0.0.1 -p 5080 -mp 21000 -rtp_echo -nostdin
	sleep 1
	tandem_side us "" call sip:echo@127.0.0.1:5080 --plain --port 5070 --audio tone:700 --video off --sink off --speaker null --wav "$W/us.wav" --seconds 6
	await_tandem us 20
	check_tone us.wav 700 3 || fail "our tone did not come back" us.log sipp.log
else
	sox -n -r 8000 -c 1 -t al "$W/tone.al" synth 8 sine 440 vol 0.3
	tandem_side us "" answer --auto --plain --port 5070 --audio tone:700 --video off --sink off --speaker null --wav "$W/us.wav" --seconds 10
	sleep 1
	start SIPP sipp.log sipp -sf "$HERE/sipp_uac_rtp.xml" -i 127.0.0.1 -mi 127.0.0.1 -p 5080 -mp 21000 -m 1 -nostdin 127.0.0.1:5070
	await_tandem us 20
	running "$SIPP" && fail "sipp did not end" sipp.log us.log
	wait "$SIPP" || fail "sipp saw an unexpected message" sipp.log us.log
	check_tone us.wav 440 3 || fail "we did not record sipp's tone" us.log sipp.log
fi
pass "$1"
