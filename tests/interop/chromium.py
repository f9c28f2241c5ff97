# SPDX-License-Identifier: MIT
"""A headless Chromium that is told what to do over a pipe (the DevTools protocol), with a camera and
a microphone that do not exist: a green picture with a running pie, and a beep each second."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --no-first-run --disable-dev-shm-usage "
    "--use-fake-device-for-media-stream=fps=30 "
    "--autoplay-policy=no-user-gesture-required --remote-debugging-pipe "
    "--disable-background-networking --disable-component-update --mute-audio "
    "--disable-background-timer-throttling --disable-backgrounding-occluded-windows "
    "--disable-renderer-backgrounding --allow-loopback-in-peer-connection "
    "--ignore-certificate-errors"
).split()
# Without these a page that may not use a camera has .local names as candidates.
NUMBERS = ["--disable-features=WebRtcHideLocalIpsWithMdns", "--use-fake-ui-for-media-stream"]


class PageError(Exception):
    """What a page threw."""


class Chromium:
    """One browser with one page."""

    def __init__(self, names=False):
        self.folder = tempfile.mkdtemp(prefix="tandem-chromium-")
        to_browser, self.to = os.pipe()
        self.from_browser, out = os.pipe()
        self.log = open(os.path.join(self.folder, "log"), "wb")

        def pipes():
            # The browser reads commands at 3 and writes answers at 4.
            a, b = os.dup(to_browser), os.dup(out)
            os.dup2(a, 3)
            os.dup2(b, 4)

        self.process = subprocess.Popen(
            ["chromium", *FLAGS, *([] if names else NUMBERS),
             "--user-data-dir=" + self.folder, "about:blank"],
            preexec_fn=pipes, close_fds=False, start_new_session=True,
            stdout=self.log, stderr=self.log)
        os.close(to_browser)
        os.close(out)
        self.buffer = b""
        self.next_id = 0
        self.session = None
        targets = self.ask("Target.getTargets")["targetInfos"]
        page = next(t for t in targets if t["type"] == "page")
        self.session = self.ask("Target.attachToTarget", targetId=page["targetId"],
                                flatten=True)["sessionId"]
        self.ask("Page.enable")

    def ask(self, method, patience=30, **params):
        """One command, and its result."""
        self.next_id += 1
        message = {"id": self.next_id, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + patience
        while True:
            while b"\0" not in self.buffer:
                if time.monotonic() > end:
                    raise PageError(method + " takes too long")
                more = os.read(self.from_browser, 1 << 20)
                if not more:
                    raise PageError("the browser is gone")
                self.buffer += more
            text, self.buffer = self.buffer.split(b"\0", 1)
            answer = json.loads(text)
            if answer.get("id") != self.next_id:
                continue  # An event.
            if "error" in answer:
                raise PageError(answer["error"]["message"])
            return answer["result"]

    def open(self, url):
        """Goes to a page and waits until it is there."""
        result = self.ask("Page.navigate", url=url)
        if result.get("errorText"):
            raise PageError(result["errorText"])
        self.wait("document.readyState === 'complete' && location.href.startsWith('http')")

    def run(self, script, patience=30):
        """Evaluates an expression, which may be a promise; gives its value."""
        result = self.ask("Runtime.evaluate", patience, expression=script, awaitPromise=True,
                          returnByValue=True, userGesture=True)
        if "exceptionDetails" in result:
            details = result["exceptionDetails"]
            raise PageError(details.get("exception", {}).get("description", details["text"]))
        return result["result"].get("value")

    def wait(self, condition, patience=20):
        """Waits for an expression to be true; gives its value."""
        end = time.monotonic() + patience
        while not (value := self.run(condition)):
            if time.monotonic() > end:
                raise PageError("in vain: " + condition)
            time.sleep(0.1)
        return value

    def close(self):
        """Ends the browser and what it started."""
        try:
            self.ask("Browser.close", 5)
        except (PageError, OSError):
            pass
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        os.close(self.to)
        os.close(self.from_browser)
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
