#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Either side of a transfer is killed at random moments, 100 times, and started again: it always goes
on from where it was, and nothing wrong ever stands under a final name. Then the same for names,
links and older versions that wait in the folder."""

import hashlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

PEER, KILLS = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 100
VERBS = os.path.basename(PEER) == "tandem"  # The command itself, over calls and their channel.
SEED = int(os.environ.get("SEED", "1"))
chance = random.Random(SEED)
MOMENTS = (0.05, 4) if VERBS else (0.005, 0.25)
MB = 1 << 20


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def tree(path):
    """What a file or folder holds, whatever its own name."""
    if os.path.isfile(path):
        with open(path, "rb") as f:
            return hashlib.file_digest(f, "sha256").hexdigest() if hasattr(hashlib, "file_digest") \
                else hashlib.sha256(f.read()).hexdigest()
    return {os.path.relpath(os.path.join(d, n), path): tree(os.path.join(d, n))
            for d, dirs, names in os.walk(path) for n in names + [x for x in dirs if not os.listdir(
                os.path.join(d, x))]}


def make(folder):
    """Sources: a big file, a sparse one, one without bytes, a folder."""
    big = os.path.join(folder, "big.bin")
    with open(big, "wb") as f:
        f.write(chance.randbytes(96 * MB + 12345))
    sparse = os.path.join(folder, "sparse.img")
    with open(sparse, "wb") as f:
        for at in (0, 37 * MB + 5, 200 * MB):
            f.seek(at)
            f.write(chance.randbytes(3 * MB))
        f.truncate(256 * MB)
    empty = os.path.join(folder, "empty.txt")
    open(empty, "wb").close()
    many = os.path.join(folder, "many files")
    for i in range(300):
        sub = os.path.join(many, f"d{i % 7}", *["x"] * (i % 4))
        os.makedirs(sub, exist_ok=True)
        with open(os.path.join(sub, f"file {i}.dat"), "wb") as f:
            f.write(chance.randbytes(chance.choice((0, 1, 100, 5000, 262144, 300000))))
    os.makedirs(os.path.join(many, "nothing in it"))
    return [big, sparse, empty, many]


class Side:
    homes = ""

    def __init__(self, verb, port, what):
        if VERBS and verb == "get":
            self.args = ("get", "--dir", what, "--auto-accept", "all", "--port", port, "--listen",
                         "127.0.0.1", "--json", "--quiet")
        elif VERBS:
            self.args = ("send", what, f"127.0.0.1:{port}", "--json", "--quiet")
        else:
            self.args = (verb, port, what)
        self.process, self.starts = None, 0

    def start(self):
        # Each side is somebody of its own, and the same one when it is started again.
        home = dict(os.environ, HOME=os.path.join(self.homes, self.args[0]), XDG_CONFIG_HOME="")
        os.makedirs(home["HOME"], exist_ok=True)
        self.process = subprocess.Popen([PEER, *self.args], stdout=subprocess.PIPE, text=True,
                                        env=home)
        self.starts += 1

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()


def transfer(source, out, kills):
    """One transfer with kills; returns how many fell into it."""
    port = str(free_port())
    receiver, sender = Side("get", port, out), Side("send", port, source)
    final = os.path.join(out, os.path.basename(source))
    want, fell = tree(source), 0
    receiver.start()
    if VERBS:
        time.sleep(0.5)
    sender.start()
    try:
        while True:
            try:
                said, _ = sender.process.communicate(
                    timeout=chance.uniform(*MOMENTS) if fell < kills else 120)
                # Started again while the receiver was not there yet: that is said at once.
                if VERBS and sender.process.returncode == 5 and fell < kills:
                    sender.start()
                    continue
                assert sender.process.returncode == 0, said
                break
            except subprocess.TimeoutExpired:
                assert fell < kills, f"{source} did not arrive after {fell} kills"
                victim = chance.choice((receiver, sender))
                victim.kill()
                fell += 1
                if os.path.exists(final):
                    assert tree(final) == want, f"{final} is wrong after kill {fell}"
                victim.start()
        assert tree(final) == want, f"{final} is wrong"
        # The transfer with a sender that was killed goes once the receiver notices its silence.
        end = time.monotonic() + 90
        while any(".part" in n for n in os.listdir(out)):
            assert time.monotonic() < end, os.listdir(out)
            time.sleep(0.1)
        twice = [n for n in os.listdir(out) if n != os.path.basename(source)]
        assert not twice, twice
    finally:
        receiver.kill()
        if sender.process.poll() is None:
            sender.kill()
    return fell


def once(source, out, *more):
    """Without kills; what the receiver said."""
    port = str(free_port())
    receiver = Side("get", port, out)
    receiver.start()
    sender = subprocess.run([PEER, "send", port, source, *more], capture_output=True, text=True, timeout=60,
                            check=False)
    receiver.process.terminate()
    return receiver.process.communicate()[0], sender


def bad_places(folder):
    """Links that lie in the way, names that are taken, a version that is older."""
    out = os.path.join(folder, "out")
    outside = os.path.join(folder, "outside")
    os.makedirs(out)
    with open(outside, "w", encoding="ascii") as f:
        f.write("not yours")
    source = os.path.join(folder, "note.txt")
    with open(source, "wb") as f:
        f.write(chance.randbytes(3 * MB))
    os.symlink(outside, os.path.join(out, "note.txt"))
    said, sender = once(source, out)
    assert sender.returncode == 0, said
    assert tree(os.path.join(out, "note (2).txt")) == tree(source)
    assert open(outside, encoding="ascii").read() == "not yours"
    assert os.path.islink(os.path.join(out, "note.txt"))
    mark = os.getxattr(os.path.join(out, "note (2).txt"), "user.xdg.origin.url")
    assert mark == b"sip:paul@10.0.0.7", mark
    date = os.stat(source).st_mtime
    assert abs(os.stat(os.path.join(out, "note (2).txt")).st_mtime - date) < 2

    # The same again: it is there already.
    os.unlink(os.path.join(out, "note.txt"))
    os.rename(os.path.join(out, "note (2).txt"), os.path.join(out, "note.txt"))
    said, sender = once(source, out)
    assert sender.returncode == 0 and sorted(os.listdir(out)) == ["note.txt"], os.listdir(out)

    # A new version beside the old one.
    with open(source, "r+b") as f:
        f.seek(1000000)
        f.write(b"changed")
    said, sender = once(source, out)
    assert sorted(os.listdir(out)) == ["note (2).txt", "note.txt"], os.listdir(out)
    assert tree(os.path.join(out, "note (2).txt")) == tree(source)

    # A part that is a link to somewhere else is not followed.
    for name in os.listdir(out):
        os.unlink(os.path.join(out, name))
    hostile = os.path.join(folder, "hostile")
    os.makedirs(hostile)
    for name in ("a:b", "a?b", ".hidden", "con", "b\n", "caf\xe9".encode("latin-1").decode(
            "utf-8", "surrogateescape")):
        with open(os.fsencode(os.path.join(hostile, name)), "w", encoding="ascii") as f:
            f.write(repr(name))
    os.symlink("/etc/passwd", os.path.join(hostile, "link"))
    said, sender = once(hostile, out)
    assert sender.returncode == 0, sender.stdout
    got = sorted(os.listdir(os.path.join(out, "hostile")))
    assert got == ["_con", "_hidden", "a_b", "a_b (2)", "b_", "caf_"], got


def many_at_once(folder):
    """More files than may be offered at once; and the same one offered twice at once."""
    out = os.path.join(folder, "many out")
    os.makedirs(out)
    sources = [os.path.join(folder, f"small {i}") for i in range(30)]
    for source in sources:
        with open(source, "wb") as f:
            f.write(chance.randbytes(1000))
    said, sender = once(*sources[:1], out, *sources[1:])
    assert sender.returncode == 0, sender.stdout
    assert len(os.listdir(out)) == 30, said

    source = os.path.join(folder, "twin.bin")
    with open(source, "wb") as f:
        f.write(chance.randbytes(5 * MB))
    said, sender = once(source, out, source)
    assert sender.returncode == 0, sender.stdout + said
    assert not [n for n in os.listdir(out) if ".part" in n], os.listdir(out)
    for name in (n for n in os.listdir(out) if n.startswith("twin")):
        assert tree(os.path.join(out, name)) == tree(source), name


def full_disk(folder):
    """A file system of 8 MB: the receiver says so, keeps what it has and goes on when there is room."""
    small = os.path.join(folder, "small")
    os.makedirs(small)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", small], check=False,
                      capture_output=True).returncode:
        print("no small file system can be mounted here: not tried")
        return
    try:
        source = os.path.join(folder, "ten.bin")
        with open(source, "wb") as f:
            f.write(chance.randbytes(10 * MB))
        port = str(free_port())
        receiver, sender = Side("get", port, small), Side("send", port, source)
        receiver.start()
        sender.start()
        time.sleep(2)
        assert sender.process.poll() is None
        subprocess.run(["mount", "-o", "remount,size=32m", small], check=True)
        assert sender.process.wait(timeout=30) == 0
        assert tree(os.path.join(small, "ten.bin")) == tree(source)
    finally:
        receiver.kill()
        subprocess.run(["umount", small], check=True)


def main():
    with tempfile.TemporaryDirectory() as folder:
        Side.homes = os.path.join(folder, "homes")
        if not VERBS:
            bad_places(folder)
            many_at_once(folder)
            full_disk(folder)
        sources = os.path.join(folder, "sources")
        os.makedirs(sources)
        fell, rounds = 0, 0
        files = make(sources)
        while fell < KILLS:
            for source in files:
                out = tempfile.mkdtemp(dir=folder)
                fell += transfer(source, out, min(KILLS - fell, 25))
                rounds += 1
                shutil.rmtree(out)
        print(f"seed {SEED}: {fell} kills in {rounds} transfers, every file arrived whole, once")


main()
