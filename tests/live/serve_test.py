#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""serve_test.py TANDEM: the server as its users meet it: signing in, calls to several devices,
messages kept over kill -9, presence, the directory, and those who lie."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

from sip_client import Client

TANDEM = sys.argv[1]
DOMAIN = "test.example"


def free_port():
    for _ in range(100):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as u, socket.socket() as t:
            u.bind(("127.0.0.1", 0))
            try:
                t.bind(("127.0.0.1", u.getsockname()[1]))
            except OSError:
                continue
            return u.getsockname()[1]
    raise AssertionError("no free port")


class Server:
    def __init__(self, folder):
        self.folder = folder
        self.store = os.path.join(folder, "serve.db")
        self.environment = dict(os.environ, XDG_STATE_HOME=folder)
        self.process = None

    def run(self, *words, text=None):
        return subprocess.run([TANDEM, "serve", *words, "--store", self.store], input=text,
                              capture_output=True, text=True, env=self.environment, timeout=30)

    def start(self):
        for _ in range(5):  # A port that was free may be taken.
            self.port, self.http = free_port(), free_port()
            self.process = subprocess.Popen(
                [TANDEM, "serve", "--listen", "127.0.0.1", "--port", str(free_port()),
                 "--sip-port", str(self.port), "--http-port", str(self.http), "--store", self.store,
                 "--source-rate", "100000", "--no-secret", "--json", "--quiet", "--domain", DOMAIN],
                stdout=subprocess.PIPE, text=True, env=self.environment)
            line = self.process.stdout.readline()
            if line and json.loads(line)["event"] == "started":
                return
            self.process.wait(30)
        raise AssertionError("the server does not start")

    def kill(self, how=signal.SIGKILL):
        self.process.send_signal(how)
        self.process.wait(30)
        self.process.stdout.close()

    def client(self, user, **more):
        return Client(user, DOMAIN, ("127.0.0.1", self.port), **more)

    def status(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http}/status", timeout=30) as answer:
            return json.load(answer)


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def test_signing_in(server):
    ann = server.client("ann")
    cseq, call_id, _ = ann.request("REGISTER", f"sip:{DOMAIN}", to=ann.aor)
    answer = ann.answer_to(cseq, "REGISTER", call_id)
    check(answer.status == 401 and len(answer.all("WWW-Authenticate")) == 2, "no two challenges")
    check("SHA-256" in answer.all("WWW-Authenticate")[0], "SHA-256 is not first")
    check(ann.register(password="wrong-one").status == 401, "a wrong password is taken")
    answer = ann.register()
    check(answer.status == 200 and ann.contact in answer.get("Contact"), "not registered")
    ann.send_raw(ann.last_text)  # A copy is answered again, and does nothing.
    ann.wait(lambda m: m.status == 200, "answer to a copy")
    replay = re.sub(r"branch=\w+", "branch=z9hG4bKother", ann.last_text)
    ann.send_raw(replay)
    answer = ann.wait(lambda m: m.status, "answer to a replay")
    check(answer.status == 401 and "stale=true" in answer.get("WWW-Authenticate"), "replay is taken")
    check(ann.ask("MESSAGE", f"sip:ben@{DOMAIN}", sender=f"sip:ben@{DOMAIN}", body="x").status == 403,
          "another's name is taken")
    check(ann.register(expires=10).status == 423, "too short is taken")
    check(server.run("lock", "ann").returncode == 0, "cannot lock")
    until = time.monotonic() + 30
    while ann.register().status != 403:
        check(time.monotonic() < until, "who is locked signs in")
    server.run("unlock", "ann")
    while ann.register().status != 200:
        check(time.monotonic() < until, "who is unlocked does not sign in")
    ann.close()


