# SPDX-License-Identifier: MIT
"""The programs that are compared: each puts the picture of display A on display B, or the sound of
mic_a into spk_b, and gives back its sending and its receiving process."""

import glob
import os

from stage import Missing, need

SIZE, RATE, VIDEO_BPS = (1280, 720), 30, 2_500_000


class Peer:
    name = kind = about = ""
    ear = "spk_b"  # The sink at which the sound is listened to.

    def start(self, stage):
        """Gives (sender, receiver) when both run."""
        raise NotImplementedError


# --- GStreamer: a bare pipeline over RTP, no RTCP, no repair -------------------------------------

GST_ENCODERS = {
    "H264": "x264enc tune=zerolatency speed-preset=superfast bitrate={kbps} key-int-max=300 "
            "threads=2 ! video/x-h264,profile=constrained-baseline ! rtph264pay config-interval=-1 "
            "aggregate-mode=zero-latency pt=96",
    "VP8": "vp8enc deadline=1 cpu-used=-10 threads=2 target-bitrate={bps} keyframe-max-dist=300 "
           "! rtpvp8pay pt=96",
}
GST_DECODERS = {"H264": "rtph264depay ! avdec_h264 max-threads=1", "VP8": "rtpvp8depay ! vp8dec"}


def gst(line):
    return ["gst-launch-1.0", "-q", *line.split()]


