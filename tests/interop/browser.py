#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""One call between Chromium and `tandem answer --web`: browser.py WHAT CODEC TANDEM FOLDER

WHAT is call (both ways), watch (WHEP), names (the same, candidates are .local names), loss (8 % of
the larger packets are lost), late (candidates follow the offer), secure (HTTPS at another address,
with a token), restart (ICE restarts, then the first path dies) or refused (offers that nobody may take). Prints what was seen; status 1 and the reason
when it is not what it should be."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request

from chromium import Chromium

HERE = os.path.dirname(os.path.abspath(__file__))
PORT = 8090
URL = f"http://localhost:{PORT}"
SAFE_URL = f"https://192.0.2.1:{PORT}"
SECONDS = 5
TONE_HERE = 440   # What tandem sends.
GREEN = (0, 136, 0)  # The fake camera's background.


def must(condition, text):
    """A check that says what it found."""
    if not condition:
        raise SystemExit("not so: " + text)


class Tandem:
    """`tandem answer` with a pattern and a tone, and what it says at the end."""

    def __init__(self, command, folder, *options):
        self.folder = folder
        self.out = open(os.path.join(folder, "tandem.json"), "w+", encoding="utf-8")
        with open(os.path.join(folder, "tandem.err"), "w", encoding="utf-8") as errors:
            self.process = subprocess.Popen(
                [command, "answer", "--auto", "--json", "--no-keys", "--web", str(PORT),
                 "--video", "pattern", "--audio", f"tone:{TONE_HERE}",
                 "--time-code", "--sink", "null", "--wav", os.path.join(folder, "heard.wav"),
                 "--sheet", os.path.join(folder, "sheet.png"), *options],
                stdout=self.out, stderr=errors)
        for _ in range(100):
            with open(os.path.join(folder, "tandem.err"), encoding="utf-8") as errors:
                if "browsers call at" in errors.read():
                    return
            time.sleep(0.05)
        raise SystemExit("tandem does not listen")

    def end(self):
        """Waits until it has ended; its report."""
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.terminate()
            self.process.wait(10)
        self.out.seek(0)
        text = self.out.read()
        return json.loads(text) if text.strip() else {}


def sheet_colours(path):
    """How much of the contact sheet is the camera's green."""
    pixels = subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-f", "rawvideo", "-pix_fmt",
                             "rgb24", "-"], stdout=subprocess.PIPE, check=True).stdout
    green = sum(all(abs(pixels[i + k] - GREEN[k]) < 24 for k in range(3))
                for i in range(0, len(pixels) - 2, 3 * 97))
    return green / (len(pixels) / (3 * 97))


def drop_some():
    """Of what a picture is made, and its repairs; not of what sets the call up. Where they come in:
    a sender whose packet may not leave is told."""
    for rule in ("add table inet lossy",
                 "add chain inet lossy in { type filter hook input priority 0; }",
                 "add rule inet lossy in udp length gt 300 numgen random mod 100 lt 8 drop"):
        subprocess.run(["nft", *rule.split(" ")], check=True)


def open_page(browser, codec, url=URL + "/"):
    """The page of ours, with eyes and ears for the test."""
    browser.open(url)
    with open(os.path.join(HERE, "page.js"), encoding="utf-8") as script:
        browser.run(script.read() + "\nwindow.observe = observe; window.figuresOf = figuresOf;"
                    + "window.restartIce = restartIce; 1")
    browser.run(f"document.getElementById('codec').value = '{codec}'")


def check_browser(seen, figures, codec):
    """What the browser saw and heard of us."""
    video = figures["video_in"]
    must(figures["state"] == "connected", f"connected, but {figures['state']}")
    must(figures["dtls"] == "connected" and "AES" in figures["srtp"], f"SRTP: {figures}")
    must(video["codec"] == codec, f"we send {codec}, but {video['codec']}")
    must(video["frameWidth"] == 1280 and video["framesDecoded"] > 20 * SECONDS,
         f"pictures decoded: {video['framesDecoded']}")
    must(seen["codes"] > 15 * SECONDS and seen["codes"] > seen["pictures"] * 0.8 and seen["rising"],
         f"time codes in the pixels: {seen}")
    took = (seen["last"] - seen["first"]) / 1e6
    must(0.7 * SECONDS < took < 1.3 * SECONDS, f"{took} s of time codes in {SECONDS} s")
    must(abs(seen["tone"] - TONE_HERE) < 12, f"a tone of {TONE_HERE} Hz: {seen}")
    must(figures["audio_in"]["codec"] == "opus", "opus")


