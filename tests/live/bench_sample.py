#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A report as `tandem bench codec` writes it (docs/bench-codec.md), made up and the same every time,
for tests of what reads reports. The figures are of a plausible size; nothing was measured.

Usage: bench_sample.py [small] >report.json"""

import hashlib
import json
import math
import random
import sys

FPS = 30
SIZES = [(640, 480, (400_000, 800_000, 1_500_000)), (1280, 720, (750_000, 1_500_000, 3_000_000)),
         (1920, 1080, (1_500_000, 3_000_000, 6_000_000))]
# Name, codec, preset, ms to encode and to decode a 720p frame, dB over x264 ultrafast.
ENCODERS = [
    ("x264", "H264", "ultrafast", 2.4, 1.3, 0.0), ("x264", "H264", "superfast", 3.6, 1.5, 1.0),
    ("x264", "H264", "veryfast", 5.6, 1.6, 1.7), ("openh264", "H264", "low", 1.4, 1.4, 0.6),
    ("openh264", "H264", "medium", 2.3, 1.5, 1.1), ("vp8", "VP8", "12", 1.9, 1.0, 0.1),
    ("vp8", "VP8", "8", 3.1, 1.1, 0.9), ("vp8", "VP8", "4", 6.2, 1.2, 1.5),
    ("vp9", "VP9", "9", 3.5, 1.6, 1.8), ("vp9", "VP9", "7", 5.8, 1.7, 2.6),
    ("aom", "AV1", "10", 5.4, 2.1, 2.9), ("aom", "AV1", "9", 15.5, 2.2, 3.4)]
# Content: how hard, base PSNR at a middling rate, loss of the chroma channels.
CONTENT = {"camera": (1.0, 37.5, -3.0), "text": (0.6, 33.0, 5.5), "scroll": (1.25, 29.5, 6.0),
           "slides": (0.5, 38.5, 3.5), "game": (1.45, 33.5, -1.0)}
LIBRARIES = [("libx264", "0.164.3095"), ("openh264", "2.3.1"), ("libvpx", "1.12.0"),
             ("libaom", "3.6.0"), ("dav1d", "1.0.0"), ("libavcodec", "59.37.100"),
             ("opus", "1.3.1")]


def dist(values):
    v = sorted(values)
    n = len(v)
    half = 0.98 * math.sqrt(n)

    def at(p):
        return round(v[min(n - 1, max(0, int(p * n)))], 4)
    return {"n": n, "min": round(v[0], 4), "p50": at(0.5), "p95": at(0.95), "p99": at(0.99),
            "max": round(v[-1], 4), "mean": round(sum(v) / n, 4), "ci_low": at(0.5 - half / n),
            "ci_high": at(0.5 + half / n)}


def spread(rng, middle, n, tail=0.12):
    return [middle * (1 + abs(rng.gauss(0, tail)) * (3 if rng.random() < 0.05 else 1))
            for _ in range(n)]


def video_cell(rng, encoder, content, width, height, bps, rank):
    name, codec, preset, encode, decode, gain = encoder
    hard, psnr, chroma = CONTENT[content]
    area = width * height / (1280 * 720)
    screen = content in ("text", "scroll", "slides")
    budget = bps / FPS / 8
    encode = encode * area ** 0.95 * (0.75 + 0.25 * hard) * (0.9 + 0.1 * rank)
    decode = decode * area ** 0.9 * (0.8 + 0.2 * rank)
    peak = {"x264": 1.15, "openh264": 2.4, "vp8": 1.8, "vp9": 1.6, "aom": 1.5}[name]
    frames = []
    for i in range(60):
        burst = peak if content in ("scroll", "game") and i % 20 == 7 else 1
        quiet = 0.15 if content in ("text", "slides") and i % 12 else 1
        frames.append(int(budget * min(peak, burst * quiet * abs(rng.gauss(0.92, 0.14)))))
    y = psnr + gain * (1.2 if screen else 1) + 3.1 * (rank - 1) + rng.gauss(0, 0.1)
    u, v = y - chroma + rng.gauss(0, .2), y - chroma - 0.8 + rng.gauss(0, .2)
    mse = (4 * 10 ** (-y / 10) + 10 ** (-u / 10) + 10 ** (-v / 10)) / 6
    psnr_all = -10 * math.log10(mse)
    ssim = {k: round(1 - 10 ** (-(p - 17) / 11), 5)
            for k, p in (("y", y), ("u", u), ("v", v), ("all", psnr_all))}
    enc, dec = dist(spread(rng, encode, 180)), dist(spread(rng, decode, 180, 0.08))
    mean = sum(frames) / len(frames)
    held = 1 if name == "vp9" and preset == "7" else 0
    serialise = 8000 * mean / bps
    key = f"{name} {preset} {content} {width} {bps}"
    return {
        "encoder": name, "codec": codec, "preset": preset, "threads": 1,
        "hint": "screen" if screen else "camera", "content": content, "width": width,
        "height": height, "fps": FPS, "bps": bps, "frames_held": held, "encode_ms": enc,
        "first_slice_ms": dist(spread(rng, encode * (0.45 if name == "x264" else 1), 60)),
        "packetise_ms": dist(spread(rng, 0.004 + mean * 4e-7, 60)), "decode_ms": dec,
        "latency_ms": {"held": held * 1000 / FPS, "encode": enc["p50"],
                       "serialise": round(serialise, 3), "decode": dec["p50"],
                       "total": round(held * 1000 / FPS + enc["p50"] + serialise + dec["p50"], 3)},
        "frame_bytes": dist(frames), "share": dist([b / budget for b in frames]),
        "reached_bps": int(mean * 8 * FPS), "dropped": 2 if name == "vp8" and hard > 1.4 else 0,
        "step": {"worst_share": round(peak * 1.7, 2),
                 "frames_over": int(peak * 3), "settled_after": int(peak * 4)},
        "psnr_db": {"y": round(y, 3), "u": round(u, 3), "v": round(v, 3),
                    "all": round(psnr_all, 3)},
        "ssim": ssim,
        "loss": {"frames": 2 if name != "aom" else 3, "bytes": int(budget * (5 + 4 * hard))},
        "memory_bytes": int((14 + 26 * area * (1 + encode / 9)) * 1e6),
        "cpu_ms": round(encode * 1.03, 3), "fits": enc["p95"] + dec["p95"] <= 1000 / FPS,
        "bits_sha256": hashlib.sha256(key.encode()).hexdigest(), "bytes": frames}


def audio_rows(rng):
    plan = [("opus", "opus", "low delay", bps, ms, 1, 48000, look)
            for bps in (24000, 48000) for ms, look in ((2.5, 2.5), (5, 2.5), (10, 2.5), (20, 6.5),
                                                        (40, 6.5), (60, 6.5))]
    plan += [("opus", "opus", "music stereo", 96000, ms, 2, 48000, 2.5) for ms in (5, 10, 20)]
    plan += [("g722", "G722", "", 64000, ms, 1, 16000, 1.375) for ms in (10, 20)]
    plan += [("pcmu", "PCMU", "", 64000, ms, 1, 8000, 0) for ms in (10, 20)]
    plan += [("l16", "L16", "", 768000, ms, 1, 48000, 0) for ms in (5, 10)]
    for name, codec, mode, bps, ms, channels, hz, look in plan:
        encode = {"opus": 0.012 * ms + 0.02, "g722": 0.004 * ms}.get(name, 0.0004 * ms) * channels
        decode, payload = encode * 0.4, bps * ms / 8000
        enc, dec = dist(spread(rng, encode, 120)), dist(spread(rng, decode, 120))
        serialise = 8000 * (payload + 40) / 1_000_000
        snr = {"opus": 9 + 6 * math.log2(bps / 24000 / channels + 0.5) + min(ms, 20) / 10,
               "g722": 19.5, "pcmu": 31, "l16": 88}[name]
        yield {
            "encoder": name, "codec": codec, "mode": f"{mode} {ms:g} ms".strip(), "bps": bps, "frame_ms": ms,
            "channels": channels, "sample_hz": hz, "delay_ms": look,
            "latency_ms": {"frame": ms, "lookahead": look, "encode": enc["p50"],
                           "serialise": round(serialise, 3), "decode": dec["p50"],
                           "total": round(ms + look + enc["p50"] + serialise + dec["p50"], 3)},
            "encode_ms": enc, "decode_ms": dec,
            "payload_bytes": dist([payload * abs(rng.gauss(1, 0.06 if name == "opus" else 0))
                                   for _ in range(120)]),
            "reached_bps": bps, "snr_db": round(snr, 2),
            "loss": {"snr_db": round(snr * 0.6, 2), "ms": round(ms * 1.6, 1)},
            "memory_bytes": 62000 if name == "opus" else 900}


def recommendations(video):
    for content in CONTENT:
        for width, height, rates in SIZES:
            for bps in rates:
                cells = [c for c in video if (c["content"], c["width"], c["bps"]) ==
                         (content, width, bps)]
                if not cells:
                    continue
                fit = [c for c in cells if c["fits"]] or cells
                best = max(fit, key=lambda c: c["psnr_db"]["all"] - 0.25 * c["latency_ms"]["total"])
                yield {"content": content, "width": width, "height": height, "bps": bps,
                       "encoder": best["encoder"], "preset": best["preset"],
                       "why": f"It gives {best['psnr_db']['all']:.1f} dB at "
                              f"{best['latency_ms']['total']:.1f} ms, the most picture of all that "
                              f"fit into {1000 / FPS:.0f} ms"}


def sample(small=False):
    rng = random.Random(1)
    sizes = [(w, h, r[1:2]) for w, h, r in SIZES[:1]] if small else SIZES
    contents = ["camera", "text"] if small else list(CONTENT)
    video = [video_cell(rng, encoder, content, w, h, bps, rank if not small else 1)
             for w, h, rates in sizes for content in contents
             for rank, bps in enumerate(rates) for encoder in ENCODERS]
    return {
        "tandem_bench": 1, "version": "0.1.0", "when": "2026-11-22T22:30:00Z",
        "machine": {"cpu": "Example CPU 2.4 GHz", "cores": 2, "memory_bytes": 8_220_000_000,
                    "kernel": "6.1.0-18-amd64", "flags": ["sse4_2", "avx2", "fma"],
                    "governor": None, "load": 0.08},
        "libraries": [{"name": n, "version": v} for n, v in LIBRARIES],
        "method": {"frames": 60, "warmup": 15, "rounds": 3, "fps": FPS, "pinned": True,
                   "quick": False},
        "inputs": [{"content": c, "width": w, "height": h, "generated": c in ("slides", "game"),
                    "source": "movie-hello.mp4" if c == "camera" else f"pattern of {c}",
                    "frames": 90, "sha256": hashlib.sha256(f"{c}{w}".encode()).hexdigest()}
                   for c in contents for w, h, _ in sizes],
        "video": video, "audio": list(audio_rows(rng)),
        "failed": [{"encoder": "vp9", "preset": "12", "why": "this libvpx has no speed over 9"}],
        "recommendations": list(recommendations(video))}


if __name__ == "__main__":
    json.dump(sample("small" in sys.argv[1:]), sys.stdout)
