#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The tandem command with good and bad input: exit codes, one sentence on stderr for what went
wrong, JSON that parses, a proper good-bye, and recordings that open whatever happened.

Usage: command_test.py TANDEM CLOSE_WINDOW [unittest arguments]"""

import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

PATIENCE = 40  # Seconds for anything that ends by itself; a loaded machine is slow.
MEDIA = ["--video", "pattern", "--audio", "tone", "--sink", "null", "--speaker", "null",
         "-s", "320x180", "-r", "15", "--no-keys", "--quiet"]
DONE, FAILED, USAGE, REFUSED, NO_ANSWER, UNREACHABLE, NO_COMMON_CODEC = range(7)

tandem = close_window = None


def free_port():
    """A port that is free for UDP and TCP now, and not one the kernel gives to others."""
    for port in range(15060 + os.getpid() % 2000, 32000, 2):
        try:
            for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                with socket.socket(socket.AF_INET, kind) as s:
                    s.bind(("127.0.0.1", port))
            return port
        except OSError:
            continue
    raise RuntimeError("no free port")


class Process:
    """One tandem; its stderr goes to a file so that it never waits for a reader."""

    def __init__(self, folder, name, *args, stdin=subprocess.DEVNULL, **more):
        self.path = os.path.join(folder, name + ".err")
        self.out = os.path.join(folder, name + ".out")
        with open(self.path, "wb") as err, open(self.out, "wb") as out:
            self.process = subprocess.Popen([tandem, *args], stdin=stdin, stdout=out, stderr=err,
                                            **more)

    def errors(self):
        with open(self.path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def output(self):
        with open(self.out, encoding="utf-8", errors="replace") as f:
            return f.read()

    def wait_for(self, words):
        until = time.monotonic() + PATIENCE
        while words not in self.errors():
            if time.monotonic() > until or self.process.poll() is not None:
                if words in self.errors():
                    return
                raise AssertionError(f"no \"{words}\" in:\n{self.errors()}")
            time.sleep(0.05)

    def end(self):
        return self.process.wait(PATIENCE)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Command(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="tandem-command-")
        self.running = []

    def tearDown(self):
        for process in self.running:
            process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def file(self, name):
        return os.path.join(self.folder, name)

    def start(self, name, *args, **more):
        process = Process(self.folder, name, *args, **more)
        self.running.append(process)
        return process

    def answer(self, *args, auto=True, name="answer", **more):
        port = free_port()
        process = self.start(name, "answer", "--port", str(port), "--bind", "127.0.0.1",
                             *(["--auto"] if auto else []), *MEDIA, *args, **more)
        process.wait_for("waiting for calls")
        return process, f"127.0.0.1:{port}"

    def call(self, to, *args, name="call", **more):
        return self.start(name, "call", to, "--bind", "127.0.0.1", "--port", str(free_port()),
                          *MEDIA, *args, **more)

    def sentences(self, text):
        """Each line of stderr is a sentence of its own: no empty one, none too long, no dump of
        numbers or names from inside."""
        for line in text.splitlines():
            self.assertTrue(line.strip(), repr(text))
            self.assertLess(len(line), 300, line)
            self.assertNotRegex(line, r"(?i)assert|segfault|errno|0x[0-9a-f]{6,}|\btdm_|\(null\)")

    def fails(self, code, words, *args):
        process = self.start("fails", *args)
        codes = code if isinstance(code, tuple) else (code,)
        self.assertIn(process.end(), codes, process.errors())
        text = process.errors()
        self.sentences(text)
        self.assertRegex(text, words)
        return text

    def opens(self, path, streams):
        if not shutil.which("ffprobe"):
            return
        probe = subprocess.run(["ffprobe", "-v", "error", "-show_entries", "stream=codec_type",
                                "-of", "csv=p=0", path], capture_output=True, text=True)
        self.assertEqual(sorted(probe.stdout.split()), streams, probe.stderr)

    # What a person types wrong.

    def test_usage(self):
        self.fails(USAGE, "tandem --help", "dance")
        self.fails(USAGE, "unknown option \"--colour\"", "call", "127.0.0.1", "--colour")
        self.fails(USAGE, "missing", "call", "127.0.0.1", "--video")
        self.fails(USAGE, "whom", "call")
        self.fails(USAGE, "one word too many", "call", "127.0.0.1", "127.0.0.2")
        self.fails(USAGE, "-s", "call", "127.0.0.1", "-s", "big")
        self.fails(USAGE, "-b:v", "call", "127.0.0.1", "-b:v", "-3")
        self.fails(USAGE, "--port", "answer", "--port", "70000")
        self.fails(USAGE, "--seconds", "answer", "--seconds", "never")
        process = self.start("help", "--help")
        self.assertEqual(process.end(), DONE)
        self.assertIn("tandem call", process.output())
        self.assertEqual(process.errors(), "")

    def test_wrong_media(self):
        def call(code, words, *args):
            port = str(free_port())
            text = self.fails(code, words, "call", "127.0.0.1:9", "--bind", "127.0.0.1",
                              "--port", port, *MEDIA, *args)
            self.assertEqual(len(text.splitlines()), 1, text)

        call(USAGE, "pattern", "--video", "telescope")
        call(FAILED, "/no/such.mp4", "--video", "file:/no/such.mp4")
        call(USAGE, "tone", "--audio", "drum")
        call(USAGE, "vp8", "-c:v", "mpeg1")
        call(USAGE, "superfast", "-c:v", "x264", "-preset", "placebo")
        call(USAGE, "1 to 64", "-threads", "65")
        call(USAGE, "opus", "-c:a", "mp3")
        call(USAGE, "321x180", "-s", "321x180")
        call(FAILED, "/no/such/x.mkv", "--record", "/no/such/x.mkv")
        call(FAILED, "/no/such/x.png", "--sheet", "/no/such/x.png")
        call(FAILED, "no-such-camera", "--video", "cam:/dev/no-such-camera")

    def test_damaged_clips(self):
        noise = self.file("noise.mp4")
        with open(noise, "wb") as f:
            f.write(bytes(range(256)) * 64)
        empty = self.file("empty.mkv")
        with open(empty, "wb"):
            pass
        for path in (noise, empty, self.folder, "/dev/null"):
            self.fails((FAILED, USAGE), os.path.basename(path), "call", "127.0.0.1:9", "--bind", "127.0.0.1",
                       "--port", str(free_port()), *MEDIA, "--video", "file:" + path)

    # How a call ends.

    def test_nobody(self):
        self.fails(UNREACHABLE, ".", "call", "127.0.0.1:9", "--bind", "127.0.0.1", "--port",
                   str(free_port()), *MEDIA)

    def test_unknown_host(self):
        self.fails(UNREACHABLE, "no-such-host.invalid", "call", "x@no-such-host.invalid",
                   "--bind", "127.0.0.1", "--port", str(free_port()), *MEDIA)

    def test_refused_without_keys(self):
        answer, to = self.answer(auto=False)
        call = self.call(to)
        self.assertEqual(call.end(), REFUSED, call.errors())
        answer.end()
        self.sentences(call.errors() + answer.errors())

    def test_no_common_codec(self):
        answer, to = self.answer("-c:v", "h264", "-c:a", "l16")
        call = self.call(to, "-c:v", "vp8", "-c:a", "pcma")
        self.assertEqual(call.end(), NO_COMMON_CODEC, call.errors())
        self.assertEqual(answer.end(), NO_COMMON_CODEC, answer.errors())
        self.assertIn("codec", call.errors())
        self.sentences(call.errors() + answer.errors())

    def test_plain_is_refused(self):
        _, to = self.answer("--keep")
        call = self.call(to, "--only-plain")
        self.assertEqual(call.end(), NO_COMMON_CODEC, call.errors())
        self.assertIn("without --only-plain", call.errors())
        self.sentences(call.errors())

    def test_busy(self):
        answer, to = self.answer()
        first = self.call(to, name="first")
        first.wait_for("up:")
        second = self.call(to, name="second")
        self.assertEqual(second.end(), REFUSED, second.errors())
        self.assertIn("busy", second.errors())
        self.assertIsNone(first.process.poll())
        first.process.send_signal(signal.SIGINT)
        self.assertEqual(first.end(), DONE)
        answer.end()

    def test_interrupt_says_goodbye(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            answer, to = self.answer(name="answer" + str(int(number)))
            call = self.call(to, name="call" + str(int(number)))
            call.wait_for("up:")
            answer.wait_for("up:")
            call.process.send_signal(number)
            self.assertEqual(call.end(), DONE, call.errors())
            self.assertEqual(answer.end(), DONE, answer.errors())
            self.assertIn("the other side hung up", answer.errors())

    def test_interrupt_while_ringing_and_waiting(self):
        answer, to = self.answer(auto=False, name="waits")
        answer.process.send_signal(signal.SIGINT)
        answer.end()
        self.sentences(answer.errors())
        # Somebody who takes the call's packets and never says a word.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
            silent.bind(("127.0.0.1", 0))
            call = self.call(f"127.0.0.1:{silent.getsockname()[1]}")
            call.wait_for("calling")
            time.sleep(0.3)
            call.process.send_signal(signal.SIGINT)
            time.sleep(0.5)
            call.process.send_signal(signal.SIGINT)
            call.end()
            self.sentences(call.errors())

    def test_port_taken(self):
        answer, to = self.answer()
        port = to.split(":")[1]
        self.fails(FAILED, port, "answer", "--bind", "127.0.0.1", "--port", port, *MEDIA)
        self.fails(FAILED, ".", "answer", "--bind", "nowhere", *MEDIA)
        answer.process.send_signal(signal.SIGINT)
        answer.end()

    # Files and figures.

    def test_json_and_files(self):
        record, sheet = self.file("saw.mkv"), self.file("saw.png")
        trace, report = self.file("trace.json"), self.file("report.json")
        answer, to = self.answer("--json", "--record", record, "--sheet", sheet, "--time-code")
        call = self.call(to, "--json", "--trace", trace, "--report", report, "--time-code",
                         "--dtmf", "12", "--snapshot", self.file("last.png"), "--seconds", "5")
        self.assertEqual(call.end(), DONE, call.errors())
        self.assertEqual(answer.end(), DONE, answer.errors())
        for process in (call, answer):
            outcome = json.loads(process.output())
            self.assertEqual(outcome["exit"], DONE)
            self.assertGreater(outcome["report"]["frames_shown"], 10)
            self.assertGreater(outcome["report"]["pixel_latency"]["count"], 5)
        for path in (trace, report):
            with open(path, encoding="utf-8") as f:
                self.assertTrue(json.load(f))
        for path in (sheet, self.file("last.png")):
            with open(path, "rb") as f:
                self.assertEqual(f.read(8), b"\x89PNG\r\n\x1a\n")
        self.opens(record, ["audio", "video"])
        for digit in "12":
            self.assertEqual(answer.errors().count("digit " + digit), 1)

    def test_files_in_a_call(self):
        taken, refused, inbox = self.file("taken.bin"), self.file("refused.txt"), self.file("in")
        os.mkdir(inbox)
        content = os.urandom(300_000)
        for path in (taken, refused):
            with open(path, "wb") as f:
                f.write(content)
        answer, to = self.answer("--get", inbox, "--auto-accept", "type:.bin", "--send", taken)
        call = self.call(to, "--send", taken, "--send", refused, "--seconds", "8")
        answer.wait_for("taken.bin: received and verified")
        call.wait_for("taken.bin: sent and verified there")
        call.wait_for("refused.txt: refused")
        # Who gave no --get takes nothing.
        call.wait_for("taken.bin is refused: there is no --get DIR")
        self.assertEqual(call.end(), DONE, call.errors())
        self.assertEqual(answer.end(), DONE, answer.errors())
        self.assertEqual(os.listdir(inbox), ["taken.bin"])
        with open(os.path.join(inbox, "taken.bin"), "rb") as f:
            self.assertEqual(f.read(), content)

    def test_files_that_cannot_be(self):
        self.fails(USAGE, "no --get DIR", "answer", "--auto-accept", "all")
        self.fails((USAGE, FAILED), "nothing-here", "call", "127.0.0.1", "--send", "/nothing-here")
        self.fails((USAGE, FAILED), "nowhere", "answer", *MEDIA, "--get", "/nowhere")
        self.fails((USAGE, FAILED), "cannot write to /proc", "answer", "--get", "/proc", *MEDIA)

    def test_doctor_leaves_out_what_is_off(self):
        doctor = self.start("doctor", "doctor", "--json", "--port", str(free_port()),
                            "--audio", "off", "--video", "off", "--speaker", "off")
        self.assertIn(doctor.end(), (DONE, FAILED), doctor.errors())
        checks = {c["check"]: c["verdict"] for c in json.loads(doctor.output())["checks"]}
        for device in ("microphone", "speaker", "camera"):
            self.assertEqual(checks[device], "untested")

    def test_json_of_failures(self):
        for code, to in ((UNREACHABLE, "127.0.0.1:9"), (FAILED, "not an address")):
            call = self.call(to, "--json")
            self.assertIn(call.end(), (code, USAGE, UNREACHABLE), call.errors())
            outcome = json.loads(call.output())
            self.assertEqual(outcome["exit"], call.process.returncode)
            self.assertTrue(outcome["reason"])

    def test_full_disk(self):
        """The recording meets its end, the call does not; what was recorded opens."""
        record = self.file("full.mkv")
        answer, to = self.answer(
            "--record", record,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (150000, 150000)))
        call = self.call(to, "--seconds", "9", "-b:v", "2M", "-s", "640x360")
        answer.wait_for("note: ")
        until = time.monotonic() + PATIENCE
        while "full.mkv" not in answer.errors() and time.monotonic() < until:
            time.sleep(0.1)
        self.assertIn("full.mkv", answer.errors())
        self.assertIsNone(call.process.poll(), "the call ended with the recording")
        self.assertEqual(call.end(), DONE, call.errors())
        self.assertEqual(answer.end(), DONE, answer.errors())
        self.sentences(answer.errors())
        self.opens(record, ["audio", "video"])

    def test_kill_leaves_a_recording(self):
        record = self.file("killed.mkv")
        answer, to = self.answer("--record", record)
        call = self.call(to)
        call.wait_for("up:")
        time.sleep(4)
        answer.kill()
        self.opens(record, ["audio", "video"])
        call.process.send_signal(signal.SIGINT)
        self.assertEqual(call.end(), DONE, call.errors())

    @unittest.skipUnless(shutil.which("ffmpeg"), "needs ffmpeg")
    def test_clip_that_breaks(self):
        """A file that is damaged or ends in the middle: the call goes on."""
        whole, cut, mutated = self.file("whole.mkv"), self.file("cut.mkv"), self.file("bad.mkv")
        subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=s=320x180:r=15",
                        "-f", "lavfi", "-i", "sine", "-t", "3", "-c:v", "mjpeg", "-c:a",
                        "pcm_s16le", whole], check=True)
        with open(whole, "rb") as f:
            data = bytearray(f.read())
        with open(cut, "wb") as f:
            f.write(data[:len(data) // 3])
        for at in range(2000, len(data), 701):
            data[at] ^= 0x5a
        with open(mutated, "wb") as f:
            f.write(data)
        for name, path in (("cut", cut), ("mutated", mutated)):
            answer, to = self.answer("--json", name="answer" + name)
            call = self.call(to, "--video", "file:" + path, "--audio", "file:" + path,
                             "--seconds", "6", name=name)
            self.assertEqual(call.end(), DONE, call.errors())
            self.assertEqual(answer.end(), DONE, answer.errors())
            self.sentences(call.errors() + answer.errors())
            self.assertGreater(json.loads(answer.output())["report"]["frames_shown"], 10)

    def test_demo(self):
        port = str(free_port())
        demo = self.start("demo", "demo", "--json", "--seconds", "3", "--port", port, "--out",
                          self.file("out"), "--video", "pattern", "--audio", "tone", "--sink",
                          "null", "--speaker", "null", "-s", "320x180", "-r", "15", "--quiet")
        self.assertEqual(demo.end(), DONE, demo.errors())
        outcome = json.loads(demo.output())
        self.assertIs(outcome["server"]["met"], True, demo.errors())
        self.assertGreater(outcome["server"]["message_ms"], 0)
        for end in "ab":
            self.assertGreater(outcome[end]["frames_shown"], 5)
        self.opens(outcome["recording"], ["audio", "video"])
        for path in outcome["traces"]:
            with open(path, encoding="utf-8") as f:
                json.load(f)
        self.fails(FAILED, "--out", "demo", "--out", "/no/such/folder/out", "--port", port)

    @unittest.skipUnless(shutil.which("Xvfb"), "needs Xvfb")
    def test_window_closed(self):
        read, write = os.pipe()
        xvfb = subprocess.Popen(["Xvfb", "-displayfd", str(write), "-screen", "0", "800x600x24",
                                 "-nolisten", "tcp"], pass_fds=[write],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(write)
        try:
            display = ":" + os.read(read, 16).decode().strip()
            env = dict(os.environ, DISPLAY=display)
            answer, to = self.answer()
            call = self.call(to, "--sink", "window:closing", env=env)
            call.wait_for("up:")
            until = time.monotonic() + PATIENCE
            while subprocess.run([close_window, "closing"], env=env).returncode != 0:
                self.assertLess(time.monotonic(), until, "no window came")
                time.sleep(0.2)
            self.assertEqual(call.end(), DONE, call.errors())
            self.assertEqual(answer.end(), DONE, answer.errors())
            self.assertIn("the other side hung up", answer.errors())
        finally:
            os.close(read)
            xvfb.kill()
            xvfb.wait()


if __name__ == "__main__":
    tandem, close_window = sys.argv.pop(1), sys.argv.pop(1)
    unittest.main(verbosity=2)
