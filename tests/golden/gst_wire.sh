#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: gst_wire.sh WIRE_SAMPLES WORK_FOLDER
#
# Lets GStreamer's depayloader join the VP9 packets that engine/wire cut, for which tshark has no
# dissector: the frames come out as they went in. Exit 77 (skipped) without GStreamer.
set -eu

samples=$1
work=$2
for element in pcapparse rtpvp9depay; do
    gst-inspect-1.0 "$element" >/dev/null 2>&1 ||
        { echo "SKIP: GStreamer's $element is not installed"; exit 77; }
done
mkdir -p "$work"
"$samples" "$work/wire_samples.pcap" "$work/want.vp9" >/dev/null

gst-launch-1.0 -q filesrc location="$work/wire_samples.pcap" ! pcapparse dst-port=5006 \
    caps="application/x-rtp,media=video,clock-rate=90000,encoding-name=VP9,payload=102" ! \
    rtpvp9depay ! filesink location="$work/got.vp9" >"$work/log" 2>&1 ||
    { cat "$work/log"; exit 1; }
cmp "$work/want.vp9" "$work/got.vp9"
echo "$(wc -c <"$work/got.vp9") bytes of VP9 as they were"
