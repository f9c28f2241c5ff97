#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The README's C program is the file that is built and run, compiles against an installed libtandem
as the README says, and the options that the README uses exist.
usage: tests/examples/readme_test.py BUILD_FOLDER"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

root = Path(__file__).resolve().parents[2]
build = Path(sys.argv[1]).resolve()
readme = (root / "README.md").read_text(encoding="utf-8")
wrong = []

blocks = re.findall(r"^```c\n(.*?)^```$", readme, re.M | re.S)
example = (root / "examples/first_call.c").read_text(encoding="utf-8")
if blocks != [example]:
    wrong.append(f"README.md has {len(blocks)} C programs; the one must be examples/first_call.c")

cli = (root / "docs/cli.md").read_text(encoding="utf-8")
documented = set(re.findall(r"^\| `(--?[\w:-]+)", cli, re.M))
for line in re.findall(r"^    (?:\./run |.*\btandem )(?:call|answer|demo)\b.*$", readme, re.M):
    for option in re.findall(r"(?<=\s)--?[a-z][\w:-]*", line):
        if option not in documented:
            wrong.append(f"README.md uses {option}, which docs/cli.md does not have")


def compile_as_told(folder):
    """With the README's own cc line, against what `cmake --install` makes of this build."""
    line = re.search(r"^    (cc .*pkg-config.*)$", readme, re.M)
    if not line:
        return "README.md does not say how to compile"
    subprocess.run(["cmake", "--install", build, "--prefix", folder], check=True,
                   stdout=subprocess.DEVNULL)
    pc = next(Path(folder).rglob("tandem.pc"))
    (Path(folder) / "first_call.c").write_text(blocks[0] if blocks else example, encoding="utf-8")
    env = dict(os.environ, PKG_CONFIG_PATH=str(pc.parent), LD_LIBRARY_PATH=str(pc.parents[1]))
    done = subprocess.run(["sh", "-c", line[1]], cwd=folder, env=env, text=True,
                          capture_output=True, check=False)
    if done.returncode:
        return f"{line[1]}: {done.stderr}"
    ran = subprocess.run([Path(folder) / "first_call"], env=env, text=True, capture_output=True,
                         timeout=20, check=False)
    return None if "usage: first_call" in ran.stderr else f"the program says: {ran.stderr}"


if not (build / "tandem.pc").exists():
    print("SKIP: this build makes no libtandem")
    sys.exit(77)
with tempfile.TemporaryDirectory() as folder:
    trouble = compile_as_told(folder)
if trouble:
    wrong.append(trouble)
print("\n".join(wrong) or "the README holds")
sys.exit(bool(wrong))