def check_here(report, codec, folder):
    """What we saw of the browser; the tone is the script's to check."""
    video = report["video"]
    must(video["receive_codec"] == codec.lower(), f"it sends {codec}: {video['receive_codec']}")
    must(report["frames_decoded"] > 20 * SECONDS, f"{report['frames_decoded']} pictures decoded")
    must(report["decode_errors"] == 0, f"{report['decode_errors']} decode errors")
    share = sheet_colours(os.path.join(folder, "sheet.png"))
    must(share > 0.25, f"the camera's green in the contact sheet: {share:.2f}")
    must(report["audio"]["packets_received"] > 40 * SECONDS, "sound comes")


def call(browser, tandem, codec, what, folder):
    """Both ways, by the page's own button."""
    open_page(browser, codec, SAFE_URL + "/#s3cret" if what == "secure" else URL + "/")
    if what == "late":
        browser.run("""window.gathered = () => Promise.resolve();
            const ask = window.fetch.bind(window);
            window.statuses = [];
            window.fetch = async (url, how) => {
                const answer = await ask(url, how);
                if (how.method === 'PATCH') statuses.push(answer.status);
                return answer;
            }; 1""")
    browser.run("document.getElementById('call').click()")
    browser.wait("document.getElementById('state').textContent === 'connected'")
    if what == "loss":
        time.sleep(1)
        drop_some()
    if what == "late":
        statuses = browser.wait("statuses.length && statuses")
        must(set(statuses) == {204}, f"late candidates are taken: {statuses}")
    seen = browser.run(f"observe({SECONDS})", 60)
    figures = browser.run("figuresOf()")
    browser.run("document.getElementById('hangup').click()")
    report = tandem.end()
    print(json.dumps({"seen": seen, "outgoing_bps": figures.get("outgoing_bps")}))
    check_here(report["report"], codec, folder)
    if what == "loss":
        check_repairs(seen, figures, report["report"])
    else:
        check_browser(seen, figures, codec)
        # It starts at 300 kbit/s, and goes above that by what our feedback says.
        must(figures["outgoing_bps"] > 600000, f"estimate {figures['outgoing_bps']}")
    must("hung up" in report["reason"], report["reason"])


def check_repairs(seen, figures, report):
    """Lost packets were asked for and came again, in both directions, and pictures with them."""
    into, out = figures["video_in"], figures["video_out"]
    print(json.dumps({"in": {k: into.get(k) for k in (
        "packetsLost", "nackCount", "retransmittedPacketsReceived", "framesDecoded", "pliCount",
        "fecPacketsReceived", "fecPacketsDiscarded")},
        "out": {k: out.get(k) for k in ("nackCount", "retransmittedPacketsSent", "pliCount",
                                        "framesSent")},
        "here": {k: report["video"][k] for k in (
            "packets_lost", "nacks_sent", "nacks_received", "packets_resent", "repaired",
            "parity_sent", "parity_received", "mended")},
        "decoded": report["frames_decoded"]}))
    must(into["retransmittedPacketsReceived"] > 5, "the browser gets repairs wrapped (RTX)")
    must(report["video"]["packets_resent"] >= into["retransmittedPacketsReceived"], "ours")
    must(out["retransmittedPacketsSent"] > 2 and report["video"]["repaired"] > 2,
         "we get repairs, and they fill the holes")
    must(report["frames_decoded"] > out["framesSent"] * 0.9, "nearly all its pictures")
    must(into["framesDecoded"] > 15 * SECONDS, f"decoded: {into['framesDecoded']}")
    must(seen["codes"] > 10 * SECONDS and seen["rising"], f"time codes: {seen}")


