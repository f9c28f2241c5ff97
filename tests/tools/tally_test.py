#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tools/tally adds up what ctest says: a missing program and a broken file are failures."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PASSED = '<testcase name="good" status="run"/>'
FAILED = '<testcase name="bad" status="fail"><failure message=""/></testcase>'
SKIPPED = ('<testcase name="absent" status="notrun"><skipped message="SKIP_RETURN_CODE=77"/>'
           "</testcase>")
EXPLAINED = SKIPPED.replace("</testcase>", "<system-out>x\nSKIP: no camera</system-out></testcase>")
MISSING = ('<testcase name="unbuilt" status="notrun"><skipped message="Unable to find executable"/>'
           "</testcase>")


class TallyTest(unittest.TestCase):
    def tally(self, *files):
        with tempfile.TemporaryDirectory() as folder:
            paths = []
            for i, text in enumerate(files):
                paths.append(Path(folder, f"suite{i}.xml"))
                paths[-1].write_text(text)
            done = subprocess.run([ROOT / "tools/tally", *paths], capture_output=True, text=True,
                                  check=False)
        return done.returncode, done.stdout.splitlines()

    @staticmethod
    def suite(*cases):
        return f'<?xml version="1.0"?><testsuite>{"".join(cases)}</testsuite>'

    def test_sums_over_files(self):
        code, lines = self.tally(self.suite(PASSED, SKIPPED), self.suite(PASSED, EXPLAINED))
        self.assertEqual(code, 0)
        self.assertEqual(lines, ["skipped: suite0: absent (SKIP_RETURN_CODE=77)",
                                 "skipped: suite1: absent (no camera)",
                                 "2 passed, 0 failed, 2 skipped"])

    def test_failures_are_named(self):
        code, lines = self.tally(self.suite(PASSED, FAILED, MISSING))
        self.assertEqual(code, 1)
        self.assertEqual(lines, ["failed: suite0: bad",
                                 "failed: suite0: unbuilt (Unable to find executable)",
                                 "1 passed, 2 failed, 0 skipped"])

    def test_a_broken_file_is_a_failure(self):
        code, lines = self.tally(self.suite(PASSED), "<testsuite>")
        self.assertEqual((code, lines[-1]), (1, "1 passed, 1 failed, 0 skipped"))

    def test_a_second_look(self):
        real = FAILED.replace("bad", "live.bad")
        with tempfile.TemporaryDirectory() as folder:
            first, second = Path(folder, "asan.xml"), Path(folder, "asan.again.xml")

            def again():
                return subprocess.run([ROOT / "tools/tally", "--again", first], text=True,
                                      capture_output=True, check=True).stdout.strip()

            first.write_text(self.suite(PASSED, real))
            self.assertEqual(again(), "live\\.bad")
            second.write_text(self.suite(PASSED.replace("good", "live.bad")))
            done = subprocess.run([ROOT / "tools/tally", first, second], capture_output=True,
                                  text=True, check=False)
            self.assertEqual((done.returncode, done.stdout.splitlines()),
                             (0, ["passed at the second look: asan: live.bad",
                                  "2 passed, 0 failed, 0 skipped"]))
            second.write_text(self.suite(real))
            self.assertEqual(subprocess.run([ROOT / "tools/tally", first, second], check=False,
                                            capture_output=True).returncode, 1)
            # What behaves the same each time has none, nor what a sanitizer spoke about.
            first.write_text(self.suite(PASSED, real, FAILED))
            self.assertEqual(again(), "")
            told = "<system-out>WARNING: ThreadSanitizer: data race</system-out></testcase>"
            first.write_text(self.suite(real.replace("</testcase>", told)))
            self.assertEqual(again(), "")
            first.write_text(self.suite(*[real.replace("bad", f"bad{i}") for i in range(6)]))
            self.assertEqual(again(), "")

    def test_nothing_is_no_success(self):
        self.assertEqual(self.tally(self.suite(SKIPPED))[0], 1)


if __name__ == "__main__":
    sys.exit(unittest.main())
