#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`tandem sim`: the list, the tables, the JSON and what is refused.

Usage: sim_command_test.py TANDEM [unittest arguments]"""

import json
import os
import subprocess
import sys
import tempfile
import unittest

DONE, USAGE, MISSED = 0, 2, 7
TANDEM = sys.argv.pop(1)


def sim(*args):
    return subprocess.run([TANDEM, "sim", *args], capture_output=True, text=True, timeout=120,
                          check=False)


class Sim(unittest.TestCase):
    def test_list_is_a_line_each(self):
        listed = json.loads(sim("--list", "--json").stdout)
        text = sim("--list").stdout
        self.assertGreater(len(listed), 40)
        for scenario in listed:
            self.assertEqual(sum(line.split()[:1] == [scenario["scenario"]] or
                                 line.split()[:1] == [scenario["scenario"] + "+"]
                                 for line in text.splitlines()), 1, scenario)
        for section in range(1, 9):
            self.assertIn(f"rfc8867-{section}", [s["scenario"] for s in listed])

    def test_json_is_a_scorecard_beside_the_others(self):
        ran = sim("start-40", "ice-port-port", "--seeds", "3..4", "--json", "--curves")
        self.assertEqual((ran.returncode, ran.stderr), (DONE, ""))
        card = json.loads(ran.stdout)
        self.assertEqual(card["seeds"], [3, 4])
        rows = {(r["scenario"], r["contender"]): r for r in card["rows"]}
        self.assertEqual(set(rows), {("start-40", "tandem"), ("start-40", "gcc-like"),
                                     ("start-40", "scream-like"), ("ice-port-port", "tandem")})
        row = rows["start-40", "tandem"]
        self.assertEqual(row["figures"]["util_%"]["seeds"], 2)
        self.assertEqual(row["met"], all(goal["met"] for goal in row["goals"]))
        self.assertEqual([run["seed"] for run in row["runs"]], [3, 4])
        self.assertEqual(len(row["runs"][0]["rate_mbps"]["values"]), 60)
        self.assertNotEqual(row["runs"][0]["rate_mbps"], row["runs"][1]["rate_mbps"])

    def test_a_seed_is_a_run(self):
        first, again = (sim("start-40", "call-cut", "--seeds", "8").stdout for _ in range(2))
        self.assertEqual(first, again)
        self.assertNotEqual(first, sim("start-40", "call-cut", "--seeds", "9").stdout)

    def test_one_contender(self):
        card = json.loads(sim("start-40", "--peer", "gcc-like", "--seeds", "1", "--json").stdout)
        self.assertEqual([row["contender"] for row in card["rows"]], ["gcc-like"])
        self.assertEqual(sim("ice-port-port", "--peer", "gcc-like").returncode, USAGE)

    def test_check_tells_by_its_exit_code(self):
        with tempfile.TemporaryDirectory() as folder:
            trace = os.path.join(folder, "dark")
            with open(trace, "w", encoding="ascii") as f:
                f.write("".join(f"{ms}\n" for ms in range(1, 1000, 20)) + "9000\n")
            args = ("mobile", "--trace", trace, "--seeds", "1", "--peer", "tandem")
            self.assertEqual(sim(*args, "--check").returncode, MISSED)
            self.assertEqual(sim(*args).returncode, DONE)
        self.assertEqual(sim("ice-port-port", "--check").returncode, DONE)
        self.assertEqual(sim("step", "--check", "--peer", "gcc-like").returncode, USAGE)

    def test_what_is_wrong_is_said_in_a_sentence(self):
        for args, word in (
                (("stpe",), "near it: step"),
                ((), "tandem sim --list"),
                (("step", "--seeds", "9..1"), "--seeds 1..20"),
                (("step", "--encoder", "85"), "--encoder 85,20"),
                (("step", "--trace", "/dev/null"), "marks those"),
                (("mobile", "--trace", "/no/such"), "No such file"),
                (("mobile", "--trace", "/dev/null"), "mahimahi"),
                (("step", "--bogus"), "--help")):
            ran = sim(*args)
            self.assertEqual(ran.returncode, USAGE, args)
            self.assertIn(word, ran.stderr, args)
            self.assertEqual(ran.stdout, "", args)

    def test_help(self):
        ran = sim("--help")
        self.assertEqual(ran.returncode, DONE)
        self.assertIn("--curves", ran.stdout)


if __name__ == "__main__":
    unittest.main()
