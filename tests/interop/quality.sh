#!/bin/bash
# SPDX-License-Identifier: MIT
# What the codec bench calls PSNR and SSIM is what FFmpeg's filters say of the same clips: to
# 0.01 dB and 0.0005, each plane and over all. A real clip, hardly and badly damaged, and two sizes.
. "$(dirname "$0")/lib.sh"
need ffmpeg python3 "$BUILD/bench/quality_of"
clip=/usr/share/doc/opencv-doc/examples/data/vtest.avi
[ -r "$clip" ] || skip "$clip is not there (package opencv-doc)"

# compare WIDTH HEIGHT CRF
compare() {
	local raw="-f rawvideo -pix_fmt yuv420p -s $1x$2"
	ffmpeg -v error -y -i "$clip" -vf "scale=$1:$2" -frames:v 30 -pix_fmt yuv420p -f rawvideo "$W/a.i420" &&
		ffmpeg -v error -y $raw -i "$W/a.i420" -c:v libx264 -preset ultrafast -crf "$3" "$W/b.mkv" &&
		ffmpeg -v error -y -i "$W/b.mkv" -pix_fmt yuv420p -f rawvideo "$W/b.i420" ||
		fail "ffmpeg made no clip"
	for filter in psnr ssim; do
		ffmpeg -v info -y $raw -i "$W/b.i420" $raw -i "$W/a.i420" -lavfi "$filter=$W/$filter.frames" \
			-f null - 2>"$W/$filter.log" || fail "ffmpeg's $filter" "$filter.log"
	done
	"$BUILD/bench/quality_of" "$W/a.i420" "$W/b.i420" "$1" "$2" >"$W/ours.json" || fail "quality_of"
	python3 - "$W" "$1x$2 crf $3" <<-'PYTHON' || fail "the figures of $1x$2 crf $3 differ" psnr.log ssim.log
		import json, re, sys

		folder, name = sys.argv[1:]
		ours = json.load(open(folder + "/ours.json"))
		text = {f: open(f"{folder}/{f}.log").read() for f in ("psnr", "ssim")}
		psnr = re.search(r"PSNR y:(\S+) u:(\S+) v:(\S+) average:(\S+)", text["psnr"]).groups()
		ssim = re.search(r"SSIM Y:(\S+) .*?U:(\S+) .*?V:(\S+) .*?All:(\S+)", text["ssim"]).groups()
		good = ours["frames"] == 30
		for figure, theirs, limit in (("psnr_db", psnr, 0.01), ("ssim", ssim, 0.0005)):
		    worst = max(abs(ours[figure][plane] - float(value))
		                for plane, value in zip(("y", "u", "v", "all"), theirs))
		    print(f"{name}: {figure} over all {ours[figure]['all']:.4f}, FFmpeg {theirs[3]}, "
		          f"worst difference {worst:.6f}")
		    good &= worst <= limit
		sys.exit(not good)
	PYTHON
}

compare 768 576 20
compare 768 576 45
compare 322 242 30
pass "PSNR and SSIM are FFmpeg's"
