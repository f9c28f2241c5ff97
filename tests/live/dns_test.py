#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""dns_test.py TANDEM: accounts find their servers by SRV, A and AAAA records of a real DNS server (a
small one, below), in a network and with an /etc/resolv.conf of their own."""

import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import urllib.request

TANDEM = sys.argv[1]
A, AAAA, SRV = 1, 28, 33
# name -> [(type, data)]; of SRV: priority, weight, port, target.
ZONE = {
    "_sip._udp.srv.test": [(SRV, (20, 0, 5072, "second.srv.test")), (SRV, (10, 0, 5071, "first.srv.test"))],
    "first.srv.test": [(A, "127.0.0.1")],
    "second.srv.test": [(A, "127.0.0.2")],
    "_sip._tcp.srv.test": [(SRV, (1, 0, 5072, "second.srv.test"))],
    "_sip._udp.six.test": [(SRV, (1, 0, 5073, "host.six.test"))],
    "host.six.test": [(AAAA, "::1")],
    "plain.test": [(A, "127.0.0.3")],
}
asked = []


def own_network():
    """Starts this again in namespaces with a network and a resolv.conf, or skips."""
    for flags in ("-nm", "-rnm"):
        if subprocess.run(["unshare", flags, "ip", "link", "set", "lo", "up"],
                          capture_output=True).returncode == 0:
            os.environ["TANDEM_OWN_NET"] = "1"
            os.execvp("unshare", ["unshare", flags, sys.executable, *sys.argv])
    print("SKIP: no namespaces here")
    sys.exit(77)


def use_own_dns(folder):
    path = os.path.join(folder, "resolv.conf")
    with open(path, "w", encoding="ascii") as file:
        file.write("nameserver 127.0.0.1\noptions timeout:5 attempts:3\n")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    if subprocess.run(["mount", "--bind", path, os.path.realpath("/etc/resolv.conf")],
                      capture_output=True).returncode != 0:
        print("SKIP: /etc/resolv.conf cannot be covered here")
        sys.exit(77)


def encoded(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def data_of(kind, data):
    if kind == A:
        return socket.inet_pton(socket.AF_INET, data)
    if kind == AAAA:
        return socket.inet_pton(socket.AF_INET6, data)
    return struct.pack("!HHH", *data[:3]) + encoded(data[3])


def answer_to(query):
    """RFC 1035 section 4: one question, answered from ZONE."""
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode().lower())
        at += 1 + query[at]
    name, kind = ".".join(labels), struct.unpack_from("!H", query, at + 1)[0]
    asked.append((name, kind))
    found = [data_of(*record) for record in ZONE.get(name, []) if record[0] == kind]
    code = 0 if any(known == name or known.endswith("." + name) for known in ZONE) else 3
    reply = query[:2] + struct.pack("!HHHHH", 0x8580 | code, 1, len(found), 0, 0) + query[12:at + 5]
    for data in found:
        reply += struct.pack("!HHHIH", 0xC00C, kind, 1, 60, len(data)) + data
    return reply


def serve_dns():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as dns:
        dns.bind(("127.0.0.1", 53))
        ready.set()
        while True:
            query, address = dns.recvfrom(4096)
            dns.sendto(answer_to(query), address)


ready = threading.Event()


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def run(*words, text=None):
    return subprocess.run([TANDEM, *words], input=text, capture_output=True, text=True, timeout=60)


class Server:
    """`tandem serve` at one address, where ann may sign in."""

    def __init__(self, folder, domain, host, port):
        self.http = port + 1000
        store = os.path.join(folder, f"{domain}-{port}.db")
        run("serve", "adduser", "ann", "--domain", domain, "--store", store, "--password-stdin",
            text="secret\n")
        self.process = subprocess.Popen(
            [TANDEM, "serve", "--domain", domain, "--listen", host, "--sip-port", str(port), "--port",
             str(port + 2000), "--http-port", str(self.http), "--store", store, "--no-secret", "--json",
             "--quiet", "--no-announce"], stdout=subprocess.PIPE, text=True)
        line = json.loads(self.process.stdout.readline() or "{}")
        check(line.get("event") == "started", line)

    def registers(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http}/status", timeout=30) as answer:
            return json.load(answer)["figures"]["registers_total"]

    def stop(self):
        self.process.terminate()
        self.process.communicate(timeout=60)


def signs_in(folder, domain, *more):
    accounts = os.path.join(folder, domain + ".json")
    if os.path.exists(accounts):
        os.unlink(accounts)
    added = run("account", "add", f"ann@{domain}", "--password", "--file", accounts, *more,
                text="secret\n")
    check(added.returncode == 0, added)
    asked.clear()
    checked = run("account", "check", "--file", accounts)
    check(checked.returncode == 0 and "registered" in checked.stdout, f"{checked}, asked {asked}")


def test_order(folder):
    """The first by priority while it is there, the other one when it is not."""
    first, second = (Server(folder, "srv.test", host, port)
                     for host, port in (("127.0.0.1", 5071), ("127.0.0.2", 5072)))
    try:
        signs_in(folder, "srv.test")
        check(("_sip._udp.srv.test", SRV) in asked, asked)
        check(first.registers() and not second.registers(), "the second by priority was asked")
        signs_in(folder, "srv.test", "--transport", "tcp")
        check(("_sip._tcp.srv.test", SRV) in asked and second.registers(), "another transport's record")
        before = second.registers()
        first.stop()
        signs_in(folder, "srv.test")
        check(second.registers() > before, "the second one was not asked")
    finally:
        first.stop()
        second.stop()


def test_only_ipv6(folder):
    server = Server(folder, "six.test", "::1", 5073)
    try:
        signs_in(folder, "six.test")
        check(("host.six.test", AAAA) in asked, asked)
    finally:
        server.stop()


def test_without_srv(folder):
    """RFC 3263 section 4.2: no SRV records, so the address records, at the usual port."""
    server = Server(folder, "plain.test", "127.0.0.3", 5060)
    try:
        signs_in(folder, "plain.test")
        check(("_sip._udp.plain.test", SRV) in asked, asked)
    finally:
        server.stop()


def main():
    if os.environ.get("TANDEM_OWN_NET") != "1":
        own_network()
    with tempfile.TemporaryDirectory() as folder:
        for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
            os.environ[name] = folder
        use_own_dns(folder)
        threading.Thread(target=serve_dns, daemon=True).start()
        check(ready.wait(30), "no DNS server")
        for test in (test_order, test_only_ipv6, test_without_srv):
            test(folder)
            print(test.__name__, "passed")


main()
