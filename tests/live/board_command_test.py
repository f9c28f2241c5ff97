#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`tandem board`: two processes that draw at each other, part, and meet again; and files.

Usage: board_command_test.py TANDEM [unittest arguments]"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import command_test  # noqa: E402
from chat_command_test import OnTerminal  # noqa: E402
from command_test import DONE, FAILED, PATIENCE, REFUSED, UNREACHABLE, USAGE, free_port  # noqa: E402

SOUND = ["-c:v", "vp8", "--video", "off", "--sink", "off", "--audio", "tone", "--speaker", "null", "--quiet"]


class Board:
    """One `tandem board`, to which requests are said."""

    def __init__(self, folder, name, *args):
        home = os.path.join(folder, name)
        os.makedirs(home, exist_ok=True)
        env = dict(os.environ, HOME=home, XDG_CONFIG_HOME=os.path.join(home, "config"),
                   XDG_DATA_HOME=os.path.join(home, "data"))
        env.pop("DISPLAY", None)
        self.out = os.path.join(home, "out")
        with open(self.out, "wb") as out, open(os.path.join(home, "err"), "wb") as err:
            self.process = subprocess.Popen([command_test.tandem, "board", *args, "--no-window",
                                             "--json"], stdin=subprocess.PIPE, stdout=out,
                                            stderr=err, env=env)
        self.tag = 0

    def lines(self):
        with open(self.out, encoding="utf-8") as f:
            return [json.loads(line) for line in f.read().split("\n")[:-1]]

    def wait(self, found):
        """The first line that `found` wants."""
        until = time.monotonic() + PATIENCE
        while True:
            ended = self.process.poll() is not None
            for line in self.lines():
                if found(line):
                    return line
            if ended or time.monotonic() > until:
                raise AssertionError(self.lines())
            time.sleep(0.05)

    def event(self, name):
        return self.wait(lambda line: line.get("event") == name)

    def ask(self, **request):
        self.tag += 1
        tag = self.tag
        self.process.stdin.write((json.dumps(dict(request, tag=tag)) + "\n").encode())
        self.process.stdin.flush()
        answer = self.wait(lambda line: line.get("tag") == tag)
        if not answer["ok"]:
            raise AssertionError(answer)
        return answer

    def digest(self):
        return self.ask(do="info")["digest"]

    def texts(self):
        return {o.get("text") for o in self.ask(do="list", whole=True)["objects"]}

    def quit(self):
        self.process.stdin.write(b'{"do": "quit"}\n')
        self.process.stdin.flush()
        return self.end()

    def end(self):
        return self.process.wait(PATIENCE)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdin.close()


