#!/bin/bash
# SPDX-License-Identifier: MIT
# The checks of lib.sh themselves: two baresips call each other, what is decoded passes; the wrong
# tone, silence and a picture without a time code fail. A test that cannot fail proves nothing.
. "$(dirname "$0")/lib.sh"
need baresip parec "$BUILD/bench/glass_sampler" "$BUILD/tests/interop/code_reader"
display A
display B
sound
show_source "$A"
VIDEO=vp8 TONE=700 GRAB=1 RTP=20000 baresip_config a 5070
VIDEO=vp8 SINK=spk_b SHOW=1 RTP=21000 baresip_config b 5080
start_baresip b "$B"
start_baresip a "$A" "/dial sip:b@127.0.0.1:5080"
wait_for 10 a.log 'Call established' || fail "no call" a.log b.log
record_sink spk_b 6 &
check_glass "$B" || fail "no time code on the callee's display" b.log
wait $!
check_tone spk_b.raw 700 2 || fail "the callee did not play the caller's tone" b.log

check_tone spk_b.raw 440 2 && fail "a tone that nobody sent was found"
record_sink mic_b 1
check_tone mic_b.raw 700 0.5 && fail "a tone was found in silence"
finish "$BARESIP_a" "$BARESIP_b"
"$BUILD/bench/glass_sampler" --display "$B" --size "$SIZE" --wait 1 --seconds 1 2>/dev/null &&
	fail "a time code was read from an empty display"
head -c $((640 * 480 * 3)) /dev/urandom | "$BUILD/tests/interop/code_reader" 640x480 1 &&
	fail "a time code was read from noise"
pass "tone and picture found where they are and nowhere else"
