#!/bin/bash
# SPDX-License-Identifier: MIT
# Chromium calls `tandem answer --web` (docs/browser.md); decoded pictures and sound are looked at on
# both sides.   browser.sh call|watch|names|loss|late|secure|restart|refused VP8|H264
. "$(dirname "$0")/lib.sh"
what=$1 codec=$2
need chromium python3 ffmpeg openssl
[ "$what" = loss ] || [ "$what" = restart ] && need nft
# Names are announced by multicast, which the loopback interface has not.
if [ "$what" = names ] || [ "$what" = secure ]; then
	{ ip link add v0 type veth peer name v1 && ip address add 192.0.2.1/24 dev v0 &&
		ip link set v0 up && ip link set v1 up && ip route add default dev v0; } || skip "no network interface can be made here"
fi
python3 "$HERE/browser.py" "$what" "$codec" "$TANDEM" "$W" || fail "$what $codec" tandem.err
case $what in
call | loss | late | secure | restart) check_tone heard.wav 700 2 || fail "the browser's tone was not played here" tandem.err ;;
esac
pass "$what $codec"