class Together(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="tandem-board-")
        self.running = []

    def tearDown(self):
        for board in self.running:
            board.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, name, *args):
        board = Board(self.folder, name, *args)
        self.running.append(board)
        return board

    def wait_with(self, *args):
        port = free_port()
        board = self.start("b", "--port", str(port), "--listen", "127.0.0.1", "--once", *args)
        board.event("waiting")
        return board, f"127.0.0.1:{port}"

    def same(self, a, b):
        until = time.monotonic() + PATIENCE
        while a.digest() != b.digest():
            if time.monotonic() > until:
                raise AssertionError((a.lines(), b.lines()))
            time.sleep(0.05)

    def meet(self, port=None):
        b, to = self.wait_with("--yes")
        a = self.start("a", to)
        a.event("synced")
        b.event("synced")
        return a, b

    def test_draw_part_and_meet_again(self):
        a, b = self.meet()
        a.ask(do="add", type="note", x=10, y=20, text="of a")
        b.ask(do="add", type="text", x=10, y=200, text="of b")
        a.ask(do="add", type="pen", points=[[0, 0], [10, 5], [20, 9]])
        self.same(a, b)
        self.assertLessEqual({"of a", "of b"}, a.texts())
        a.ask(do="cursor", x=5, y=6)
        self.assertEqual(b.wait(lambda line: line.get("event") == "cursor" and line["on"])["x"], 5)
        self.look_at(a, b)
        self.assertEqual((a.quit(), b.end()), (DONE, DONE))

        a, b = self.meet()  # Both have it still.
        self.assertLessEqual({"of a", "of b"}, a.texts())
        b.ask(do="add", type="text", text="again")
        self.same(a, b)
        self.assertIn("again", a.texts())
        self.assertEqual((a.quit(), b.end()), (DONE, DONE))

    def look_at(self, a, b):
        """What is seen of each other, but not part of the board."""
        page = a.ask(do="pages")["objects"][0]["object"]
        note = a.ask(do="add", type="note", text="chosen")["object"]
        b.wait(lambda line: line.get("event") == "changed" and line["object"] == note
               and line["theirs"] and line["there"])
        a.ask(do="select", objects=[note])
        a.ask(do="view", page=page, x=1, y=2, width=640, height=480, present=True)
        seen = b.wait(lambda line: line.get("event") == "view" and line["on"])
        self.assertEqual((seen["x"], seen["y"], seen["width"], seen["height"], seen["page"]),
                         (1, 2, 640, 480, page))
        a.ask(do="cursor", page=page, x=7, y=8, laser=True)
        self.assertEqual(b.wait(lambda line: line.get("event") == "laser")["y"], 8)
        a.ask(do="cursor")
        b.wait(lambda line: line.get("event") == "cursor" and not line["on"])
        for wrong in ({"do": "select", "objects": ["1.1"]}, {"do": "view", "width": -1},
                      {"do": "cursor", "x": "left"}):
            with self.assertRaises(AssertionError):
                a.ask(**wrong)

    def test_refused(self):
        b, to = self.wait_with()
        a = self.start("a", to)
        b.event("asked")
        b.process.stdin.write(b'{"do": "answer", "yes": false}\n')
        b.process.stdin.flush()
        self.assertEqual(a.end(), REFUSED)
        self.assertEqual(a.lines()[-1]["exit"], REFUSED)
        b.end()
        self.assertNotIn("joined", [line.get("event") for line in b.lines()])

    def test_nobody_there(self):
        a = self.start("a", "127.0.0.1:9")
        self.assertEqual(a.end(), UNREACHABLE)


