#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""sip_soak.py TANDEM serve|answer COUNT [SEED]: so many datagrams at one of our two SIP readers,
most of them broken. They are requests with right credentials, the messages of RFC 4475 and RFC 5118,
and what mutation makes of both. It must go on serving, and its memory must not grow once it is
warm."""

import os
import random
import re
import socket
import subprocess
import sys
import tempfile
import time

from sip_client import Client

TANDEM, WHAT, COUNT = sys.argv[1], sys.argv[2], int(sys.argv[3])
SEED = int(sys.argv[4]) if len(sys.argv) > 4 else 1
DOMAIN = "test.example"
HERE = os.path.dirname(os.path.abspath(__file__))
BURST = 40  # Datagrams without waiting for the other side.
ROUNDS = 10
GROWTH_KIB = 8192
WORDS = [b"\r\n", b";", b"<", b">", b"\"", b"%00", b"sip:", b"4294967296", b"-1", b"\0", b"\xff\xfe",
         b",", b":", b"z9hG4bK", b"[::1]", b"SIP/2.0", b"Content-Length: 99999999\r\n"]


def torture():
    folder = os.path.join(HERE, "..", "golden", "sip_torture")
    return [open(os.path.join(folder, name), "rb").read() for name in sorted(os.listdir(folder))
            if name.endswith(".dat")]


def mutated(rng, data):
    """The first two lines of requests with credentials stay, or all would be wrong passwords."""
    keep = 0
    if b"uthorization: Digest" in data[:400] and rng.randrange(4):
        keep = data.index(b"\r\n", data.index(b"uthorization")) + 2
    elif b"uthorization: Digest" in data:
        data = re.sub(rb"(Proxy-)?Authorization: Digest.*\r\n", b"", data)
    whole, data = data[:keep], bytearray(data[keep:])
    for _ in range(rng.choice((0, 1, 1, 2, 3, 8))):
        at = rng.randrange(len(data) + 1)
        kind = rng.randrange(5)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            data[at:at + rng.randrange(20)] = b""
        elif kind == 2:
            data[at:at] = rng.choice(WORDS)
        elif kind == 3:
            data[at:at] = data[at:at + rng.randrange(200)] * rng.randrange(1, 4)
        elif rng.randrange(8) == 0:
            data = data[:at]
    return (whole + bytes(data))[:60000]


class Server:
    """`tandem serve`, and requests of people with accounts."""

    def __init__(self, folder):
        store = os.path.join(folder, "serve.db")
        for user in ("ann", "ben"):
            subprocess.run([TANDEM, "serve", "adduser", user, "--domain", DOMAIN, "--password-stdin",
                            "--store", store], input=f"secret-{user}\n", text=True, check=True,
                           capture_output=True, timeout=30)
        self.arguments = ["serve", "--listen", "127.0.0.1", "--sip-port", "PORT", "--port", "OTHER",
                          "--store", store, "--source-rate", "1000000", "--sip-rate", "1000000",
                          "--no-secret", "--no-announce", "--quiet", "--json", "--domain", DOMAIN]

    def begin(self, place):
        self.client = Client("ann", DOMAIN, place)
        self.nc, self.challenge = 0, None

    def request(self, rng):
        """One that is right, before it is mutated."""
        method = rng.choice(("REGISTER", "MESSAGE", "INVITE", "SUBSCRIBE", "PUBLISH", "OPTIONS",
                             "BYE", "CANCEL"))
        uri = f"sip:{DOMAIN}" if method == "REGISTER" else f"sip:{rng.choice(('ann', 'ben'))}@{DOMAIN}"
        if not self.challenge or self.nc > 500:
            answer = self.client.ask("REGISTER", f"sip:{DOMAIN}", to=self.client.aor)
            assert answer.status in (200, 401), answer.first
            cseq, call_id, _ = self.client.request("REGISTER", f"sip:{DOMAIN}", to=self.client.aor)
            answer = self.client.answer_to(cseq, "REGISTER", call_id)
            self.challenge = [c for c in answer.all("WWW-Authenticate") if "MD5" in c][0]
            self.nc = 0
        self.nc += 1
        value = self.client.credentials(self.challenge, method, uri, nc=self.nc)
        name = "Authorization" if method in ("REGISTER", "PUBLISH", "SUBSCRIBE") else \
            "Proxy-Authorization"
        return text_of(self.client, method, uri, rng, f"{name}: {value}\r\n")


class Phone:
    """`tandem answer`, and requests of a stranger."""

    def __init__(self, folder):
        self.arguments = ["answer", "--bind", "127.0.0.1", "--port", "PORT", "--video", "off", "--sink",
                          "off", "--audio", "tone", "--speaker", "null", "--keep", "--no-keys",
                          "--no-port-mapping", "--quiet"]

    def begin(self, place):
        self.client = Client("ann", DOMAIN, place)

    def request(self, rng):
        method = rng.choice(("MESSAGE", "INVITE", "SUBSCRIBE", "OPTIONS", "BYE", "CANCEL", "REFER"))
        place = f"{self.client.server[0]}:{self.client.server[1]}"
        return text_of(self.client, method, f"sip:x@{place}", rng, "")


def text_of(client, method, uri, rng, extra):
    body = {"MESSAGE": "hello", "INVITE": "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
            "c=IN IP4 127.0.0.1\r\nm=audio 5004 RTP/AVP 0\r\n"}.get(method, "")
    kind = {"MESSAGE": "text/plain", "INVITE": "application/sdp", "PUBLISH": "application/pidf+xml"}
    client.cseq += 1
    return (f"{method} {uri} SIP/2.0\r\n{extra}{client.via()}Max-Forwards: 70\r\nFrom: <{client.aor}>;tag=a\r\n"
            f"To: <{uri}>\r\nCall-ID: {rng.getrandbits(40):x}\r\nCSeq: {client.cseq} {method}\r\n"
            f"User-Agent: soak\r\nContact: {client.contact}\r\nEvent: presence\r\nExpires: 600\r\n"
            f"Refer-To: <sip:x@127.0.0.1:9>\r\nContent-Type: {kind.get(method, 'text/plain')}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}").encode()


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as u:
        u.bind(("127.0.0.1", 0))
        return u.getsockname()[1]


def start(target, folder):
    environment = dict(os.environ, HOME=folder, XDG_STATE_HOME=folder, XDG_CONFIG_HOME=folder,
                       XDG_DATA_HOME=folder)
    options = os.environ.get("ASAN_OPTIONS")
    environment["ASAN_OPTIONS"] = (options + ":" if options else "") + "quarantine_size_mb=8"
    for _ in range(5):  # A port that was free may be taken.
        port = free_port()
        words = [{"PORT": str(port), "OTHER": str(free_port())}.get(word, word)
                 for word in target.arguments]
        process = subprocess.Popen([TANDEM, *words], env=environment, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL,
                                   stderr=open(os.path.join(folder, "log"), "w"))
        target.begin(("127.0.0.1", port))
        # From another host, as what one host may ask for is limited.
        target.other = Client("ben", DOMAIN, ("127.0.0.1", port), host="127.0.0.2")
        if is_there(target.other, process):
            return process
        process.kill()
        process.wait()
    raise AssertionError("it does not start: " + open(os.path.join(folder, "log")).read())


def is_there(client, process):
    """Whether a plain question is answered within half a minute."""
    until = time.monotonic() + 30
    uri = f"sip:{client.server[0]}:{client.server[1]}"
    while time.monotonic() < until and process.poll() is None:
        client.drain()
        try:
            cseq, call_id, _ = client.request("OPTIONS", uri)
            client.wait(lambda m: m.status and m.get("Call-ID") == call_id, "an answer", 0.5)
            return True
        except (AssertionError, ConnectionError):
            continue
    return False


def resident_kib(process):
    with open(f"/proc/{process.pid}/status") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1))


def main():
    rng = random.Random(SEED)
    broken = torture()
    sizes = []
    with tempfile.TemporaryDirectory() as folder:
        target = {"serve": Server, "answer": Phone}[WHAT](folder)
        process = start(target, folder)
        began = time.monotonic()
        try:
            for sent in range(1, COUNT + 1):
                whole = rng.choice(broken) if rng.randrange(5) == 0 else target.request(rng)
                target.client.send_raw(mutated(rng, whole) or b"x")
                if sent % BURST == 0 or sent == COUNT:
                    target.client.drain()
                    assert is_there(target.other, process), \
                        f"silent after {sent}: {open(os.path.join(folder, 'log')).read()[-2000:]}"
                if sent % max(1, COUNT // ROUNDS) == 0:
                    sizes.append(resident_kib(process))
            took = time.monotonic() - began
            print(f"{COUNT} datagrams in {took:.0f} s, seed {SEED}; resident KiB: {sizes}")
            half = len(sizes) // 2
            assert max(sizes[half:]) - min(sizes[half - 1:half + 1]) < GROWTH_KIB, "memory grows"
            process.terminate()
            assert process.wait(60) == 0, open(os.path.join(folder, "log")).read()[-2000:]
        finally:
            if process.poll() is None:
                process.kill()


main()