class GstVideo(Peer):
    kind = "video"

    def __init__(self, name, codec, jitter_ms, about):
        self.name, self.codec, self.jitter_ms, self.about = name, codec, jitter_ms, about

    def start(self, stage):
        need("gst-launch-1.0")
        port = stage.port()
        buffer = "" if self.jitter_ms is None else f"! rtpjitterbuffer latency={self.jitter_ms} "
        sync = "false" if self.jitter_ms is None else "true"
        receiver = stage.start(self.name + "-b", gst(
            f"udpsrc address=127.0.0.1 port={port} buffer-size=2000000 "
            f"caps=application/x-rtp,media=video,clock-rate=90000,encoding-name={self.codec},"
            f"payload=96 {buffer}! {GST_DECODERS[self.codec]} ! videoconvert ! "
            f"ximagesink sync={sync}"), env={"DISPLAY": stage.display_b})
        encoder = GST_ENCODERS[self.codec].format(bps=VIDEO_BPS, kbps=VIDEO_BPS // 1000)
        sender = stage.start(self.name + "-a", gst(
            f"ximagesrc use-damage=false show-pointer=false endx={SIZE[0] - 1} "
            f"endy={SIZE[1] - 1} ! video/x-raw,framerate={RATE}/1 ! videoconvert n-threads=1 ! "
            f"video/x-raw,format=I420 ! {encoder} ! udpsink host=127.0.0.1 port={port} "
            f"sync=false"), env={"DISPLAY": stage.display_a})
        return sender, receiver


class GstAudio(Peer):
    kind, name = "audio", "gst-opus-10ms"
    about = "GStreamer opusenc 10 ms, pulse latency-time 5 ms, rtpjitterbuffer latency=0"

    def start(self, stage):
        need("gst-launch-1.0")
        port = stage.port()
        receiver = stage.start(self.name + "-b", gst(
            f"udpsrc address=127.0.0.1 port={port} caps=application/x-rtp,media=audio,"
            f"clock-rate=48000,encoding-name=OPUS,payload=97 ! rtpjitterbuffer latency=0 ! "
            f"rtpopusdepay ! opusdec ! audioconvert ! "
            f"pulsesink device=spk_b buffer-time=10000 latency-time=5000"),
            env=stage.sound_env("b"))
        sender = stage.start(self.name + "-a", gst(
            f"pulsesrc device=mic_a.monitor buffer-time=10000 latency-time=5000 ! audioconvert ! "
            f"audio/x-raw,rate=48000,channels=1 ! opusenc frame-size=10 bitrate=32000 ! "
            f"rtpopuspay pt=97 ! udpsink host=127.0.0.1 port={port} sync=false"),
            env=stage.sound_env("a"))
        return sender, receiver


# --- baresip: a whole SIP client ------------------------------------------------------------------

BARESIP_CONFIG = """poll_method epoll
sip_listen 127.0.0.1:{sip_port}
call_local_timeout 120
call_max_calls 4
{audio}
ausrc_srate 48000
auplay_srate 48000
ausrc_channels 2
auplay_channels 2
audio_buffer {audio_buffer}
{video}
video_size {width}x{height}
video_bitrate {video_bps}
video_fps {rate}
video_fullscreen no
videnc_format yuv420p
jitter_buffer_delay {jitter_packets}
rtp_ports {rtp_first}-{rtp_last}
net_interface 127.0.0.1
module_path {modules}
{module_lines}
module_tmp uuid.so
module_tmp account.so
module_app menu.so
opus_bitrate 32000
avcodec_h264enc libx264
avcodec_h264dec h264
"""


def baresip_modules(*names):
    folders = glob.glob("/usr/lib/baresip/modules") + glob.glob("/usr/lib/*/baresip/modules")
    if not folders:
        raise Missing("baresip (package baresip-core) is not installed")
    for name in names:
        if not os.path.exists(f"{folders[0]}/{name}.so"):
            raise Missing(f"baresip has no {name}.so (packages baresip-ffmpeg, baresip-x11)")
    return folders[0], "\n".join(f"module {name}.so" for name in names)


class Baresip(Peer):
    def __init__(self, name, codec, jitter_packets, about, video_bps=VIDEO_BPS,
                 audio_buffer="20-160"):
        self.name, self.codec, self.about = name, codec, about
        self.jitter_packets, self.video_bps = jitter_packets, video_bps
        self.audio_buffer = audio_buffer
        self.kind = "audio" if codec == "opus" else "video"

    def write_config(self, stage, who, sip_port, modules, audio, video):
        folder = stage.path(f"{self.name}-{who}.d")
        os.makedirs(folder, exist_ok=True)
        path, lines = baresip_modules(*modules)
        rtp_first = stage.port()
        with open(folder + "/config", "w") as out:
            out.write(BARESIP_CONFIG.format(
                sip_port=sip_port, audio=audio, video=video, width=SIZE[0], height=SIZE[1],
                rate=RATE, video_bps=self.video_bps, jitter_packets=self.jitter_packets,
                audio_buffer=self.audio_buffer, rtp_first=rtp_first, rtp_last=rtp_first + 400,
                modules=path, module_lines=lines))
        with open(folder + "/accounts", "w") as out:
            out.write(f"<sip:{who}@127.0.0.1:{sip_port}>;regint=0;answermode=auto\n")
        with open(folder + "/contacts", "w"):
            pass
        return folder

    def parts(self, who):
        """Modules, audio lines and video lines of one side."""
        if self.kind == "audio":
            return (["opus", "pulse"],
                    f"audio_source pulse,mic_{who}.monitor\naudio_player pulse,spk_{who}", "")
        modules = ["opus", "ausine", "aubridge", "avcodec" if self.codec == "h264" else "vp8",
                   "swscale", "fakevideo"]
        audio = "audio_source ausine,440\naudio_player aubridge,nil"
        if who == "a":
            return modules + ["x11grab"], audio, "video_source x11grab,:0\nvideo_display fakevideo,nil"
        return modules + ["x11"], audio, "video_display x11,nil"

    def start(self, stage):
        need("baresip")
        ports = {"a": stage.port(), "b": stage.port()}
        folders = {who: self.write_config(stage, who, ports[who], *self.parts(who))
                   for who in "ab"}
        env = {who: stage.sound_env(who) if self.kind == "audio" else {} for who in "ab"}
        if self.kind == "video":
            env = {"a": {"DISPLAY": stage.display_a}, "b": {"DISPLAY": stage.display_b}}
        receiver = stage.start(self.name + "-b", ["baresip", "-4", "-f", folders["b"], "-v"],
                               env=env["b"])
        stage.wait_for(receiver, "baresip is ready", 10)
        sender = stage.start(self.name + "-a", [
            "baresip", "-4", "-f", folders["a"], "-v", "-e", f"/dial sip:b@127.0.0.1:{ports['b']}"],
            env=env["a"])
        stage.wait_for(sender, "Call established", 15)
        return sender, receiver


# --- Tandem: the lines that depend on the command's options are all here --------------------------

class Tandem(Peer):
    def __init__(self, name, kind, codec, about):
        self.name, self.kind, self.codec, self.about = name, kind, codec, about

    def lines(self, port, own_port):
        call = ["call", f"sip:b@127.0.0.1:{port}", "--port", str(own_port), "--no-keys"]
        answer = ["answer", "--auto", "--port", str(port), "--no-keys"]
        if self.kind == "audio":
            call += ["--video", "off", "--sink", "off", "--audio", "mic"]
            answer += ["--video", "off", "--sink", "off", "--audio", "mic"]
        else:
            call += ["--video", "screen", "-s", f"{SIZE[0]}x{SIZE[1]}", "-r", str(RATE),
                     "-b:v", f"{VIDEO_BPS // 1000}k", "-c:v", self.codec, "--audio", "tone",
                     "--sink", "null", "--speaker", "null"]
            answer += ["--video", "off", "--audio", "tone", "-c:v", self.codec, "--sink", "window",
                       "--speaker", "null"]
        return call, answer

    def start(self, stage):
        if not stage.tandem:
            raise Missing("tandem is not built")
        port = stage.port()
        call, answer = self.lines(port, stage.port())
        if self.kind == "video":
            env = {"a": {"DISPLAY": stage.display_a}, "b": {"DISPLAY": stage.display_b}}
        else:
            env = {who: stage.sound_env(who) for who in "ab"}
        receiver = stage.start(self.name + "-b", [stage.tandem, *answer], env=env["b"])
        stage.wait_for_port(receiver, port, 10)
        sender = stage.start(self.name + "-a", [stage.tandem, *call], env=env["a"])
        return sender, receiver


class TandemInside(Peer):
    """A call both ways, pattern and tone, measured by its own report at the answering side."""

    kind = "inside"

    def __init__(self, name, codec, sink, about):
        self.name, self.codec, self.sink, self.about = name, codec, sink, about

    def run(self, stage, seconds):
        """Gives the calling and the answering process and where the latter's report will be."""
        if not stage.tandem:
            raise Missing("tandem is not built")
        ports = stage.port(), stage.port()
        report = stage.path(self.name + ".json")
        media = ["--video", "pattern", "--audio", "tone", "-s", f"{SIZE[0]}x{SIZE[1]}",
                 "-r", str(RATE), "-b:v", f"{VIDEO_BPS // 1000}k", "-c:v", self.codec,
                 "--time-code", "--speaker", "null", "--no-keys", "--quiet",
                 "--seconds", str(round(seconds))]
        receiver = stage.start(self.name + "-b", [
            stage.tandem, "answer", "--auto", "--port", str(ports[1]), "--sink", self.sink,
            "--report", report, *media], env={"DISPLAY": stage.display_b})
        stage.wait_for_port(receiver, ports[1], 10)
        sender = stage.start(self.name + "-a", [
            stage.tandem, "call", f"sip:b@127.0.0.1:{ports[1]}", "--port", str(ports[0]),
            "--sink", "null", *media])
        return sender, receiver, report


# --- Floors: what the way of measuring costs without any codec or network ------------------------

class GlassFloor(Peer):
    kind, name = "video", "floor-direct"
    about = "capture and show in one GStreamer process: no codec, no network"

    def start(self, stage):
        need("gst-launch-1.0")
        # One process on two displays: the source element is given its display by name.
        process = stage.start(self.name, gst(
            f"ximagesrc display-name={stage.display_a} use-damage=false show-pointer=false "
            f"endx={SIZE[0] - 1} endy={SIZE[1] - 1} ! video/x-raw,framerate={RATE}/1 ! "
            f"videoconvert n-threads=1 ! ximagesink display={stage.display_b} sync=false"))
        return process, process


class EarFloor(Peer):
    kind, name, ear = "audio", "floor-same-sink", "mic_a"
    about = "the probe listens to the sink into which it speaks"

    def start(self, stage):
        return None, None


PEERS = [
    GlassFloor(),
    TandemInside("inside-h264-null", "h264", "null", "both ways, its own report, no window"),
    TandemInside("inside-h264-window", "h264", "window", "both ways, its own report, a window"),
    TandemInside("inside-vp8-null", "vp8", "null", "both ways, its own report, no window"),
    TandemInside("inside-vp8-window", "vp8", "window", "both ways, its own report, a window"),
    Tandem("tandem-h264", "video", "h264", "tandem call --video screen, libx264"),
    GstVideo("gst-x264", "H264", None, "x264enc superfast zerolatency, no jitter buffer, "
             "sync=false"),
    GstVideo("gst-x264-jb0", "H264", 0, "the same, rtpjitterbuffer latency=0, sync=true"),
    Baresip("baresip-h264", "h264", "5-10", "baresip's defaults"),
    Baresip("baresip-h264-tuned", "h264", "0-1", "jitter_buffer_delay 0-1"),
    Tandem("tandem-vp8", "video", "vp8", "tandem call --video screen, libvpx"),
    GstVideo("gst-vp8", "VP8", 0, "vp8enc deadline=1, rtpjitterbuffer latency=0, sync=true"),
    Baresip("baresip-vp8", "vp8", "5-10", "baresip's defaults"),
    Baresip("baresip-vp8-tuned", "vp8", "0-1", "jitter_buffer_delay 0-1, video_bitrate 20000000",
            video_bps=20_000_000),
    EarFloor(),
    Tandem("tandem-opus", "audio", "opus", "tandem call --video off"),
    GstAudio(),
    Baresip("baresip-opus", "opus", "5-10", "baresip's defaults"),
    Baresip("baresip-opus-tuned", "opus", "0-1", "jitter_buffer_delay 0-1, audio_buffer 10-20",
            audio_buffer="10-20"),
]