def test_call(server):
    ann, desk, phone = server.client("ann"), server.client("ben"), server.client("ben", tcp=True)
    for client in (ann, desk, phone):
        check(client.register().status == 200, "not registered")
    uri = f"sip:ben@{DOMAIN}"
    cseq, call_id, _ = ann.request("INVITE", uri, body="v=0\r\n")
    refused = ann.answer_to(cseq, "INVITE", call_id)
    ann.ack(uri, refused, cseq, call_id)
    challenge = [c for c in refused.all("Proxy-Authenticate") if "MD5" in c][0]
    cseq, _, _ = ann.request(
        "INVITE", uri, body="v=0\r\n", call_id=call_id,
        authorization="Proxy-Authorization: " + ann.credentials(challenge, "INVITE", uri))
    invites = [(client, client.take("INVITE")) for client in (desk, phone)]
    check("Proxy-Authorization" not in dict(invites[0][1].headers), "our password went on")
    for client, invite in invites:
        check(len(invite.all("Record-Route")) == 2, "no two routes")
        client.reply(invite, 180, "Ringing")
    ann.wait(lambda m: m.status == 180, "ringing")
    phone.reply(invites[1][1], 200, body="v=0\r\n")
    answer = ann.answer_to(cseq, "INVITE", call_id)
    check(answer.status == 200, "not answered")
    cancel = desk.take("CANCEL")
    check("Call completed elsewhere" in cancel.get("Reason"), "no reason in CANCEL")
    desk.reply(cancel, 200)
    desk.reply(invites[0][1], 487, "Request Terminated")
    desk.take("ACK")
    target = re.search("<(.*)>", answer.get("Contact")).group(1)
    routes = "".join(f"Route: {route}\r\n" for route in reversed(answer.all("Record-Route")))
    ann.ack(target, answer, cseq, call_id, routes)
    phone.take("ACK")
    # Along the same routes, and back.
    ann.send_raw(f"BYE {target} SIP/2.0\r\n{ann.via()}Max-Forwards: 70\r\n{routes}"
                 f"From: {answer.get('From')}\r\nTo: {answer.get('To')}\r\nCall-ID: {call_id}\r\n"
                 f"CSeq: {cseq + 1} BYE\r\nContent-Length: 0\r\n\r\n")
    phone.reply(phone.take("BYE"), 200)
    check(ann.answer_to(cseq + 1, "BYE", call_id).status == 200, "BYE not answered")
    # A stranger with a route of another call gets nowhere.
    eve = server.client("eve")
    eve.send_raw(f"BYE {target} SIP/2.0\r\n{eve.via()}Max-Forwards: 70\r\n{routes}"
                 f"From: <sip:eve@x>;tag=1\r\nTo: <sip:x@y>;tag=2\r\nCall-ID: other\r\n"
                 f"CSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n")
    check(eve.wait(lambda m: m.status, "answer").status == 407, "a stolen route is taken")
    for client in (ann, desk, phone, eve):
        client.close()


def test_kept_messages(server):
    ann, ben = server.client("ann"), server.client("cat")
    uri = f"sip:cat@{DOMAIN}"
    texts = ["first", "second", "third"]
    for text in texts:
        check(ann.ask("MESSAGE", uri, headers="Content-Type: text/plain\r\n", body=text).status ==
              202, "not kept")
        server.kill()
        server.start()
        ann.server = ben.server = ("127.0.0.1", server.port)
    check(ben.register().status == 200, "not registered")
    for text in texts:
        message = ben.take("MESSAGE")
        check(message.body == text, f"{message.body} came instead of {text}")
        check(f"ann@{DOMAIN}" in message.get("From") and message.get("Date"), "not as it was sent")
        ben.reply(message, 200)
    until = time.monotonic() + 30
    while server.status()["figures"]["messages_handed_over_total"] < 3:
        check(time.monotonic() < until, "not handed over")
    server.kill()
    server.start()
    ben.server = ("127.0.0.1", server.port)
    check(ben.register().status == 200, "not registered")
    check(ben.nothing(lambda m: m.method == "MESSAGE", 1), "a message came twice")
    ann.close()
    ben.close()


