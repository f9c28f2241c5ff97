#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""find_test.py TANDEM: a server announces itself, and an account that names none finds it, registers
and loses it, in a network namespace of its own."""

import json
import os
import subprocess
import sys
import tempfile

TANDEM = sys.argv[1]
DOMAIN = "lan.test"


def own_network():
    """Starts this again in a namespace with one network, or skips."""
    for flags in ("-n", "-rn"):
        if subprocess.run(["unshare", flags, "ip", "link", "set", "lo", "up"],
                          capture_output=True).returncode == 0:
            os.environ["TANDEM_OWN_NET"] = "1"
            os.execvp("unshare", ["unshare", flags, sys.executable, *sys.argv])
    print("SKIP: no network namespace here")
    sys.exit(77)


def make_network():
    for words in ("link set lo up", "link add lan0 type veth peer name lan1",
                  "addr add 10.9.0.1/24 dev lan0", "link set lan0 up", "link set lan1 up"):
        if subprocess.run(["ip", *words.split()]).returncode != 0:
            print("SKIP: no veth pair here")
            sys.exit(77)


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def run(*words, text=None):
    return subprocess.run([TANDEM, *words], input=text, capture_output=True, text=True, timeout=60)


def find_until(wanted):
    """What is announced, once `wanted` of it; a busy machine may need several looks."""
    for _ in range(12):
        got = run("account", "find", DOMAIN, "--json")
        found = json.loads(got.stdout)
        if wanted(found):
            return got, found
    raise AssertionError(f"found {got.stdout}")


def start(folder, *more):
    server = subprocess.Popen(
        [TANDEM, "serve", "--domain", DOMAIN, "--sip-port", "5070", "--sips-port", "5071",
         "--no-secret", "--json", "--quiet", "--store", f"{folder}/s.db", "--identity",
         f"{folder}/id.pem", *more], stdout=subprocess.PIPE, text=True)
    line = json.loads(server.stdout.readline())
    check(line["event"] == "started", line)
    return server, line


def stop(server):
    server.terminate()
    server.communicate(timeout=60)


def test_silent(folder):
    server, started = start(folder, "--no-announce")
    check(not started["announced"], started)
    got = run("account", "add", "ann", "--json", "--file", f"{folder}/none.json")
    stop(server)
    check(got.returncode == 5 and json.loads(got.stdout)["exit"] == 5, got)
    check("tandem serve" in got.stderr and not os.path.exists(f"{folder}/none.json"), got)


def test_found(folder, host):
    server, started = start(folder)
    try:
        _, found = find_until(lambda f: isinstance(f, list) and len(f) == 3)
        ways = {f["transport"]: f["server"] for f in found}
        check(ways == {"udp": f"{host}:5070", "tcp": f"{host}:5070", "tls": f"{host}:5071"}, ways)
        fingerprint = started["fingerprint"].replace(":", "")
        check(all(f["domain"] == DOMAIN and f["fingerprint"] == fingerprint for f in found), found)

        run("serve", "adduser", "paul", "--domain", DOMAIN, "--store", f"{folder}/s.db",
            "--password-stdin", text="secret\n")
        accounts = f"{folder}/accounts.json"
        added = run("account", "add", "paul", "--password", "--file", accounts, text="secret\n")
        check(added.returncode == 0 and f"{host}:5071" in added.stderr, added)
        account = json.load(open(accounts))["accounts"][0]
        check(account["address"] == f"paul@{DOMAIN}" and account["fingerprint"] == fingerprint
              and not account.get("server"), account)
        # The place is looked for at each use: nothing in the file says it.
        checked = run("account", "check", "--file", accounts)
        check(checked.returncode == 0 and "registered" in checked.stdout, checked)
    finally:
        stop(server)


def only_ipv6():
    for words in ("addr del 10.9.0.1/24 dev lan0", "addr add fd09::1/64 dev lan0 nodad"):
        subprocess.run(["ip", *words.split()], check=True)


def main():
    if os.environ.get("TANDEM_OWN_NET") != "1":
        own_network()
    make_network()
    with tempfile.TemporaryDirectory() as folder:
        for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
            os.environ[name] = folder
        test_silent(folder)
        test_found(folder, "10.9.0.1")
        os.unlink(f"{folder}/accounts.json")
        only_ipv6()
        test_found(folder, "[fd09::1]")
    print("PASS")


main()