def restart(browser, tandem, codec, _, folder):
    """The page restarts ICE; once there is another path the first one dies, and is not missed."""
    open_page(browser, codec)
    browser.run("document.getElementById('call').click()")
    browser.wait("document.getElementById('state').textContent === 'connected'")
    old = browser.run("figuresOf()")["port"]
    time.sleep(1)
    browser.run("restartIce()")
    browser.wait(f"figuresOf().then(f => f.port !== {old})")
    time.sleep(3)  # Both have changed to it, on a busy machine, too.
    for rule in ("add table inet dead",
                 "add chain inet dead in { type filter hook input priority 0; }",
                 f"add rule inet dead in udp dport {old} drop",
                 f"add rule inet dead in udp sport {old} drop"):
        subprocess.run(["nft", *rule.split(" ")], check=True)
    seen = browser.run(f"observe({SECONDS})", 60)
    figures = browser.run("figuresOf()")
    browser.run("document.getElementById('hangup').click()")
    report = tandem.end()
    print(json.dumps({"seen": seen, "ports": [old, figures["port"]]}))
    check_browser(seen, figures, codec)
    check_here(report["report"], codec, folder)


def watch(browser, tandem, codec, what, *_):
    """Only to us to send: WHEP. A page that asks for no camera has only names as candidates."""
    open_page(browser, codec)
    browser.run("document.getElementById('watch').click()")
    browser.wait("document.getElementById('state').textContent === 'connected'")
    seen = browser.run(f"observe({SECONDS})", 60)
    figures = browser.run("figuresOf()")
    hosts = browser.wait("(pc.localDescription.sdp.match(/a=candidate:.*typ host/g) || []).join(' ')")
    must((".local" in hosts) == (what == "names"), hosts)
    tandem.process.terminate()  # This time we end it, and the page must see that.
    browser.wait("document.getElementById('state').textContent === 'the call has ended'", 15)
    report = tandem.end()["report"]
    print(json.dumps({"seen": seen}))
    check_browser(seen, figures, codec)
    must(report["video"]["receive_codec"] == "" and report["frames_received"] == 0, "nothing comes")


def post(path, body, **headers):
    """An HTTP request without a browser; its status and text."""
    request = urllib.request.Request(URL + path, body.encode(), method="POST", headers={
        k.replace("_", "-"): v for k, v in headers.items()})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def refused(browser, tandem, codec, *_):
    """A call that somebody between has changed never stands, and bad offers are told why."""
    open_page(browser, codec)
    must(post("/whip", "v=0")[0] == 415, "a type is needed")
    must(post("/whip", "v=0", Content_Type="application/sdp")[0] in (400, 422), "half an offer")
    status, why = post("/whip", "x", Content_Type="application/sdp", Origin="http://elsewhere.test")
    must(status == 403 and "page" in why, f"another page: {status} {why}")
    # Another certificate's fingerprint in what is posted: the handshake must fail, on both sides.
    browser.run("""const post = window.fetch.bind(window);
        window.fetch = (url, what) => post(url, what && what.body ? Object.assign({}, what,
            { body: what.body.replace(/(a=fingerprint:sha-256 )(..)/g,
                (all, head, byte) => head + (byte === '00' ? '01' : '00')) }) : what); 1""")
    browser.run("document.getElementById('call').click()")
    time.sleep(4)
    figures = browser.run("pc ? figuresOf() : ({})")
    state = browser.run("document.getElementById('state').textContent")
    must(figures.get("state") != "connected" and state != "connected", f"connected: {state}")
    must(figures.get("video_in", {}).get("packetsReceived", 0) == 0, "no packet of ours")
    report = tandem.end()
    print(json.dumps({"state": state, "reason": report.get("reason"), "exit": report.get("exit")}))
    must(report.get("exit") != 0, f"it failed here too: {report.get('reason')}")
    must("certificate" in report.get("reason", "") or "fingerprint" in report.get("reason", ""),
         f"and says why: {report.get('reason')}")


def main():
    what, codec, command, folder = sys.argv[1:5]
    jobs = {"call": call, "names": watch, "loss": call, "secure": call, "restart": restart,
            "late": call, "watch": watch, "refused": refused}
    options = ["-c:v", "h264,vp8", "--seconds", "45"]
    if what == "secure":
        options += ["--web-address", "192.0.2.1", "--web-token", "s3cret",
                    "--web-cert", folder + "/cert.pem", "--web-key", folder + "/key.pem"]
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=tandem", "-keyout",
                        folder + "/key.pem", "-out", folder + "/cert.pem"],
                       check=True, stderr=subprocess.DEVNULL)
    tandem = Tandem(command, folder, *options)
    try:
        with Chromium(names=what == "names") as browser:
            jobs[what](browser, tandem, codec, what, folder)
    finally:
        if tandem.process.poll() is None:
            tandem.process.terminate()
            tandem.process.wait(10)


if __name__ == "__main__":
    main()