PIDF = """<?xml version="1.0" encoding="UTF-8"?>
<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="sip:dan@test.example">
<tuple id="desk"><status><basic>open</basic></status><note>at the desk</note></tuple></presence>"""


def test_presence(server):
    dan, ben = server.client("dan"), server.client("ben")
    uri = f"sip:dan@{DOMAIN}"
    answer = ben.ask("SUBSCRIBE", uri, headers="Event: presence\r\nExpires: 600\r\n")
    check(answer.status == 200, "not subscribed")

    def state():
        notify = ben.take("NOTIFY")
        ben.reply(notify, 200)
        return notify
    check("closed" in state().body, "open before anybody is there")
    check(dan.register().status == 200, "not registered")
    check(">open<" in state().body, "not open when registered")
    answer = dan.ask("PUBLISH", uri, body=PIDF, headers="Event: presence\r\nExpires: 600\r\n"
                     "Content-Type: application/pidf+xml\r\n")
    check(answer.status == 200 and answer.get("SIP-ETag"), "not published")
    check("at the desk" in state().body, "what was published is not told")
    tag = answer.get("SIP-ETag")
    # RFC 3903 sections 4.1 and 6: a refresh without a body gives a new tag, and the old one is gone.
    answer = dan.ask("PUBLISH", uri, headers=f"Event: presence\r\nExpires: 600\r\nSIP-If-Match: {tag}\r\n")
    check(answer.status == 200 and answer.get("SIP-ETag") not in (None, "", tag), "not refreshed")
    answer = dan.ask("PUBLISH", uri, headers=f"Event: presence\r\nExpires: 600\r\nSIP-If-Match: {tag}\r\n")
    check(answer.status == 412, f"a tag that is gone is answered with {answer.status}")
    server.kill()
    server.start()
    for client in (dan, ben):
        client.server = ("127.0.0.1", server.port)
    check("at the desk" in state().body, "forgotten over a crash")
    check(dan.ask("PUBLISH", uri, body="block ben\n", headers="Event: tandem-rules\r\n"
                  "Content-Type: text/plain\r\n").status == 200, "no rules")
    check("terminated" in state().get("Subscription-State"), "who is blocked still watches")
    answer = dan.ask("OPTIONS", f"sip:directory@{DOMAIN}", body="be")
    check(answer.status == 200 and [p["user"] for p in json.loads(answer.body)] == ["ben"],
          f"the directory says {answer.body}")
    dan.close()
    ben.close()


def test_decisions_of_a_client(server):
    """What a person decides with the command holds at the server, also once the device has left."""
    home = os.path.join(server.folder, "gus")
    os.mkdir(home)
    environment = dict(os.environ, HOME=home, XDG_CONFIG_HOME=home, XDG_DATA_HOME=home, XDG_STATE_HOME=home)

    def tandem(*words, text=None):
        done = subprocess.run([TANDEM, *words], input=text, env=environment, capture_output=True, text=True,
                              timeout=60)
        check(done.returncode == 0, done.stderr)
    check(server.run("adduser", "gus", "--domain", DOMAIN, "--password-stdin", text="gus-secret\n").returncode == 0,
          "no account")
    tandem("account", "add", f"gus@{DOMAIN}", "--server", f"127.0.0.1:{server.port}", "--password", text="gus-secret\n")
    tandem("presence", "block", f"ben@{DOMAIN}")
    ben = server.client("ben")
    uri = f"sip:gus@{DOMAIN}"
    device = subprocess.Popen([TANDEM, "chat", "--port", str(free_port()), "--bind", "127.0.0.1", "--json"],
                              env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)

    def is_refused():
        answer = ben.ask("SUBSCRIBE", uri, headers="Event: presence\r\nExpires: 600\r\n")
        if answer.status >= 300:
            return True
        notify = ben.take("NOTIFY")
        ben.reply(notify, 200)
        return "terminated" in notify.get("Subscription-State")
    end = time.monotonic() + 30
    while not is_refused():
        check(time.monotonic() < end, "the server lets watch whom its user has blocked")
        time.sleep(0.2)
    device.terminate()
    device.wait(30)
    check(is_refused(), "the decision left with the device")
    ben.close()


