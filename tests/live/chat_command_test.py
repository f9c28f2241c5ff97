#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`tandem chat`, and texts beside a call: one text, talks through pipes and on a terminal, the
history, exit codes.

Usage: chat_command_test.py TANDEM [unittest arguments]"""

import fcntl
import json
import os
import pty
import re
import select
import shutil
import stat
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import command_test  # noqa: E402
from command_test import DONE, MEDIA, PATIENCE, UNREACHABLE, USAGE, free_port  # noqa: E402


class OnTerminal:
    """A tandem on a terminal of its own; everything that it shows is kept."""

    def __init__(self, env, *args):
        self.shown = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(command_test.tandem, [command_test.tandem, *args], env)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
        self.status = None

    def type(self, text):
        os.write(self.fd, text.encode())

    def read(self, seconds):
        if select.select([self.fd], [], [], seconds)[0]:
            try:
                self.shown += os.read(self.fd, 65536)
            except OSError:  # The other side of the terminal is gone.
                return False
        return True

    def wait_for(self, words):
        until = time.monotonic() + PATIENCE
        while words.encode() not in self.shown:
            if time.monotonic() > until or not self.read(0.1):
                raise AssertionError(f"no \"{words}\" in:\n{self.shown.decode(errors='replace')}")

    def end(self):
        until = time.monotonic() + PATIENCE
        while self.read(0.1) and time.monotonic() < until:
            pass
        self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.status

    def kill(self):
        if self.status is None:
            os.kill(self.pid, 9)
            os.waitpid(self.pid, 0)
        os.close(self.fd)


class Chat(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="tandem-chat-")
        self.running = []

    def tearDown(self):
        for process in self.running:
            process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def env(self, name):
        """A person with own settings and history."""
        home = os.path.join(self.folder, name)
        os.makedirs(home, exist_ok=True)
        return dict(os.environ, HOME=home, XDG_DATA_HOME=home, XDG_CONFIG_HOME=home, TERM="xterm")

    def start(self, who, *args):
        process = command_test.Process(self.folder, f"{who}{len(self.running)}", *args,
                                       env=self.env(who))
        self.running.append(process)
        return process

    def waiting(self, who, *args):
        port = free_port()
        process = self.start(who, "chat", "--port", str(port), "--bind", "127.0.0.1", *args)
        process.wait_for("waiting at SIP port")
        return process, f"127.0.0.1:{port}"

    def terminal(self, who, *args):
        process = OnTerminal(self.env(who), "chat", "--bind", "127.0.0.1", *args)
        self.running.append(process)
        return process

    def run_chat(self, who, *args, typed=""):
        return subprocess.run([command_test.tandem, "chat", *args], input=typed.encode(),
                              capture_output=True, timeout=PATIENCE, env=self.env(who))

    def history(self, who, *args):
        return json.loads(self.run_chat(who, "--history", "--json", *args).stdout)

    def events(self, process):
        return [json.loads(line) for line in process.output().splitlines()]

    def until(self, what, ready):
        end = time.monotonic() + PATIENCE
        while not ready():
            self.assertLess(time.monotonic(), end, what)
            time.sleep(0.05)

    def test_one_text(self):
        waiting, to = self.waiting("paul", "--json")
        said = self.run_chat("ann", "--bind", "127.0.0.1", to, "hello \x1b[31mred\x07\nsecond line",
                             "--json")
        self.assertEqual(said.returncode, DONE, said.stderr)
        lines = [json.loads(line) for line in said.stdout.splitlines()]
        self.assertEqual([line["event"] for line in lines], ["delivered", "exit"])
        self.until("the text", lambda: "received" in waiting.output())
        event = self.events(waiting)[0]
        self.assertEqual(event["text"], "hello \ufffd[31mred\ufffd\nsecond line")
        self.assertRegex(event["address"], r"^sip:tandem@127\.0\.0\.1(:\d+)?$")
        self.assertNotIn("\x1b", waiting.errors())
        # No line of a text looks like somebody else's.
        self.assertRegex(waiting.errors(), r"(?m)^ {9}second line$")
        self.assertEqual([entry["state"] for entry in self.history("ann")], ["delivered"])
        self.assertEqual([entry["state"] for entry in self.history("paul")], ["received"])
        kept = os.path.join(self.folder, "ann", "tandem", "chat.db")
        self.assertEqual(stat.S_IMODE(os.stat(kept).st_mode), 0o600)

    def test_nobody_there(self):
        to = f"127.0.0.1:{free_port()}"
        said = self.run_chat("ann", "--bind", "127.0.0.1", to, "anybody?")
        self.assertEqual(said.returncode, UNREACHABLE, said.stderr)
        self.assertIn(b"nothing listens", said.stderr)
        self.assertEqual(self.history("ann")[0]["state"], "failed")
        # It is not lost: the next session brings it.
        waiting = self.start("paul", "chat", "--port", to.split(":")[1], "--bind", "127.0.0.1")
        waiting.wait_for("waiting at")
        said = self.run_chat("ann", "--bind", "127.0.0.1", to, typed="here again\n")
        self.assertEqual(said.returncode, DONE, said.stderr)
        self.assertRegex(waiting.errors(), r"(?s): anybody\?.*: here again")
        self.assertEqual([e["state"] for e in self.history("ann")], ["delivered"] * 2)

    def test_the_server_is_gone(self):
        accounts = os.path.join(self.folder, "accounts.json")
        with open(accounts, "w", opener=lambda p, f: os.open(p, f, 0o600), encoding="utf-8") as f:
            json.dump({"accounts": [{"address": "ann@reskit.test", "transport": "tcp",
                                     "server": f"127.0.0.1:{free_port()}"}]}, f)
        said = self.run_chat("ann", "--bind", "127.0.0.1", "--accounts", accounts,
                             "paul@reskit.test", "anybody?")
        self.assertEqual(said.returncode, UNREACHABLE, said.stderr)
        self.assertIn(b"cannot be used", said.stderr)

    def test_long_text_goes_in_a_session(self):
        waiting, to = self.waiting("paul", "--json")
        text = "0123456789" * 9000
        said = self.run_chat("ann", "--bind", "127.0.0.1", to, text)
        self.assertEqual(said.returncode, DONE, said.stderr)
        self.assertTrue(next(e for e in self.events(waiting) if e["event"] == "received")["cut"])
        self.assertEqual(self.history("paul")[0]["text"], text)
        said = self.run_chat("ann", "--bind", "127.0.0.1", "--messages", to, text)
        self.assertEqual(said.returncode, USAGE)
        self.assertIn(b"too long", said.stderr)

    def test_through_pipes(self):
        waiting, to = self.waiting("paul", "--json")
        said = self.run_chat("ann", "--bind", "127.0.0.1", to,
                             typed="one\ntwo\n/edit three\n//four\n/nonsense\nlast")
        self.assertEqual(said.returncode, DONE, said.stderr)
        self.assertIn(b"/edit TEXT", said.stderr)  # What /nonsense was answered.
        texts = [(e["event"], e["text"]) for e in self.events(waiting) if "text" in e]
        # What has not left yet when it is changed arrives as it was meant.
        if ("received", "three") in texts:
            texts[1:2] = [("received", "two"), ("edited", "three")]
        self.assertEqual(texts, [("received", "one"), ("received", "two"), ("edited", "three"),
                                 ("received", "/four"), ("received", "last")])
        self.assertEqual([e["text"] for e in self.history("paul", "--search", "ree")], ["three"])
        self.assertEqual(len(self.history("ann", to.split(":")[0], "--limit", "2")), 2)
        self.assertEqual(self.history("ann", "nobody@else"), [])
        shown = self.run_chat("ann", "--history").stdout.decode()
        self.assertRegex(shown, r"to 127\.0\.0\.1 \(delivered\) \(changed\): three")

    def test_messages_alone(self):
        waiting, to = self.waiting("paul")
        said = self.run_chat("ann", "--messages", "--bind", "127.0.0.1", to, typed="by SIP\n")
        self.assertEqual(said.returncode, DONE, said.stderr)
        waiting.wait_for(": by SIP")
        self.assertNotIn("in a session", waiting.errors())

    def test_on_a_terminal(self):
        port = free_port()
        paul = self.terminal("paul", "--port", str(port))
        paul.wait_for("waiting at")
        paul.wait_for("(nobody yet)>")
        ann = self.terminal("ann", f"127.0.0.1:{port}", "--dir", self.folder)
        ann.wait_for("in a session with")
        paul.wait_for("in a session with")
        ann.type("hell\u00e4\x7fo")  # A mistake that is taken back.
        paul.wait_for("is typing...")
        ann.type("\r")
        paul.wait_for("tandem@127.0.0.1: hello")
        ann.wait_for("\u2713\u2713")  # Read.
        paul.type("hello to you\r")
        ann.wait_for(": hello to you")
        path = os.path.join(self.folder, "a picture.png")
        with open(path, "wb") as f:
            f.write(os.urandom(300000))
        paul.type(f"/send {path}\r")
        ann.wait_for("file offered: a picture.png, 300000 bytes")
        ann.type("/take\r")
        ann.wait_for("received and verified")
        ann.type("/history hello you\r")
        ann.wait_for("127.0.0.1: hello to you\r\n")
        ann.type("/quit\r")
        self.assertEqual(ann.end(), DONE)
        paul.wait_for("texts go as messages now")
        paul.type("\x04")
        self.assertEqual(paul.end(), DONE)

    def test_who_died_is_missed(self):
        waiting, to = self.waiting("paul")
        ann = self.terminal("ann", to)
        ann.wait_for("in a session with")
        time.sleep(6)  # Nothing is said of media that nobody sends.
        self.assertNotIn(b"nothing has come", ann.shown)
        waiting.kill()
        ann.wait_for("connecting again")
        ann.wait_for("nothing has come from the other side for 5 s")
        ann.wait_for("texts go as messages now")
        ann.type("/quit\r")
        self.assertEqual(ann.end(), DONE)

    def test_beside_a_call(self):
        for extra in ([], ["--chat"]):
            port = free_port()
            answer = self.start("paul", "answer", "--auto", "--port", str(port), "--bind",
                                "127.0.0.1", *MEDIA, *extra)
            answer.wait_for("waiting for calls")
            media = [option for option in MEDIA if option != "--no-keys"]
            call = OnTerminal(self.env("ann"), "call", f"127.0.0.1:{port}", "--bind", "127.0.0.1",
                              "--port", str(free_port()), *media, *extra)
            self.running.append(call)
            call.wait_for("up:")
            call.type("cq is no hanging up here\r")
            answer.wait_for(": q is no hanging up here")
            call.type("q")
            self.assertEqual(call.end(), DONE)
            self.assertEqual(answer.end(), DONE)

    def test_a_call_with_sound_is_refused(self):
        waiting, to = self.waiting("paul")
        call = self.start("ann", "call", to, "--bind", "127.0.0.1", *MEDIA)
        self.assertEqual(call.end(), command_test.REFUSED, call.errors())
        waiting.wait_for("refused a call with sound or picture")

    def test_usage(self):
        for args, words in ((["--nonsense"], "unknown option"), (["--port"], "a value is missing"),
                            (["a", "b", "c"], "one word too many"), (["--limit", "3"], "--history"),
                            (["--port", "0", "x"], "does not fit"), ([""], "empty word")):
            said = self.run_chat("ann", *args)
            self.assertEqual(said.returncode, USAGE, args)
            self.assertRegex(said.stderr.decode(), re.escape(words))
        broken = os.path.join(self.folder, "ann", "tandem", "chat.db")
        os.makedirs(os.path.dirname(broken), exist_ok=True)
        with open(broken, "w", encoding="utf-8") as f:
            f.write("not a database, and longer than a page's head " * 50)
        said = self.run_chat("ann", "--history")
        self.assertEqual(said.returncode, command_test.FAILED)
        self.assertIn(b"move it away", said.stderr)


if __name__ == "__main__":
    command_test.tandem = sys.argv.pop(1)
    unittest.main(verbosity=2)
