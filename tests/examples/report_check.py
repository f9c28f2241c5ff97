#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The JSON report of a call: it shows a call with sound and picture both ways, and docs/cli.md names
exactly its fields. usage: tests/examples/report_check.py REPORT_JSON CLI_MD"""

import json
import re
import sys

report = json.load(open(sys.argv[1], encoding="utf-8"))
page = open(sys.argv[2], encoding="utf-8").read()
wrong = []

for medium in ("audio", "video"):
    stream = report[medium]
    if not (stream["packets_sent"] > 20 and stream["packets_received"] > 20):
        wrong.append(f"no {medium} both ways: {stream}")
if report["frames_shown"] < 20 or report["glass_to_glass"]["count"] < 20:
    wrong.append("hardly a picture was shown")
if report["mouth_to_ear"]["count"] < 100:
    wrong.append("hardly a sound was played")

# In the tables under "## The report", a row's first cell holds the names of its fields.
section = page.split("\n## The report", 1)[-1].split("\n## ", 1)[0]
named = set()
for row in re.findall(r"^\| (`.*?) \|", section, re.M):
    named |= set(re.findall(r"`(\w+)`", row))
there = set(report)
for key in ("audio", "glass_to_glass", "security", "channel"):
    there |= set(report[key])
there |= set(report["video_stages"][0])
wrong += [f"docs/cli.md does not name {field}" for field in sorted(there - named)]
wrong += [f"docs/cli.md names {field}, which the report has not" for field in sorted(named - there)]

print("\n".join(wrong) or "the report is as docs/cli.md says")
sys.exit(bool(wrong))
