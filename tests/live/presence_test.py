#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""presence_test.py TANDEM: the verbs presence and contacts, two processes straight at each other:
approval, changes, hooks, and texts with their results. Waits are for what is printed."""

import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
import unittest

TANDEM = sys.argv.pop(1)
DONE, FAILED, USAGE, UNREACHABLE = 0, 1, 2, 5
WAIT = 60


def environment(folder):
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "TANDEM_"))}
    return dict(kept, HOME=folder, XDG_CONFIG_HOME=folder, XDG_DATA_HOME=folder)


class Process:
    def __init__(self, test, folder, *words):
        self.process = subprocess.Popen([TANDEM, *words], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        env=environment(folder))
        self.events, self.rest = [], b""
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.process.stdout, selectors.EVENT_READ)
        test.addCleanup(self.end)

    def wait(self, wanted, what):
        until = time.monotonic() + WAIT
        while True:
            for event in self.events:
                if wanted(event):
                    self.events = self.events[self.events.index(event) + 1:]
                    return event
            left = until - time.monotonic()
            if left <= 0 or not self.selector.select(left):
                raise AssertionError(f"{what} did not come: {self.events}")
            data = os.read(self.process.stdout.fileno(), 65536)
            if not data:
                raise AssertionError(f"{what}: it ended: {self.process.stderr.read().decode()}")
            *lines, self.rest = (self.rest + data).split(b"\n")
            self.events += [json.loads(line) for line in lines if line.strip()]

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=WAIT)
        return self.process.returncode


class Presence(unittest.TestCase):
    def setUp(self):
        self.temp = tempfile.TemporaryDirectory()
        self.addCleanup(self.temp.cleanup)
        self.ann, self.ben = (os.path.join(self.temp.name, name) for name in ("ann", "ben"))
        for folder in (self.ann, self.ben):
            os.mkdir(folder)

    def run_verb(self, folder, *words, code=DONE, text=None):
        result = subprocess.run([TANDEM, *words], input=text, capture_output=True, text=True,
                                env=environment(folder), timeout=WAIT)
        self.assertEqual(result.returncode, code, result.stderr + result.stdout)
        return result.stdout

    def ports(self):
        # Even ones far from those that the system gives out; each process has its own.
        base = 21000 + os.getpid() % 2000 * 4
        return base, base + 2

    def test_watching(self):
        a_port, b_port = self.ports()
        hooked = os.path.join(self.temp.name, "hooked")
        self.run_verb(self.ann, "contacts", "add", "ben", f"ben@127.0.0.1:{b_port}")
        ben = Process(self, self.ben, "presence", "watch", f"x@127.0.0.1:{a_port}", "--json",
                      "--bind", "127.0.0.1", "--port", str(b_port))
        ben.wait(lambda e: e["event"] == "own", "own presence")
        ann = Process(self, self.ann, "presence", "watch", "ben", "--json", "--bind", "127.0.0.1",
                      "--port", str(a_port), "--on-presence", "/usr/bin/touch " + hooked)
        asked = ben.wait(lambda e: e["event"] == "asked", "a question")
        self.assertIn(f"127.0.0.1:{a_port}", asked["who"])
        ann.wait(lambda e: e["event"] == "presence" and not e["known"], "pending")
        self.run_verb(self.ben, "presence", "allow", asked["who"])
        seen = ann.wait(lambda e: e["event"] == "presence" and e["known"], "allowed")
        self.assertEqual((seen["who"], seen["state"]), ("ben", "available"))
        self.run_verb(self.ben, "presence", "set", "meeting", "--note", "room 4", "--until", "2h")
        seen = ann.wait(lambda e: e["event"] == "presence" and e["state"] == "meeting", "meeting")
        self.assertEqual(seen["note"], "room 4")
        self.assertGreater(seen["until"], time.time() + 7000)
        self.run_verb(self.ben, "presence", "polite", asked["who"])
        seen = ann.wait(lambda e: e["event"] == "presence" and e["state"] == "offline", "polite")
        self.assertTrue(seen["known"])
        self.assertEqual(seen["note"], "")
        self.run_verb(self.ben, "presence", "block", asked["who"])
        ann.wait(lambda e: e["event"] == "presence" and not e["known"], "blocked")
        self.assertEqual(ben.end(), DONE)
        self.assertEqual(ann.end(), DONE)
        self.assertTrue(os.path.exists(hooked))

    def test_own(self):
        self.run_verb(self.ann, "presence", "set", "away", "--until", "90m", "--note", "lunch")
        own = json.loads(self.run_verb(self.ann, "presence", "show", "--json"))["own"]
        self.assertEqual((own["state"], own["note"]), ("away", "lunch"))
        self.run_verb(self.ann, "presence", "schedule", "add", "mon-fri", "8:00-18:00")
        self.run_verb(self.ann, "presence", "schedule", "add", "sat 10:00-12:00 busy")
        self.assertEqual(json.loads(self.run_verb(self.ann, "presence", "schedule", "--json")),
                         ["mon-fri 08:00-18:00 available", "sat 10:00-12:00 busy"])
        self.run_verb(self.ann, "presence", "schedule", "remove", "1")
        self.run_verb(self.ann, "presence", "schedule", "remove", "7", code=USAGE)
        self.run_verb(self.ann, "presence", "set", "asleep", code=USAGE)
        self.run_verb(self.ann, "presence", "set", "away", "--until", "noon", code=USAGE)
        self.run_verb(self.ann, "presence", "set", "auto")
        self.run_verb(self.ann, "presence", "dance", code=USAGE)
        with open(os.path.join(self.ann, "tandem", "presence.conf"), encoding="utf-8") as f:
            self.assertIn("schedule = sat 10:00-12:00 busy", f.read())

    def test_contacts(self):
        self.run_verb(self.ann, "contacts", "add", "paul", "paul@reskit.test", "10.0.0.7", "--name",
                      "Paul Okafor", "--group", "family", "--answer", "auto")
        self.run_verb(self.ann, "contacts", "add", "paul", "paul@reskit.test")
        with open(os.path.join(self.ann, "tandem", "contacts.conf"), encoding="utf-8") as f:
            self.assertEqual(f.read().count("paul@reskit.test"), 1)
        with open(os.path.join(self.ann, "tandem", "contacts.conf"), "a", encoding="utf-8") as f:
            f.write("# by hand\nbirthday = 1970\n")
        self.run_verb(self.ann, "contacts", "group", "Paul Okafor", "add", "cellists")
        cards = "BEGIN:VCARD\nVERSION:4.0\nFN:Ada\nIMPP:sip:ada@example.org\nEND:VCARD\n"
        count = self.run_verb(self.ann, "contacts", "import", "-", "--json", text=cards)
        self.assertEqual(json.loads(count)["added"], 1)
        count = self.run_verb(self.ann, "contacts", "import", "-", "--json", text=cards)
        self.assertEqual(json.loads(count), {"added": 0, "merged": 1, "skipped": 0})
        entries = json.loads(self.run_verb(self.ann, "contacts", "list", "--json", "--no-presence"))
        self.assertEqual([e["id"] for e in entries], ["paul", "ada"])
        self.assertEqual(entries[0]["groups"], ["family", "cellists"])
        exported = self.run_verb(self.ann, "contacts", "export", "--group", "family")
        self.run_verb(self.ben, "contacts", "import", "-", text=exported)
        back = json.loads(self.run_verb(self.ben, "contacts", "list", "--json", "--no-presence"))
        self.assertEqual(back[0]["name"], "Paul Okafor")
        self.assertEqual(back[0]["answer"], "auto")
        self.run_verb(self.ann, "contacts", "remove", "ada@example.org")
        self.run_verb(self.ann, "contacts", "remove", "ada", code=USAGE)
        with open(os.path.join(self.ann, "tandem", "contacts.conf"), encoding="utf-8") as f:
            self.assertIn("# by hand\nbirthday = 1970\n", f.read())

    def test_text_by_name(self):
        port = self.ports()[1] + 10000
        self.run_verb(self.ann, "contacts", "add", "ben", f"127.0.0.1:{port}")
        got = os.path.join(self.temp.name, "got")
        script = os.path.join(self.temp.name, "hook")
        with open(script, "w", encoding="utf-8") as f:
            f.write('#!/bin/sh\nprintf "%s" "$TANDEM_TEXT" > "$1"\n')
        os.chmod(script, 0o700)
        self.run_verb(self.ann, "chat", "ben", "nobody", code=UNREACHABLE)
        ben = Process(self, self.ben, "chat", "--json", "--bind", "127.0.0.1", "--port", str(port),
                      "--on-message", f"{script} {got}")
        text = "it is '$(touch x)'; \"well\""
        until = time.monotonic() + WAIT
        while subprocess.run([TANDEM, "chat", "ben", text], env=environment(self.ann),
                             capture_output=True, timeout=WAIT).returncode != DONE:
            self.assertLess(time.monotonic(), until)
        ben.wait(lambda e: e["event"] == "received" and e["text"] == text, "the text")
        while not os.path.exists(got) or not os.path.getsize(got):
            self.assertLess(time.monotonic(), until)
        with open(got, encoding="utf-8") as f:
            self.assertEqual(f.read(), text)
        self.assertEqual(ben.end(), DONE)
        found = json.loads(self.run_verb(self.ann, "chat", "--search", "touch", "--with", "ben",
                                         "--json"))
        self.assertEqual([(e["text"], e["state"]) for e in found], [(text, "delivered")])


unittest.main()
