# SPDX-License-Identifier: MIT
"""A SIP user agent of a few lines for tests of the server: one socket, digest, what came kept."""

import hashlib
import random
import re
import select
import socket
import time

WAIT = 30


def md5(text):
    return hashlib.md5(text.encode()).hexdigest()


class Message:
    def __init__(self, data):
        head, _, self.body = data.decode(errors="replace").partition("\r\n\r\n")
        lines = head.split("\r\n")
        self.first = lines[0]
        self.headers = [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:]
                        if ":" in line]
        self.status = int(self.first.split()[1]) if self.first.startswith("SIP/2.0 ") else 0
        self.method = "" if self.status else self.first.partition(" ")[0]

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def get(self, name):
        return (self.all(name) or [""])[0]


class Client:
    def __init__(self, user, domain, server, password=None, tcp=False, host="127.0.0.1"):
        self.user, self.domain, self.server = user, domain, server
        self.password = password or "secret-" + user
        self.tcp = tcp
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM)
        self.socket.bind((host, 0))
        if tcp:
            self.socket.connect(server)
        self.port = self.socket.getsockname()[1]
        self.host = host
        self.cseq = random.randrange(1, 10000)
        self.inbox = []
        self.buffer = b""
        self.auth = None
        self.aor = f"sip:{user}@{domain}"
        self.contact = f"<sip:{user}@{host}:{self.port}{';transport=tcp' if tcp else ''}>"

    def close(self):
        self.socket.close()

    def send_raw(self, data):
        data = data if isinstance(data, bytes) else data.encode()
        if self.tcp:
            self.socket.sendall(data)
        else:
            self.socket.sendto(data, self.server)

    def _read(self, timeout):
        if not select.select([self.socket], [], [], timeout)[0]:
            return
        data = self.socket.recv(65536)
        if not self.tcp:
            self.inbox.append(Message(data))
            return
        if not data:
            raise ConnectionError("the server closed the connection")
        self.buffer += data
        while b"\r\n\r\n" in self.buffer:
            head, _, rest = self.buffer.partition(b"\r\n\r\n")
            length = int(re.search(rb"(?i)content-length: *(\d+)", head).group(1))
            if len(rest) < length:
                return
            self.inbox.append(Message(self.buffer[:len(head) + 4 + length]))
            self.buffer = rest[length:]

    def wait(self, fits, what, timeout=WAIT):
        """The first message in the inbox that fits; it is taken out."""
        until = time.monotonic() + timeout
        while True:
            for message in self.inbox:
                if fits(message):
                    self.inbox.remove(message)
                    return message
            left = until - time.monotonic()
            if left <= 0:
                seen = [m.first for m in self.inbox]
                raise AssertionError(f"{self.user}: no {what} came; {seen} did")
            self._read(left)

    def drain(self):
        """Forgets what came, and what waits in the socket."""
        while select.select([self.socket], [], [], 0)[0]:
            self._read(0)
        self.inbox.clear()

    def nothing(self, fits, timeout):
        try:
            self.wait(fits, "", timeout)
        except AssertionError:
            return True
        return False

    def answer_to(self, cseq, method, call_id):
        return self.wait(lambda m: m.status >= 200 and m.get("CSeq") == f"{cseq} {method}" and
                         m.get("Call-ID") == call_id, f"answer to {method}")

    def via(self):
        branch = "z9hG4bK" + "%016x" % random.getrandbits(64)
        return (f"Via: SIP/2.0/{'TCP' if self.tcp else 'UDP'} {self.host}:{self.port};rport;"
                f"branch={branch}\r\n")

    def credentials(self, challenge, method, uri, nc=1, password=None):
        realm = re.search(r'realm="([^"]*)"', challenge).group(1)
        nonce = re.search(r'nonce="([^"]*)"', challenge).group(1)
        ha1 = md5(f"{self.user}:{realm}:{password or self.password}")
        count = "%08x" % nc
        response = md5(f"{ha1}:{nonce}:{count}:cc:auth:{md5(f'{method}:{uri}')}")
        return (f'Digest username="{self.user}", realm="{realm}", nonce="{nonce}", uri="{uri}", '
                f'response="{response}", algorithm=MD5, cnonce="cc", qop=auth, nc={count}')

    def request(self, method, uri, headers="", body="", call_id=None, to=None, sender=None,
                authorization=None, contact=True):
        """Sends one request, nothing more. @return (cseq, call_id, text)"""
        self.cseq += 1
        call_id = call_id or "%016x" % random.getrandbits(64)
        text = (f"{method} {uri} SIP/2.0\r\n{self.via()}Max-Forwards: 70\r\n"
                f"From: <{sender or self.aor}>;tag={self.user}1\r\nTo: <{to or uri}>\r\n"
                f"Call-ID: {call_id}\r\nCSeq: {self.cseq} {method}\r\nUser-Agent: test\r\n"
                f"{'Contact: ' + self.contact + chr(13) + chr(10) if contact else ''}{headers}")
        if authorization:
            text += authorization + "\r\n"
        text += f"Content-Length: {len(body.encode())}\r\n\r\n{body}"
        self.send_raw(text)
        return self.cseq, call_id, text

    def ask(self, method, uri, **more):
        """Sends a request, answers the challenge. @return the final answer"""
        password = more.pop("password", None)
        cseq, call_id, _ = self.request(method, uri, **more)
        answer = self.answer_to(cseq, method, call_id)
        if answer.status not in (401, 407):
            return answer
        if method == "INVITE":
            self.ack(uri, answer, cseq, call_id)
        proxy = answer.status == 407
        challenge = [c for c in answer.all("Proxy-Authenticate" if proxy else "WWW-Authenticate")
                     if "MD5" in c][0]
        value = self.credentials(challenge, method, uri, password=password)
        more["call_id"] = call_id
        more["authorization"] = f"{'Proxy-' if proxy else ''}Authorization: {value}"
        cseq, call_id, self.last_text = self.request(method, uri, **more)
        return self.answer_to(cseq, method, call_id)

    def invite(self, uri, body="v=0\r\n"):
        """A call up to where it rings. @return its Call-ID"""
        cseq, call_id, _ = self.request("INVITE", uri, body=body)
        refused = self.answer_to(cseq, "INVITE", call_id)
        self.ack(uri, refused, cseq, call_id)
        challenge = [c for c in refused.all("Proxy-Authenticate") if "MD5" in c][0]
        value = self.credentials(challenge, "INVITE", uri)
        self.request("INVITE", uri, body=body, call_id=call_id,
                     authorization=f"Proxy-Authorization: {value}")
        return call_id

    def ack(self, uri, answer, cseq, call_id, routes=""):
        self.send_raw(f"ACK {uri} SIP/2.0\r\n{self.via()}Max-Forwards: 70\r\n{routes}"
                      f"From: {answer.get('From')}\r\nTo: {answer.get('To')}\r\n"
                      f"Call-ID: {call_id}\r\nCSeq: {cseq} ACK\r\nContent-Length: 0\r\n\r\n")

    def register(self, expires=600, **more):
        return self.ask("REGISTER", f"sip:{self.domain}", to=self.aor,
                        headers=f"Expires: {expires}\r\n", **more)

    def reply(self, message, code, reason="OK", headers="", body=""):
        text = f"SIP/2.0 {code} {reason}\r\n"
        for name in ("Via", "Record-Route", "From", "To", "Call-ID", "CSeq"):
            for value in message.all(name):
                if name == "To" and ";tag=" not in value and code > 100:
                    value += f";tag=t{self.port}"
                text += f"{name}: {value}\r\n"
        self.send_raw(f"{text}Contact: {self.contact}\r\n{headers}"
                      f"Content-Length: {len(body.encode())}\r\n\r\n{body}")

    def take(self, method):
        return self.wait(lambda m: m.method == method, method)