def test_who_watches(server):
    """presence.winfo: who watches, and who waits to be allowed."""
    dan, ben, cat = server.client("dan"), server.client("ben"), server.client("cat")
    uri, about = f"sip:dan@{DOMAIN}", "Event: presence.winfo\r\nExpires: 600\r\n"

    def watchers():
        notify = dan.wait(lambda m: m.method == "NOTIFY" and "winfo" in m.get("Event"), "watchers")
        dan.reply(notify, 200)
        check(notify.get("Content-Type") == "application/watcherinfo+xml", "no list of watchers")
        return set(re.findall(r'status="(\w+)">sip:(\w+)@', notify.body))

    def until(expected):
        while (seen := watchers()) != expected:  # Ends with the test of the client.
            pass
        return seen
    check(dan.ask("PUBLISH", uri, body="default ask\nallow ben\n", headers="Event: tandem-rules\r\n"
                  "Content-Type: text/plain\r\n").status == 200, "no rules")
    check(cat.ask("SUBSCRIBE", uri, headers=about).status == 403, "another's watchers are told")
    check(dan.ask("SUBSCRIBE", uri, headers=about).status == 200, "not subscribed")
    until(set())
    for client in (ben, cat):
        check(client.ask("SUBSCRIBE", uri, headers="Event: presence\r\nExpires: 600\r\n").status ==
              200, "not subscribed")
        client.reply(client.take("NOTIFY"), 200)
    until({("active", "ben"), ("pending", "cat")})
    check(dan.ask("PUBLISH", uri, body="default allow\n", headers="Event: tandem-rules\r\n"
                  "Content-Type: text/plain\r\n").status == 200, "no rules")
    for client in (dan, ben, cat):
        client.close()


def schedule(client, device, when):
    """A document of one device that is closed from `when` (Unix time) on for an hour."""
    def stamp(seconds):
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="{client.aor}"
 xmlns:ts="urn:ietf:params:xml:ns:pidf:timed-status">
