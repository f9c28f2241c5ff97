#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tools/lint over a small tree: what it runs, what it remembers, and that findings fail."""

import json
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GOOD = "int half(int x);\nint half(int x)\n{\n    return x / TWO;\n}\n"
BAD = "int never(void);\nint never(void)\n{\n    int zero = 0;\n    return 3 / zero;\n}\n"


class LintTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="with a blank ")
        self.root = Path(self.folder.name).resolve()
        self.write(".clang-tidy", "Checks: '-*,clang-analyzer-core.*'\nWarningsAsErrors: '*'\n")
        self.write("two.h", "#define TWO 2\n")
        self.write("good.c", '#include "two.h"\n' + GOOD)
        self.write("other.c", GOOD.replace("TWO", "3"))
        self.configure("good.c", "other.c")

    def tearDown(self):
        self.folder.cleanup()

    def write(self, name, text):
        (self.root / name).parent.mkdir(exist_ok=True)
        (self.root / name).write_text(text)

    def configure(self, *names):
        self.write("build/compile_commands.json", json.dumps([
            {"directory": str(self.root / "build"), "file": str(self.root / name),
             "command": f"ccache cc -I.. -o {name}.o -c ../{name}"} for name in names]))

    def lint(self):
        done = subprocess.run([ROOT / "tools/lint", "--root", self.root, "-p", self.root / "build"],
                              capture_output=True, text=True, check=False)
        return done.returncode, done.stdout

    def test_remembers_what_passed_until_a_header_changes(self):
        self.assertEqual(self.lint(), (0, "lint: 2 files, 0 unchanged, 0 with findings\n"))
        self.assertEqual(self.lint(), (0, "lint: 2 files, 2 unchanged, 0 with findings\n"))
        self.write("two.h", "#define TWO 4\n")
        self.assertEqual(self.lint(), (0, "lint: 2 files, 1 unchanged, 0 with findings\n"))

    def test_remembers_nothing_when_the_checks_change(self):
        self.lint()
        self.write(".clang-tidy", "Checks: '-*,clang-analyzer-*'\nWarningsAsErrors: '*'\n")
        self.assertEqual(self.lint(), (0, "lint: 2 files, 0 unchanged, 0 with findings\n"))

    def test_findings_fail_each_time(self):
        self.write("bad.c", BAD)
        self.configure("good.c", "bad.c")
        for unchanged in (0, 1):
            code, said = self.lint()
            self.assertEqual(code, 1)
            self.assertIn("bad.c:5", said)
            self.assertIn(f"2 files, {unchanged} unchanged, 1 with findings", said)

    def test_a_file_that_does_not_compile_fails(self):
        self.write("bad.c", '#include "gone.h"\n')
        self.configure("bad.c")
        self.assertEqual(self.lint()[0], 1)

    def test_nothing_to_check_fails(self):
        self.configure()
        self.assertEqual(self.lint()[0], 1)


if __name__ == "__main__":
    if not shutil.which("clang-tidy"):
        print("SKIP: clang-tidy is not installed")
        sys.exit(77)
    sys.exit(unittest.main())
