#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`tandem share` and `tandem assist` with a test picture: who is asked, what is said, exit codes.

Usage: share_command_test.py TANDEM [unittest arguments]"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import command_test  # noqa: E402
from chat_command_test import OnTerminal  # noqa: E402
from command_test import DONE, FAILED, REFUSED, UNREACHABLE, USAGE, free_port  # noqa: E402

PICTURE = ("--desktop", "pattern:still")


class Share(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="tandem-share-")
        self.env = dict(os.environ, TERM="xterm", HOME=self.folder, XDG_CONFIG_HOME=self.folder,
                        XDG_DATA_HOME=self.folder)
        self.env.pop("DISPLAY", None)
        self.running = []

    def tearDown(self):
        for process in self.running:
            process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, *args, **more):
        process = command_test.Process(self.folder, f"{args[0]}{len(self.running)}", *args,
                                       env=self.env, **more)
        self.running.append(process)
        return process

    def wait_with(self, start, verb, *more):
        port = free_port()
        process = start(verb, "--port", str(port), "--listen", "127.0.0.1", *more)
        process.wait_for("waiting at SIP port")
        return process, f"127.0.0.1:{port}"

    def terminal(self, *args):
        process = OnTerminal(self.env, *args)
        self.running.append(process)
        return process

    def events(self, process):
        return [json.loads(line) for line in process.output().splitlines()]

    def test_usage(self):
        for args in (("share", "--control", "sometimes"), ("share", "--allow", "everything"),
                     ("share", "--control", "never", "--allow", "keyboard"), ("share", "a", "b"),
                     ("assist", "--screen", "1"), ("assist", "--ask")):
            self.assertEqual(self.start(*args).end(), USAGE, args)
        self.assertEqual(self.start("share", "--screen", "some", *PICTURE).end(), USAGE)
        wrong = self.start("share", "--control", "sometimes")
        self.assertEqual(wrong.end(), USAGE)
        self.assertIn('"sometimes" does not fit --control', wrong.errors())
        for verb in ("share", "assist"):
            self.assertEqual(self.start(verb, "--help").end(), DONE)

    def test_a_log_that_cannot_be_written(self):
        path = os.path.join(self.folder, "nowhere", "log")
        share = self.start("share", "--port", str(free_port()), "--listen", "127.0.0.1", *PICTURE,
                           "--log", path)
        self.assertEqual(share.end(), FAILED, share.errors())
        self.assertIn(path, share.errors())

    def test_nobody_there(self):
        assist = self.start("assist", "127.0.0.1:9", "--no-window", "--json")
        self.assertEqual(assist.end(), UNREACHABLE, assist.errors())
        self.assertEqual(self.events(assist)[-1]["exit"], UNREACHABLE)

    def test_nobody_can_be_asked(self):
        _, to = self.wait_with(self.start, "share", *PICTURE)
        assist = self.start("assist", to, "--no-window", "--json")
        self.assertEqual(assist.end(), REFUSED, assist.errors())
        events = self.events(assist)
        self.assertIn("refused", [e["event"] for e in events])
        self.assertNotIn("shown", [e["event"] for e in events])
        self.assertIn("refused", events[-1]["reason"])

    def test_allowed_beforehand(self):
        share, to = self.wait_with(self.start, "share", *PICTURE, "--allow", "view,keyboard",
                                   "--json", "--once", "--log", os.path.join(self.folder, "log"))
        picture = os.path.join(self.folder, "seen.png")
        assist = self.start("assist", to, "--no-window", "--json", "--ask", "keyboard",
                            "--seconds", "1", "--snapshot", picture)
        self.assertEqual(assist.end(), DONE, assist.errors())
        self.assertEqual(share.end(), DONE, share.errors())
        events = self.events(assist)
        self.assertIn("shown", [e["event"] for e in events])
        self.assertIn("keyboard", " ".join(e["scopes"] for e in events if e["event"] == "allowed"))
        self.assertEqual(events[-1]["figures"]["exact"], 1)
        with open(picture, "rb") as f:
            head = f.read(24)
        self.assertEqual(head[:8], b"\x89PNG\r\n\x1a\n")
        self.assertEqual((int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")),
                         (640, 360))
        with open(os.path.join(self.folder, "log")) as f:
            self.assertIn("keyboard", f.read())

    def ask(self, process, **request):
        """Says a request on stdin; @return its answer."""
        self.asked = getattr(self, "asked", 0) + 1
        process.process.stdin.write((json.dumps(dict(request, tag=self.asked)) + "\n").encode())
        process.process.stdin.flush()
        until = time.monotonic() + command_test.PATIENCE
        while time.monotonic() < until:
            for line in process.output().split("\n")[:-1]:
                if json.loads(line).get("tag") == self.asked:
                    return json.loads(line)
            time.sleep(0.05)
        raise AssertionError(process.output() + process.errors())

    def test_drawn_by_requests_and_frozen(self):
        _, to = self.wait_with(self.start, "share", *PICTURE, "--allow", "view,annotate")
        board = os.path.join(self.folder, "frozen.board")
        assist = self.start("assist", to, "--no-window", "--json", "--ask", "annotate", "--board",
                            board, stdin=subprocess.PIPE)
        assist.wait_for("the screen is there")
        until = time.monotonic() + command_test.PATIENCE
        while not self.ask(assist, do="annotations")["ok"] and time.monotonic() < until:
            time.sleep(0.05)
        box = self.ask(assist, do="annotate", type="rectangle", x=50, y=60, w=100, h=40)
        self.assertTrue(box["ok"], box)
        there = self.ask(assist, do="annotations")["annotations"]
        self.assertEqual([(a["object"], a["x"], a["y"]) for a in there], [(box["object"], 50, 60)])
        self.assertFalse(self.ask(assist, do="fly")["ok"])
        self.assertFalse(self.ask(assist, do="annotate", type="rectangle", surface=9)["ok"])
        self.assertEqual(self.ask(assist, do="freeze")["annotations"], 1)
        self.assertEqual(self.ask(assist, do="clear")["cleared"], 1)
        assist.process.stdin.close()
        assist.process.send_signal(signal.SIGINT)
        self.assertEqual(assist.end(), DONE, assist.errors())
        picture = os.path.join(self.folder, "frozen.png")
        self.assertEqual(self.start("board", "export", board, picture).end(), DONE)
        with open(picture, "rb") as f:
            self.assertEqual(f.read(8), b"\x89PNG\r\n\x1a\n")

    def test_asked_on_the_terminal(self):
        share, to = self.wait_with(self.terminal, "share", *PICTURE, "--quiet")
        refused = self.start("assist", to, "--no-window", "--json")
        share.wait_for("refuses it")  # Keys typed before that are not an answer.
        share.type("n")
        self.assertEqual(refused.end(), REFUSED, refused.errors())
        share.wait_for("hung up")
        share.shown = b""
        assist = self.start("assist", to, "--no-window", "--json", "--seconds", "1")
        share.wait_for("refuses it")
        share.type("y")
        self.assertEqual(assist.end(), DONE, assist.errors())
        self.assertIn("shown", [e["event"] for e in self.events(assist)])
        share.type("q")
        self.assertEqual(share.end(), DONE)

    def test_shown_to_who_waits(self):
        assist, to = self.wait_with(self.start, "assist", "--no-window", "--json", "--once")
        share = self.start("share", to, *PICTURE, "--json", "--seconds", "1")
        self.assertEqual(share.end(), DONE, share.errors())
        self.assertEqual(assist.end(), DONE, assist.errors())
        self.assertIn("shown", [e["event"] for e in self.events(assist)])


if __name__ == "__main__":
    command_test.tandem = sys.argv.pop(1)
    unittest.main(verbosity=2)
