#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: tshark_wire.sh WIRE_SAMPLES WORK_FOLDER
#
# Lets tshark dissect packets that engine/wire wrote: not one expert remark, and every field as we
# meant it. Exit 77 (skipped) without tshark.
set -eu

samples=$1
work=$2
command -v tshark >/dev/null || { echo "SKIP: tshark is not installed"; exit 77; }
mkdir -p "$work"
pcap=$work/wire_samples.pcap
"$samples" "$pcap" "$work/frames.vp9" >"$work/want"

dissect() {
    tshark -r "$pcap" -d udp.port==5004,rtp -d udp.port==5005,rtcp -d udp.port==5006,rtp -d rtp.pt==96,vp8 \
        -d rtp.pt==97,h264 -d rtp.pt==98,opus -d rtp.pt==101,rtpevent -d rtp.pt==103,rtp_rfc2198 "$@" 2>"$work/stderr" ||
        { cat "$work/stderr"; exit 1; }
}
check() { # what, wanted, got
    [ "$2" = "$3" ] || { echo "$1: wanted '$2', tshark reads '$3'"; exit 1; }
}
fields() { # filter, field
    dissect -Y "$1" -T fields -e "$2" | tr '\n' ' '
}

# Remarks from "warning" (0x600000) up count, but not those of group "undecoded" (0x5000000), by
# which a dissector says that it has no more to say.
dissect -Y _ws.expert -T fields -E separator=' ' -e frame.number -e _ws.expert.severity \
    -e _ws.expert.group | awk '{
        n = split($2, severity, ","); split($3, group, ",")
        for (i = 1; i <= n; i++)
            if (severity[i] >= 6291456 && group[i] != 83886080) { print $1; break }
    }' >"$work/experts"
dissect -Y _ws.malformed -T fields -e frame.number >>"$work/experts"
[ ! -s "$work/experts" ] || { echo "expert remarks in frames:"; cat "$work/experts"; exit 1; }

dissect -Y rtp -T fields -E separator=' ' -E occurrence=f -e rtp.seq -e rtp.timestamp -e rtp.ssrc -e rtp.marker \
    -e rtp.p_type -e rtp.ext | sed 's/^/rtp /' >"$work/got"
dissect -Y rtcp -T fields -e rtcp.pt | sed 's/^/rtcp /' >>"$work/got"
diff -u "$work/want" "$work/got"

check "frame lengths" "" "$(fields 'rtcp.length_check == 0' frame.number)"
check "vp8 pictures" "0x00007abc 1 " \
    "$(fields 'vp8.pld.s == 1' vp8.pld.pictureid | sed 's/31420/0x00007abc/')$(fields \
        'vp8.pld.s == 1' vp8.hdr.frametype)"
check "h264 units" "7 8 9 28 28 28 28 " "$(fields h264 h264.nal_unit_hdr)"
check "h264 fragments" "1 0 0 0 0 0 0 1 " \
    "$(fields h264.start.bit h264.start.bit)$(fields h264.end.bit h264.end.bit)"
check "telephone events" "480 960 1440 " "$(fields rtpevent rtpevent.duration)"
check "the event's end" "11 " "$(fields 'rtpevent.end_of_event == 1' rtpevent.event_id)"
check "a repair in RED" "103,104 " "$(fields 'rtp.p_type == 103' rtp.p_type)"
check "losses" "-3,8388607 -3 -3,8388607 " "$(fields rtcp.ssrc.cum_nr rtcp.ssrc.cum_nr)"
check "cnames and the reason" "someone@here abcd,the call is over " \
    "$(fields rtcp.sdes.text rtcp.sdes.text)"
check "nack" "65530,65535,65536,65545,65546,100 " "$(fields rtcp.rtpfb.nack_pid rtcp.rtpfb.nack_pid)"
check "nack masks" "0xc030,0x0000 " "$(fields rtcp.rtpfb.nack_pid rtcp.rtpfb.nack_blp)"
check "fir" "7 " "$(fields rtcp.psfb.fir.fci.csn rtcp.psfb.fir.fci.csn)"
check "tmmbr, tmmbn" "40,0,40 5,0,5 " "$(fields rtcp.rtpfb.tmmbr.fci.ssrc \
    rtcp.rtpfb.tmmbr.fci.measuredoverhead)$(fields rtcp.rtpfb.tmmbr.fci.ssrc \
    rtcp.rtpfb.tmmbr.fci.exp)"
check "dlrr" "333,5 " "$(fields rtcp.xr.dlrr rtcp.xr.dlrr)"
echo "$(grep -c . "$work/want") packets, no expert remark"
