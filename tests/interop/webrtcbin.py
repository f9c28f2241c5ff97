#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""GStreamer's webrtcbin as a WHIP client: webrtcbin.py URL vp8|h264 FOLDER SECONDS [repairs]

Sends a blue picture and a tone of 700 Hz; what comes is decoded into FOLDER/seen.gray (1280x720) and
FOLDER/heard.raw. With "repairs" it offers RED and ULPFEC, sends a repair for each packet, asks for
nothing again, loses a part of what comes, and lasts until it mended what we sent.
(Debian's python, as the bindings are Debian's.)"""

import random
import sys
import urllib.request

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstWebRTC", "1.0")
gi.require_version("GstSdp", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

ENCODERS = {
    "vp8": "vp8enc deadline=1 cpu-used=-10 target-bitrate=1000000 ! rtpvp8pay pt=96 ! "
           "application/x-rtp,media=video,encoding-name=VP8,payload=96",
    "h264": "x264enc tune=zerolatency speed-preset=superfast bitrate=1000 ! "
            "video/x-h264,profile=constrained-baseline ! "
            "rtph264pay config-interval=-1 aggregate-mode=zero-latency pt=96 ! "
            "application/x-rtp,media=video,encoding-name=H264,payload=96",
}


DECODERS = {"vp8": "rtpvp8depay ! vp8dec", "h264": "rtph264depay ! avdec_h264",
            "opus": "rtpopusdepay ! opusdec"}


class Caller:
    """One call."""

    def __init__(self, url, codec, folder, repairs):
        self.url, self.folder, self.location = url, folder, None
        self.loop = GLib.MainLoop()
        self.pipe = Gst.parse_launch(
            "webrtcbin name=w bundle-policy=max-bundle latency=20 "
            f"videotestsrc is-live=true pattern={'smpte' if repairs else 'blue'} ! "
            "video/x-raw,width=640,height=480,framerate=30/1 ! videoconvert ! "
            f"{ENCODERS[codec]} ! w. "
            "audiotestsrc is-live=true freq=700 ! audioconvert ! audioresample ! opusenc ! "
            "rtpopuspay pt=97 ! application/x-rtp,media=audio,encoding-name=OPUS,payload=97 ! w.")
        self.web = self.pipe.get_by_name("w")
        self.mender, self.random = None, random.Random(1)
        if repairs:
            video = self.web.emit("get-transceiver", 0)
            video.set_property("fec-type", GstWebRTC.WebRTCFECType.ULP_RED)
            video.set_property("fec-percentage", 100)
            self.web.connect("deep-element-added", self.added)
        self.web.connect("on-negotiation-needed", self.offer)
        self.web.connect("notify::ice-gathering-state", self.gathered)
        self.web.connect("notify::connection-state", lambda web, _: print(
            "state", web.get_property("connection-state").value_nick, flush=True))
        self.web.connect("pad-added", self.stream)

    def offer(self, web):
        """The first step: what we have."""
        web.emit("create-offer", None, Gst.Promise.new_with_change_func(self.offered, None))

    def offered(self, promise, *_):
        """Candidates are gathered from now on."""
        reply = promise.get_reply()
        self.web.emit("set-local-description", reply.get_value("offer"), Gst.Promise.new())

    def gathered(self, web, _):
        """All candidates are there: the POST."""
        done = GstWebRTC.WebRTCICEGatheringState.COMPLETE
        if web.get_property("ice-gathering-state") == done and not self.location:
            self.location = "asked"
            GLib.idle_add(self.post)

    def post(self):
        """WHIP: the offer goes, the answer comes."""
        text = self.web.get_property("local-description").sdp.as_text()
        request = urllib.request.Request(self.url, text.encode(), method="POST",
                                         headers={"Content-Type": "application/sdp"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            self.location = answer.headers["Location"]
            sdp = answer.read().decode()
        _, message = GstSdp.SDPMessage.new_from_text(sdp)
        self.web.emit("set-remote-description", GstWebRTC.WebRTCSessionDescription.new(
            GstWebRTC.WebRTCSDPType.ANSWER, message), Gst.Promise.new())
        return False

    def stream(self, _, pad):
        """Something comes: decoded, and into a file."""
        if pad.get_direction() != Gst.PadDirection.SRC:
            return
        kind = pad.get_current_caps().get_structure(0).get_string("encoding-name").lower()
        video = kind != "opus"
        to = ("videoconvert ! video/x-raw,format=GRAY8" if video else
              "audioconvert ! audioresample ! audio/x-raw,format=S16LE,channels=1,rate=48000")
        path = self.folder + ("/seen.gray" if video else "/heard.raw")
        part = Gst.parse_bin_from_description(
            f"queue ! {DECODERS[kind]} ! {to} ! filesink sync=false async=false location={path}",
            True)
        self.pipe.add(part)
        part.sync_state_with_parent()
        pad.link(part.get_static_pad("sink"))

    def added(self, _web, _bin, element):
        """Somewhere in there are the decoder of repairs, and where packets come in and go out."""
        name = element.get_name()
        if name.startswith("rtpulpfecdec"):
            self.mender = element
        for kind, pad in (("nicesrc", "src"), ("nicesink", "sink")):
            if name.startswith(kind):
                element.get_static_pad(pad).add_probe(Gst.PadProbeType.BUFFER, self.lose)

    def lose(self, _, info):
        """8 % of what pictures and repairs are made of; one by one, unlike a packet filter, which
        loses whole trains of ours on the loopback."""
        lost = info.get_buffer().get_size() > 300 and self.random.random() < 0.08
        return Gst.PadProbeReturn.DROP if lost else Gst.PadProbeReturn.OK

    def look(self, least):
        """Until enough was mended."""
        if self.mender and self.mender.get_property("recovered") >= least:
            self.loop.quit()
        return True

    def run(self, seconds, least):
        """The call, and its end."""
        GLib.timeout_add(int(1000 * seconds), self.loop.quit)
        if least:
            GLib.timeout_add(100, self.look, least)
        self.pipe.set_state(Gst.State.PLAYING)
        self.loop.run()
        if self.location and self.location != "asked":
            base = self.url.split("/whip")[0]
            with urllib.request.urlopen(urllib.request.Request(
                    base + self.location, method="DELETE"), timeout=5) as gone:
                print("DELETE", gone.status, flush=True)
        if self.mender:
            print("recovered", self.mender.get_property("recovered"), "unrecovered",
                  self.mender.get_property("unrecovered"), flush=True)
        self.pipe.set_state(Gst.State.NULL)


def main():
    Gst.init(None)
    repairs = "repairs" in sys.argv[5:]
    Caller(*sys.argv[1:4], repairs).run(float(sys.argv[4]), 20 if repairs else 0)


if __name__ == "__main__":
    main()