<tuple id="{device}"><status><basic>open</basic></status>
<ts:timed-status from="{stamp(when)}" until="{stamp(when + 3600)}"><ts:basic>closed</ts:basic>
</ts:timed-status><contact>{client.contact.strip('<>')}</contact></tuple></presence>"""


def test_hours(server):
    """Calls go to the devices that are open by their published hours; messages go to all."""
    password = json.loads(server.run("adduser", "eva", "--json").stdout)["password"]
    ann = server.client("ann")
    desk, phone = (server.client("eva", password=password) for _ in range(2))
    uri = f"sip:eva@{DOMAIN}"
    until = time.monotonic() + 30
    while desk.register().status != 200:
        check(time.monotonic() < until, "a new account cannot sign in")
    for client in (ann, phone):
        check(client.register().status == 200, "not registered")
    for client, device, when in ((desk, "desk", time.time() - 60), (phone, "phone", time.time() + 7200)):
        check(client.ask("PUBLISH", uri, body=schedule(client, device, when),
                         headers="Event: presence\r\nExpires: 600\r\n"
                         "Content-Type: application/pidf+xml\r\n").status == 200, "not published")
    call_id = ann.invite(uri)
    phone.reply(phone.take("INVITE"), 486, "Busy Here")
    answer = ann.wait(lambda m: m.status >= 300 and m.get("Call-ID") == call_id, "an answer")
    check(answer.status == 486, f"the open device said busy, the caller heard {answer.first}")
    check(not [m for m in desk.inbox if m.method == "INVITE"] and
          desk.nothing(lambda m: m.method == "INVITE", 0.2), "a device rings outside its hours")
    cseq, call_id, _ = ann.request("MESSAGE", uri, body="x", headers="Content-Type: text/plain\r\n")
    challenge = ann.answer_to(cseq, "MESSAGE", call_id)
    value = ann.credentials([c for c in challenge.all("Proxy-Authenticate") if "MD5" in c][0],
                            "MESSAGE", uri)
    cseq, _, _ = ann.request("MESSAGE", uri, body="x", headers="Content-Type: text/plain\r\n",
                             call_id=call_id, authorization=f"Proxy-Authorization: {value}")
    for client in (desk, phone):
        client.reply(client.take("MESSAGE"), 200)
    check(ann.answer_to(cseq, "MESSAGE", call_id).status == 200, "a message waits for the hours")
    for client in (ann, desk, phone):
        client.close()


def test_deleted(server):
    """Whose account is deleted is gone while the server runs."""
    added = server.run("adduser", "zoe", "--json")
    zoe = server.client("zoe", password=json.loads(added.stdout)["password"])
    ben = server.client("ben")
    until = time.monotonic() + 30
    while zoe.register().status != 200:
        check(time.monotonic() < until, "a new account cannot sign in")
    check(ben.ask("SUBSCRIBE", zoe.aor, headers="Event: presence\r\nExpires: 600\r\n").status == 200,
          "not subscribed")
    ben.reply(ben.take("NOTIFY"), 200)
    check(server.run("deluser", "zoe").returncode == 0, "cannot delete")
    end = ben.wait(lambda m: m.method == "NOTIFY" and "terminated" in m.get("Subscription-State"),
                   "the end")
    ben.reply(end, 200)
    check("noresource" in end.get("Subscription-State"), end.get("Subscription-State"))
    check(zoe.register().status == 401, "who is deleted signs in")
    check(ben.ask("MESSAGE", zoe.aor, body="x").status == 404, "who is deleted gets messages")
    check(server.run("deluser", "zoe").returncode == 2, "deleted twice")
    zoe.close()
    ben.close()


def resident_kib(process):
    with open(f"/proc/{process.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


def test_first_start(server):
    """With TLS, where not even the folder above the state folder is there."""
    state = os.path.join(server.folder, "not", "yet")
    environment = dict(os.environ, XDG_STATE_HOME=state)
    added = subprocess.run([TANDEM, "serve", "adduser", "ann"], env=environment, timeout=30,
                           capture_output=True, text=True)
    check(added.returncode == 0, added.stderr)
    for attempt in range(5):
        process = subprocess.Popen(
            [TANDEM, "serve", "--listen", "127.0.0.1", "--json", "--quiet", "--no-secret",
             "--no-announce", "--port", str(free_port()), "--sip-port", str(free_port()),
             "--sips-port", str(free_port())], env=environment, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        line = process.stdout.readline()
        started = line and json.loads(line)["event"] == "started"
        process.terminate()
        errors = process.communicate(timeout=60)[1]
        if started:
            break
    check(started, f"it does not start: {errors}")
    check(os.path.exists(os.path.join(state, "tandem", "serve-identity.pem")), "no certificate kept")


def test_half_open(server):
    """10,000 that begin to register and never answer, and connections that say little or nothing."""
    ann = server.client("ann")
    check(ann.register().status == 200, "not registered")
    before = server.status()["figures"]
    memory = resident_kib(server.process)
    slow = [server.client("ann", tcp=True) for _ in range(50)]
    for number, client in enumerate(slow):
        client.send_raw(f"REGISTER sip:{DOMAIN} SIP/2.0\r\nVia: S"[:number])
    for number in range(10000):
        ann.request("REGISTER", f"sip:{DOMAIN}", to=ann.aor)
        if number % 50 == 49:  # So that the queue of the socket does not drop them.
            ann.wait(lambda m: m.status == 401, "a challenge")
            ann.drain()
    after = server.status()["figures"]
    challenged = after["challenged_total"] - before["challenged_total"]
    check(challenged > 9000, f"{challenged} were challenged")
    check(after["transactions"] <= before["transactions"] and
          after["devices"] == before["devices"], f"{before} became {after}")
    grown = resident_kib(server.process) - memory
    check(grown < 16384, f"memory grew by {grown} KiB")
    check(ann.register().status == 200, "nobody else is served")
    for client in slow + [ann]:
        client.close()


def test_people(server):
    """Commands of somebody with an account and an address book."""
    password = json.loads(server.run("adduser", "mia", "--json").stdout)["password"]
    ned = server.client("ned", password=json.loads(
        server.run("adduser", "ned", "--json").stdout)["password"])
    environment = dict(server.environment, **{name: os.path.join(server.folder, "mia") for name in
                                              ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")})

    def run(*words, text=None):
        return subprocess.run([TANDEM, *words], input=text, capture_output=True, text=True,
                              env=environment, timeout=60)

    def start(*words):
        return subprocess.Popen([TANDEM, *words], env=environment, stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    os.mkdir(environment["HOME"], mode=0o700)
    check(run("account", "add", f"mia@{DOMAIN}", "--password", "--server",
              f"127.0.0.1:{server.port}", text=password).returncode == 0, "an account is added")
    check(run("contacts", "add", "ned", f"ned@{DOMAIN}").returncode == 0, "a contact is added")
    answer = ned.register()
    check(answer.status == 200, answer.first)
    shown = json.loads(run("contacts", "list", "--json").stdout)
    check(shown[0]["presence"]["state"] == "available", f"the list waits for the account: {shown}")
    found = run("contacts", "search", "NED", "--json")
    check(json.loads(found.stdout or "[]") == [{"address": f"ned@{DOMAIN}", "name": "",
                                                "registered": True}], f"the search: {found}")
    check("nobody" in run("contacts", "search", "ned", "mia").stdout, "who has one of two words")
    lost = subprocess.run([TANDEM, "contacts", "search", "ned"], capture_output=True, text=True,
                          env=dict(environment, XDG_CONFIG_HOME=server.folder), timeout=60)
    check(lost.returncode == 2 and "no account" in lost.stderr, f"without an account: {lost}")
    chat = subprocess.Popen([TANDEM, "chat", "ned", "--messages", "--port", str(free_port()),
                             "--bind", "127.0.0.1"], env=environment, stdin=subprocess.PIPE,
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    chat.stdin.write(b"typed at once\n")
    chat.stdin.close()
    message = ned.take("MESSAGE")
    ned.reply(message, 200)
    check(message.body == "typed at once", "a text waits for the account")
    errors = chat.stderr.read()
    check(chat.wait(60) == 0, errors)
    seen = []
    for words in (("share", "ned", "--desktop", "pattern:still"), ("assist", "ned", "--no-window"),
                  ("send", os.path.abspath(__file__), "ned", "--retry", "0")):
        process = start(*words)
        call = ned.wait(lambda m: m.method == "INVITE" and m.get("Call-ID") not in seen, "a call")
        seen.append(call.get("Call-ID"))
        check(f"sip:mia@{DOMAIN}" in call.get("From"), f"{words[0]} calls over the account")
        ned.reply(call, 603, "Decline")
        check(process.wait(60) == 3, f"{words[0]} says that it was declined")
    ned.close()


def test_other_directories(server):
    """Servers that say of their people what no terminal should see, or have no directory."""
    other = server.client("other")
    environment = dict(server.environment, **{name: os.path.join(server.folder, "eve") for name in
                                              ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")})
    os.mkdir(environment["HOME"], mode=0o700)
    subprocess.run([TANDEM, "account", "add", "eve@other.example", "--server",
                    f"127.0.0.1:{other.port}"], env=environment, check=True, capture_output=True,
                   timeout=60)
    rows = [{"user": "mal\x1b[2J\nlory", "name": 5}, 7, {"name": "nobody"}, {"user": "x" * 300}]
    for code, body in ((200, json.dumps(rows)), (200, "[{"), (404, "")):
        search = subprocess.Popen([TANDEM, "contacts", "search", "a", "b"], env=environment,
                                  text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        asked = None
        while not asked:
            request = other.wait(lambda m: m.method, "a request")
            address = re.search(r" ([\d.]+):(\d+)", request.get("Via"))
            other.server = (address[1], int(address[2]))
            asked = request if "sip:directory@other.example" in request.first else None
            if not asked:
                other.reply(request, 200)
        check(asked.body == "a b" and asked.get("Content-Type") == "text/plain", "the question")
        other.reply(asked, code, body=body, headers="Content-Type: application/json\r\n")
        said, errors = search.communicate(timeout=60)
        if body.endswith("]"):
            lines = said.splitlines()
            check(search.returncode == 0 and len(lines) == 2 and "\x1b" not in said and
                  lines[1] == f"{'x' * 63}@other.example, not signed in", f"{said} {errors}")
        else:
            check(search.returncode == 1 and "no directory" in errors, f"{said} {errors}")
    other.close()


def test_nonsense(server):
    ann, slow = server.client("ann"), server.client("ann", tcp=True)
    slow.send_raw("REGISTER sip:x SIP/2.0\r\nVia: ")  # And never the rest.
    for data in (b"", b"\0" * 20, b"INVITE", b"\xff" * 3000, b"SIP/2.0 200 OK\r\n\r\n",
                 b"INVITE sip:a SIP/2.0\r\n" + b"Via: a\r\n" * 200 + b"\r\n",
                 b"MESSAGE sip:ben@x SIP/2.0\r\n" + b"A: " + b"x" * 40000 + b"\r\n\r\n"):
        ann.send_raw(data)
    check(ann.register().status == 200, "the server minds nonsense")
    slow.close()
    ann.close()


def test_wrong_passwords(server):
    """The last one: behind it nobody signs in from this address."""
    ann = server.client("ann")
    uri = f"sip:{DOMAIN}"
    made_up = ann.credentials(f'realm="{DOMAIN}", nonce="made-up"', "REGISTER", uri, password="x")
    for _ in range(60):
        cseq, call_id, _ = ann.request("REGISTER", uri, to=ann.aor,
                                       authorization=f"Authorization: {made_up}")
        answer = ann.answer_to(cseq, "REGISTER", call_id)
        check(answer.status == 401, answer.first)
    check(ann.register().status == 200, "who has no nonce uses up the tries of others")
    for _ in range(20):
        check(ann.register(password="wrong-one").status in (401, 503), "a wrong password is taken")
    answer = ann.register()
    check(answer.status == 503 and answer.get("Retry-After") == "300", answer.first)
    ann.close()


def main():
    with tempfile.TemporaryDirectory() as folder:
        server = Server(folder)
        for user in ("ann", "ben", "cat", "dan"):
            added = server.run("adduser", user, "--domain", DOMAIN, "--password-stdin",
                               text=f"secret-{user}\n")
            check(added.returncode == 0, added.stderr)
        with open(server.store, "rb") as file:
            check(b"secret-ann" not in file.read(), "a password in clear")
        server.start()
        try:
            for test in (test_signing_in, test_call, test_kept_messages, test_presence, test_decisions_of_a_client,
                         test_who_watches, test_hours, test_deleted, test_people,
                         test_other_directories, test_nonsense, test_first_start, test_half_open,
                         test_wrong_passwords):
                test(server)
                print(test.__name__, "passed")
            server.kill(signal.SIGTERM)
            check(server.process.returncode == 0, f"ended with {server.process.returncode}")
        finally:
            if server.process.poll() is None:
                server.process.kill()


main()
