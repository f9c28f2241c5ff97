#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Says whether a recording holds a tone: sound_check.py FILE.wav|FILE.raw HZ SECONDS [CHANNEL]

A .raw file is mono, 48 kHz, 16 bits. Status 0 when at least SECONDS of the recording are mostly
that tone (its power over half of all, or over LEAST_SHARE of the environment, in pieces of 100 ms), else 1 with what was heard instead."""

import array
import math
import os
import sys
import wave

PIECE_S = 0.1
LEAST_RMS = 60
LEAST_SHARE = float(os.environ.get("LEAST_SHARE", "0.5"))


def read(path, channel):
    if path.endswith(".raw"):
        with open(path, "rb") as file:
            data = file.read()
        return array.array("h", data[:len(data) // 2 * 2]), 48000
    with wave.open(path) as file:
        if file.getsampwidth() != 2:
            raise SystemExit(f"{path}: {8 * file.getsampwidth()} bits a sample, not 16")
        samples = array.array("h", file.readframes(file.getnframes()))
        return samples[channel::file.getnchannels()], file.getframerate()


def tone_share(piece, hz, rate):
    """The part of a piece's power that lies at this frequency (Goertzel)."""
    turn = 2 * math.cos(2 * math.pi * hz / rate)
    last = before = 0.0
    total = 0.0
    for sample in piece:
        last, before = sample + turn * last - before, last
        total += sample * sample
    power = last * last + before * before - turn * last * before
    return 2 * power / (len(piece) * total) if total else 0


def crossings_hz(piece, rate):
    count = sum(1 for a, b in zip(piece, piece[1:]) if a < 0 <= b)
    return count * rate / len(piece)


def main():
    path, hz, seconds = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
    try:
        samples, rate = read(path, int(sys.argv[4]) if len(sys.argv) > 4 else 0)
    except (OSError, EOFError, wave.Error) as why:
        print(f"{path}: {why}")
        return 1
    size = int(rate * PIECE_S)
    pieces = [samples[at:at + size] for at in range(0, len(samples) - size + 1, size)]
    loud = [p for p in pieces if math.sqrt(sum(s * s for s in p) / size) >= LEAST_RMS]
    good = sum(1 for p in loud if tone_share(p, hz, rate) >= LEAST_SHARE)
    heard = sorted(crossings_hz(p, rate) for p in loud)
    middle = f"{heard[len(heard) // 2]:.0f} Hz" if heard else "silence"
    print(f"{path.rpartition('/')[2]}: {hz:.0f} Hz for {good * PIECE_S:.1f} s of "
          f"{len(pieces) * PIECE_S:.1f} s (heard: {middle})")
    return 0 if good * PIECE_S >= seconds else 1


if __name__ == "__main__":
    sys.exit(main())
