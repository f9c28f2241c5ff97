#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`tandem send` and `tandem get`: what they say, what they ask, how they end, exit codes.

Usage: files_command_test.py TANDEM [unittest arguments]"""

import json
import os
import shutil
import signal
import sys
import tempfile
import termios
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import command_test  # noqa: E402
from chat_command_test import OnTerminal  # noqa: E402
from command_test import DONE, FAILED, PATIENCE, REFUSED, USAGE, free_port  # noqa: E402


class Files(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="tandem-files-")
        self.into = os.path.join(self.folder, "in")
        os.makedirs(self.into)
        self.env = dict(os.environ, TERM="xterm", HOME=self.folder, XDG_DATA_HOME=self.folder)
        self.running = []

    def tearDown(self):
        for process in self.running:
            process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def file(self, name, size=100000):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as f:
            f.write(os.urandom(size))
        return path

    def start(self, *args):
        process = command_test.Process(self.folder, f"{args[0]}{len(self.running)}", *args,
                                       env=self.env)
        self.running.append(process)
        return process

    def terminal(self, *args):
        process = OnTerminal(self.env, *args)
        self.running.append(process)
        return process

    def get_args(self, port, *more):
        return ["get", "--dir", self.into, "--port", str(port), "--listen", "127.0.0.1", *more]

    def get(self, *more):
        port = free_port()
        process = self.start(*self.get_args(port, *more))
        process.wait_for("waiting at SIP port")
        return process, f"127.0.0.1:{port}"

    def get_on_terminal(self, *more):
        port = free_port()
        process = self.terminal(*self.get_args(port, *more))
        process.wait_for("waiting at SIP port")
        return process, f"127.0.0.1:{port}"

    def exit_event(self, process):
        event = json.loads(process.output().splitlines()[-1])
        self.assertEqual(event["event"], "exit")
        return event

    def until(self, what, ready):
        end = time.monotonic() + PATIENCE
        while not ready():
            self.assertLess(time.monotonic(), end, what)
            time.sleep(0.05)

    def test_signals_end_properly(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            get, _ = self.get("--json")
            chat = self.start("chat", "--port", str(free_port()), "--bind", "127.0.0.1", "--json")
            chat.wait_for("waiting at")
            for process in (get, chat):
                process.process.send_signal(number)
                self.assertEqual(process.end(), DONE, process.errors())
                self.assertIn("interrupted", process.errors())
                self.assertIn("interrupted", self.exit_event(process)["reason"])

    def test_signals_in_a_transfer(self):
        big = self.file("big")
        os.truncate(big, 4 << 30)
        for number in (signal.SIGINT, signal.SIGTERM):
            get, to = self.get("--json", "--auto-accept", "all")
            send = self.start("send", "--plain", big, to, "--json")
            self.until("an offer", lambda: "offered" in get.output())
            for process in (send, get):
                process.process.send_signal(number)
                self.assertEqual(process.end(), FAILED, process.errors())
                self.assertIn(": interrupted", process.errors())
                self.assertIn("interrupted", self.exit_event(process)["reason"])

    def test_the_terminal_is_as_before(self):
        for verb in ("get", "chat"):
            for number in (signal.SIGINT, signal.SIGTERM, None):  # None: the key itself.
                port = free_port()
                process = self.terminal(*(self.get_args(port) if verb == "get" else
                                          ("chat", "--port", str(port), "--bind", "127.0.0.1")))
                before = termios.tcgetattr(process.fd)[3]
                process.wait_for("waiting at")
                self.until("keys", lambda: not termios.tcgetattr(process.fd)[3] & termios.ICANON)
                if number:
                    os.kill(process.pid, number)
                else:
                    process.type("\x03")
                self.assertEqual(process.end(), DONE, process.shown)
                self.assertIn(b"interrupted", process.shown)
                self.assertEqual(termios.tcgetattr(process.fd)[3], before)

    def test_a_key_before_the_question_is_no_answer(self):
        get, to = self.get_on_terminal()
        get.type("yyyy")
        time.sleep(0.5)
        send = self.start("send", self.file("first"), to, "--json", "--retry", "5")
        get.wait_for("y takes it")
        send.wait_for("waiting for an answer")
        self.assertNotIn("interrupted", send.errors())
        self.assertFalse(os.listdir(self.into))
        time.sleep(6)  # For what the silence of media would be.
        get.type("n")
        self.assertEqual(send.end(), REFUSED, send.errors())
        self.assertIn("1 of 1 did not arrive; first: refused", self.exit_event(send)["reason"])
        send = self.start("send", self.file("second"), to)
        get.wait_for("offers second")
        get.wait_for("y takes it")
        time.sleep(0.3)
        get.type("y")
        self.assertEqual(send.end(), DONE, send.errors())
        time.sleep(1)  # For what would be said of the channel.
        get.type("\x03")
        self.assertEqual(get.end(), DONE)
        self.assertEqual(os.listdir(self.into), ["second"])
        for said in (get.shown.decode(), send.errors()):
            self.assertNotIn("nothing has come", said)
            self.assertNotIn("connecting again", said)

    def test_a_folder_that_cannot_be_written(self):
        get = self.start("get", "--dir", "/proc", "--port", str(free_port()), "--json")
        self.assertEqual(get.end(), USAGE)
        self.assertIn("cannot write to /proc", get.errors())
        self.assertNotIn("files go to", get.errors())
        self.assertEqual(self.exit_event(get)["exit"], USAGE)

    def test_who_brings_nothing_makes_place(self):
        get, to = self.get("--auto-accept", "all", "--json")
        chat = self.terminal("chat", to, "--bind", "127.0.0.1")
        chat.wait_for("session")
        get.wait_for("data channel")
        send = self.start("send", self.file("mine"), to, "--json")
        send.wait_for("busy, trying again")
        get.wait_for("hung up: nothing was offered")
        self.assertEqual(send.end(), DONE, send.errors())
        self.assertEqual(self.exit_event(send)["reason"], "")
        self.assertEqual(os.listdir(self.into), ["mine"])


if __name__ == "__main__":
    command_test.tandem = sys.argv.pop(1)
    unittest.main(verbosity=2)