class InACall(unittest.TestCase):
    """The board of `call` and `answer`, with people at terminals."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="tandem-board-call-")
        self.running = []

    def tearDown(self):
        for process in self.running:
            process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def person(self, name, verb, *args):
        home = os.path.join(self.folder, name)
        os.makedirs(home, exist_ok=True)
        env = dict(os.environ, HOME=home, XDG_DATA_HOME=home, XDG_CONFIG_HOME=home, TERM="xterm")
        env.pop("DISPLAY", None)  # Where nothing can be shown it is kept all the same.
        process = OnTerminal(env, verb, *args, "--bind", "127.0.0.1", "--no-port-mapping",
                             "--no-accounts", *SOUND)
        self.running.append(process)
        return process

    def both_up(self, of_a=(), of_b=()):
        port = free_port()
        b = self.person("b", "answer", "--auto", "--port", str(port), *of_b)
        b.wait_for("waiting for calls")
        a = self.person("a", "call", f"127.0.0.1:{port}", "--port", str(free_port()), *of_a)
        a.wait_for("up: ")
        b.wait_for("up: ")
        return a, b

    def boards(self, name):
        return [os.path.join(place, file) for place, _, files in
                os.walk(os.path.join(self.folder, name)) for file in files if file == "our.board"]

    def hang_up(self, a, b):
        a.type("q")
        self.assertEqual((a.end(), b.end()), (DONE, DONE))

    def test_opened_with_the_call(self):
        a, b = self.both_up(of_a=["--board"])
        b.wait_for("wants to draw with you")
        self.assertEqual(self.boards("b"), [])
        b.type("y")
        a.wait_for("you draw together")
        b.wait_for("you draw together")
        self.hang_up(a, b)
        self.assertEqual((len(self.boards("a")), len(self.boards("b"))), (1, 1))

    def test_opened_later(self):
        """By who was called, in a call that has no data channel yet; and refused at first."""
        a, b = self.both_up()
        b.type("b")
        a.wait_for("wants to draw with you")
        a.type("n")
        b.wait_for("did not want to")
        self.assertEqual(self.boards("a"), [])
        b.shown = a.shown = b""
        b.type("bb")  # The first hides its window.
        a.wait_for("wants to draw with you")
        a.type("a")
        a.wait_for("you draw together")
        b.wait_for("you draw together")
        self.hang_up(a, b)
        with open(os.path.join(os.path.dirname(self.boards("a")[0]), "contact"),
                  encoding="utf-8") as f:
            self.assertIn("rule always", f.read())


class Files(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="tandem-board-")

    def tearDown(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def file(self, name):
        return os.path.join(self.folder, name)

    def run_on(self, *args, code=DONE, said=""):
        done = subprocess.run([command_test.tandem, "board", *args, "--json"], input=said,
                              capture_output=True, text=True, timeout=PATIENCE,
                              env=dict(os.environ, HOME=self.folder))
        self.assertEqual(done.returncode, code, done)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def draw(self, name, *requests):
        return self.run_on("open", self.file(name), "--no-window",
                           said="".join(json.dumps(r) + "\n" for r in requests))

    def test_files(self):
        self.draw("a", {"do": "add", "type": "rectangle", "x": 0, "y": 0, "w": 100, "h": 50},
                  {"do": "add", "type": "text", "text": "first"})
        self.draw("b", {"do": "add", "type": "ellipse", "w": 30, "h": 30})
        self.run_on("merge", self.file("a"), self.file("b"))
        self.run_on("merge", self.file("b"), self.file("a"))
        a, b = (self.run_on("info", self.file(name))[0] for name in "ab")
        self.assertEqual(a["digest"], b["digest"])
        self.assertEqual(a["objects"], 3)
        for ending, begin in (("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF"),
                              ("excalidraw", b"{")):
            self.run_on("export", self.file("a"), self.file("out." + ending))
            with open(self.file("out." + ending), "rb") as f:
                self.assertTrue(f.read(8).startswith(begin), ending)
        self.run_on("import", self.file("c"), self.file("out.excalidraw"))
        self.assertEqual(self.run_on("info", self.file("c"))[0]["objects"], 3)
        looked = self.run_on("open", self.file("a"), "--at", str(time.time() + 60), "--no-window",
                             said='{"do": "add", "type": "note"}\n{"do": "list"}\n')
        self.assertEqual([line["ok"] for line in looked if "ok" in line], [False, True])
        steps = self.run_on("replay", self.file("a"), "--steps", "4")
        self.assertEqual(len(steps), 4)
        self.assertEqual(steps[-1]["digest"], a["digest"])
        steps = self.run_on("replay", self.file("a"), "--at", str(a["last_ms"] / 1000 + 1))
        self.assertEqual([step["digest"] for step in steps], [a["digest"]])
        gone = self.run_on("compact", self.file("a"))[0]
        self.assertLess(gone["after"], gone["before"])
        self.assertEqual(self.run_on("info", self.file("a"))[0]["digest"], a["digest"])

    def test_requests_about_files(self):
        """What a script says to an open board, answers in order."""
        self.draw("a", {"do": "add", "type": "note", "text": "of a"})
        self.draw("picture", {"do": "add", "type": "ellipse", "w": 20, "h": 10})
        self.run_on("export", self.file("picture"), self.file("picture.png"))
        requests = ({"do": "merge", "path": self.file("a")},
                    {"do": "import", "path": self.file("picture.png"), "page": "0.1"},
                    {"do": "import", "path": self.file("picture.png"), "page": "0.2"},
                    {"do": "undo"}, {"do": "undo"},
                    {"do": "export", "path": self.file("b.svg"), "page": 0, "dark": True},
                    {"do": "merge", "path": self.file("absent")},
                    {"do": "save"}, {"do": "compact"}, {"do": "info"})
        answers = [line for line in self.draw("b", *requests) if "ok" in line]
        self.assertEqual([line["ok"] for line in answers],
                         [True, True, False, True, False, True, False, True, True, True])
        self.assertEqual(answers[1]["objects"], 1)
        self.assertEqual(self.run_on("info", self.file("b"))[0]["digest"], answers[-1]["digest"])
        self.assertEqual(self.run_on("info", self.file("b"))[0]["objects"], 1)
        self.assertTrue(os.path.getsize(self.file("b.svg")) > 100)

    def test_spoiled(self):
        """A board with a hole opens, says so, and is drawn on."""
        for i in range(3):
            self.draw("a", {"do": "add", "type": "note", "text": f"note {i}"})
        with open(self.file("a"), "r+b") as f:
            f.seek(os.path.getsize(self.file("a")) // 2)
            f.write(b"\xff" * 8)
        lines = self.draw("a", {"do": "add", "type": "note"}, {"do": "info"})
        notice = [line["text"] for line in lines if line.get("event") == "notice"]
        self.assertRegex(notice[0], r"damaged: \d+ bytes could not be used; some work may be missing")
        self.assertGreaterEqual(self.run_on("info", self.file("a"))[0]["objects"], 2)
        with open(self.file("a"), "rb") as f:
            spoiled = f.read()
        self.run_on("compact", self.file("a"))
        with open(self.file("a.damaged"), "rb") as f:
            self.assertEqual(f.read()[:len(spoiled)], spoiled)

    def test_last_line(self):
        """The last request of a script may have no end; a note needs no size to be seen."""
        done = subprocess.run(
            [command_test.tandem, "board", "open", self.file("a"), "--no-window", "--json"],
            input='{"do": "answer", "yes": true, "tag": 7}\n{"do": "add", "type": "note"}\n'
                  '{"do": "list"}',
            capture_output=True, text=True, timeout=PATIENCE,
            env=dict(os.environ, HOME=self.folder))
        answers = [json.loads(line) for line in done.stdout.splitlines() if '"ok"' in line]
        self.assertEqual([(a["ok"], a.get("tag")) for a in answers],
                         [(False, 7), (True, None), (True, None)])
        self.assertEqual([o["w"] for o in answers[2]["objects"]], [200])

    def test_nothing_unseen(self):
        """What nobody would see is refused; images that did not come along are told of."""
        answers = [line for line in self.draw(
            "a", {"do": "add", "type": "rectangle", "text": "x"},
            {"do": "text", "object": "0.1", "text": "x"},
            {"do": "add", "type": "note", "color": "#ffffff"}, {"do": "add", "type": "image"},
            {"do": "add", "type": "ellipse", "w": 20, "h": 10}) if "ok" in line]
        self.assertEqual([a["ok"] for a in answers], [False, False, False, False, True])
        self.assertIn("color", answers[2]["why"])
        self.run_on("export", self.file("a"), self.file("a.png"))
        self.run_on("import", self.file("b"), self.file("a.png"))
        whole = self.draw("b", {"do": "info"})
        self.assertFalse([line for line in whole if line.get("event") == "notice"])
        os.rename(self.file("b"), self.file("c"))
        alone = self.draw("c", {"do": "info"})
        notice = [line["text"] for line in alone if line.get("event") == "notice"]
        self.assertIn("c.blobs belongs beside the file", notice[0])
        with open(self.file("c"), "r+b") as f:  # Its last record says that it was closed.
            f.truncate(os.path.getsize(self.file("c")) - 3)
        torn = self.draw("c", {"do": "info"})
        self.assertTrue(any("all work is there" in line.get("text", "") for line in torn))

    def test_wrong(self):
        self.run_on("info", code=USAGE)
        self.run_on("--shine", code=USAGE)
        self.run_on("open", code=USAGE)
        for verb in "info", "compact":
            self.run_on(verb, self.file("absent"), code=FAILED)
        self.run_on("import", self.file("new"), self.file("absent"), code=FAILED)
        self.assertFalse(os.path.exists(self.file("new")))
        self.run_on("info", self.file("absent"), "--page", "2", code=USAGE)
        self.draw("a", {"do": "add", "type": "note"})
        self.run_on("export", self.file("a"), self.file("a.gif"), code=USAGE)
        with open(self.file("no"), "wb") as f:
            f.write(b"this is no board at all, whatever its name is ...........")
        self.run_on("info", self.file("no"), code=USAGE)


if __name__ == "__main__":
    command_test.tandem = sys.argv.pop(1)
    unittest.main(verbosity=2)
