#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""docs/cli.md and `tandem VERB --help` name the same options with the same values, for the same
verbs, and the same exit codes. usage: tests/examples/cli_doc_test.py BUILD_FOLDER"""

import re
import subprocess
import sys
from pathlib import Path

root = Path(__file__).resolve().parents[2]
command = Path(sys.argv[1]).resolve() / "apps/tandem"


CALLS = ("demo", "call", "answer")  # What "all" means in the table: `bench` has its own options.


def said(*arguments):
    done = subprocess.run([command, *arguments], text=True, capture_output=True, timeout=20,
                          check=False)
    if done.returncode:
        sys.exit(f"tandem {' '.join(arguments)} ends with {done.returncode}: {done.stderr}")
    return done.stdout


def options_of(text):
    """{option: value name or ""} of a help text."""
    return dict(re.findall(r"^  (--?[\w:-]+) ?([A-Za-z]*) ", text, re.M))


def documented(page, verbs):
    """{verb: {option: value}} of the table rows | `--option VALUE` | verbs | meaning |."""
    table = {verb: {} for verb in verbs}
    for option, value, where in re.findall(r"^\| `(--?[\w:-]+) ?([A-Za-z]*)` \| ([\w ,]+) \|", page,
                                           re.M):
        for verb in CALLS if where == "all" else re.split(", ?", where):
            if verb not in table:
                sys.exit(f"docs/cli.md: {option} is for {verb}, which is no verb")
            table[verb][option] = value
    return table


def main():
    if not command.exists():
        print("SKIP: this build has no apps/tandem")
        return 77
    page = (root / "docs/cli.md").read_text(encoding="utf-8")
    verbs = re.findall(r"^  tandem (\w+)", said("--help"), re.M)
    wrong = [f"docs/cli.md has no {verb}" for verb in verbs if f"`tandem {verb}" not in page]
    if len(verbs) < 3:
        wrong.append(f"tandem --help lists only: {verbs}")
    table = documented(page, verbs)
    for verb in verbs:
        text = said(verb, "--help")
        there, told = options_of(text), table[verb]
        if len(there) < 9:
            wrong.append(f"tandem {verb} --help lists only: {sorted(there)}")
        wrong += [f"{verb}: docs/cli.md has no {option} {there[option]}".rstrip()
                  for option in there if told.get(option) != there[option]]
        wrong += [f"{verb}: docs/cli.md has {option}, which --help has not"
                  for option in told if option not in there]
        listed = re.search(r"^Exit codes: (.*)$", text, re.M)[1]
        codes = dict(re.findall(r"(\d+) ([\w ]+)", listed))
        rows = dict(re.findall(r"^\| (\d+) \| ([\w ]+)", page, re.M))
        if {code: words.strip() for code, words in rows.items()} != codes:
            wrong.append(f"{verb}: exit codes {codes} in --help, {rows} in docs/cli.md")
    print("\n".join(wrong) or "docs/cli.md holds")
    return int(bool(wrong))


sys.exit(main())
