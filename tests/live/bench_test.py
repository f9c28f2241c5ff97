#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`tandem bench` with good and bad input: exit codes, sentences before anything runs, files.

Usage: bench_test.py TANDEM [unittest arguments]"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import unittest

from bench_sample import sample

DONE, FAILED, USAGE, WORSE = 0, 1, 2, 7
tandem = None


class Bench(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="tandem-bench-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def store(self, name, report):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as out:
            json.dump(report, out)
        return path

    def bench(self, code, *arguments, **more):
        done = subprocess.run([tandem, "bench", *arguments], capture_output=True, text=True,
                              timeout=100, check=False, **more)
        self.assertEqual(done.returncode, code, done.stderr)
        return done

    def fails(self, code, words, *arguments, **more):
        done = self.bench(code, *arguments, **more)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertRegex(done.stderr, words)
        self.assertEqual(done.stdout, "")

    def test_what_is_typed_wrong(self):
        self.fails(USAGE, "of what")
        self.fails(USAGE, "no bench \"cake\"", "cake")
        self.fails(USAGE, "unknown option \"--colour\"", "codec", "--colour")
        self.fails(USAGE, "missing behind \"--sizes\"", "codec", "--sizes")
        self.fails(USAGE, "one word too many", "codec", "call")
        self.fails(USAGE, "does not fit -r", "codec", "-r", "0")
        self.fails(USAGE, "takes no --html", "call", "--html", "x")
        self.fails(USAGE, "baresip and gstreamer, not \"zoom\"", "call", "--against", "zoom")
        for what in ("screen",):
            self.fails(USAGE, "this build", what)

    def test_what_cannot_be_measured(self):
        self.fails(USAGE, "321", "codec", "--sizes", "321x180")
        self.fails(USAGE, "mpeg1", "codec", "--codecs", "mpeg1")
        self.fails(USAGE, "rate|\"0\"", "codec", "--rates", "0")
        self.fails(FAILED, "such.mkv", "codec", "--content", "mine=/no/such.mkv")

    def test_files_are_checked_before(self):
        small = self.store("small.json", sample(True))
        for option in ("--json", "--html"):
            self.fails(FAILED, "/no/such/x", "codec", option, "/no/such/x")
            self.fails(FAILED, "irectory", "codec", option, self.folder)
            self.fails(FAILED, "/dev/full", "codec", option, "/dev/full")
            self.fails(FAILED, "some room", "codec", option, os.path.join(self.folder, "x"),
                       preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000)))
        self.fails(FAILED, "gone.json", "codec", "--compare", "gone.json")
        self.fails(FAILED, "no report", "codec", "--compare", self.store("odd.json", {}))
        self.fails(FAILED, "same file", "codec", "--from", small, "--json", "x", "--html", "x")
        self.assertEqual(sorted(os.listdir(self.folder)), ["odd.json", "small.json"])

    def test_a_stored_report(self):
        small = self.store("small.json", sample(True))
        page, copy = os.path.join(self.folder, "a.html"), os.path.join(self.folder, "b.json")
        done = self.bench(DONE, "codec", "--from", small, "--html", page, "--json", copy)
        for words in ("camera, 640x480", "x264 superfast", "what to use", "opus"):
            self.assertIn(words, done.stdout)
        with open(page, encoding="utf-8") as text:
            self.assertIn("openh264", text.read())
        with open(copy, encoding="utf-8") as text:
            self.assertEqual(len(json.load(text)["video"]), len(sample(True)["video"]))
        done = self.bench(DONE, "codec", "--from", small, "--json", "-")
        self.assertEqual(json.loads(done.stdout)["tandem_bench"], 1)

    def test_nothing_is_measured_from_a_file(self):
        small = self.store("small.json", sample(True))
        for option in ("--codecs x264", "--sizes 640x480", "--content text", "--rates 1M", "-r 30",
                       "--threads 2", "--rounds 2", "--frames 9", "--no-audio", "--quick"):
            name, *value = option.split()
            self.fails(USAGE, f"measures nothing, so {name} does", "codec", "--from", small, name,
                       *value)
            self.fails(USAGE, f"measures nothing, so {name} does", "codec", name, *value, "--from",
                       small)
        # A value that reads as an option is none.
        self.fails(FAILED, "-r", "codec", "--from", "-r")
        self.bench(DONE, "codec", "--from", small, "--quiet")

    def test_a_foreign_report(self):
        report = sample(True)
        bad = "x\x1b[31m\r\n\a\x7f\x9b2J"
        report["machine"]["cpu"] = report["version"] = report["failed"][0]["why"] = bad
        report["recommendations"][0]["why"] = bad
        for i, cell in enumerate(report["video"]):
            cell["preset"] += bad if i else ""
            cell["latency_ms"]["total"] = cell["width"] = cell["dropped"] = cell["threads"] = 1e300
            cell["frame_bytes"]["n"] = cell["fps"] = cell["psnr_db"]["all"] = -1e300
        for cell in report["audio"]:
            cell["mode"] += bad
            cell["latency_ms"]["total"] = cell["snr_db"] = 1e300
        report["partial"] = {"done": 1e300, "total": 1e300}
        new = self.store("new.json", report)
        report["machine"]["cpu"] = "y"
        for cell in report["video"]:
            cell["psnr_db"]["all"] = 1e-9
        done = self.bench(WORSE, "codec", "--from", new, "--compare", self.store("old.json", report))
        for text in (done.stdout, done.stderr):
            self.assertNotRegex(text, r"[^\n -~]|\d{40}")
        self.assertIn("x?[31m??????2J", done.stdout)
        self.assertIn("Two machines: y before, x?", done.stdout)
        odd = os.path.join(self.folder, "odd.json")
        with open(odd, "w", encoding="utf-8") as out:
            out.write("{\x7f\x1b[31m}")
        done = self.bench(FAILED, "codec", "--from", odd)
        self.assertNotRegex(done.stderr, r"[^\n -~]")

    def test_dropped_pictures_are_told(self):
        report = sample(True)
        report["video"][0]["dropped"] = 20
        done = self.bench(DONE, "codec", "--from", self.store("small.json", report))
        self.assertRegex(done.stdout, r"worst +dropped +fits")
        self.assertRegex(done.stdout, r"x264 ultrafast .* 20/80  yes")
        self.assertRegex(done.stdout, r"x264 superfast .* 0/60  yes")

    def test_worse_than_before(self):
        report = sample(True)
        old = self.store("old.json", report)
        self.bench(DONE, "codec", "--from", old, "--compare", old)
        report["video"][0]["psnr_db"]["all"] -= 1
        done = self.bench(WORSE, "codec", "--from", self.store("new.json", report), "--compare", old)
        self.assertIn("WORSE", done.stdout)
        self.bench(DONE, "codec", "--from", old, "--compare", os.path.join(self.folder, "new.json"))
        report = sample(True)
        report["video"][0]["fits"] = False
        done = self.bench(DONE, "codec", "--from", self.store("new.json", report), "--compare", old)
        self.assertRegex(done.stdout, r"0 figures worse, 0 better\n  now .* fits ")


if __name__ == "__main__":
    tandem = sys.argv.pop(1)
    unittest.main(verbosity=2)
