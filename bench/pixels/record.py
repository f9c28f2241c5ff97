#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Records what real programs show on an Xvfb of their own: frames of whole screens, one after each
step of a workload, when the screen has come to rest. Packages: xvfb, openbox, xterm, scite, chromium,
xdotool, hsetroot, webp, ffmpeg, forensics-samples-files, python3.11-doc, gnome-backgrounds, zstd. Only the recipe is kept in the
repository: a recording is as good as the packages' versions, and goes to --out.

A recording is zstd of: the line "TDMSCREEN width height\\n", then for each frame height rows of
width pixels, blue, green, red and a byte that means nothing."""

import argparse
import hashlib
import mmap
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

DOCS = "file:///usr/share/doc/python3.11/html/"
SETTLE_S, PATIENCE_S = 0.12, 8.0


class Screen:
    """Xvfb whose picture is mapped as a file."""

    def __init__(self, width, height, folder):
        self.width, self.height, self.folder = width, height, folder
        self.processes = []
        read, write = os.pipe()
        self.start(["Xvfb", "-displayfd", str(write), "-screen", "0", f"{width}x{height}x24",
                    "-fbdir", folder, "-nolisten", "tcp"], pass_fds=[write])
        os.close(write)
        with os.fdopen(read) as pipe:
            self.display = ":" + pipe.readline().strip()
        os.environ["DISPLAY"] = self.display
        path = os.path.join(folder, "Xvfb_screen0")
        with open(path, "rb") as file:
            self.map = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        head = struct.unpack(">25I", self.map[:100])
        self.offset = head[0] + head[19] * 12
        assert head[4] == width and head[12] == width * 4, "rows without gaps are expected"
        self.start(["openbox", "--sm-disable"])

    def start(self, command, **more):
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, **quiet, **more)
        self.processes.append(process)
        return process

    def picture(self):
        return self.map[self.offset:self.offset + self.width * self.height * 4]

    def settled(self, quiet=SETTLE_S):
        """The picture, when it has not changed for a while."""
        last, since, begin = None, time.monotonic(), time.monotonic()
        while True:
            now = hashlib.blake2b(self.picture()).digest()
            if now != last:
                last, since = now, time.monotonic()
            elif time.monotonic() - since >= quiet:
                return self.picture()
            if time.monotonic() - begin > PATIENCE_S:
                return self.picture()
            time.sleep(0.02)

    def do(self, *arguments):
        subprocess.run(["xdotool", *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)

    def window(self, name, count=1):
        """Ids of windows of that class, once there are as many."""
        begin = time.monotonic()
        while time.monotonic() - begin < 30:
            found = subprocess.run(["xdotool", "search", "--onlyvisible", "--class", name],
                                   capture_output=True, text=True, check=False).stdout.split()
            if len(found) >= count:
                return found
            time.sleep(0.1)
        raise RuntimeError(f"no window of {name}")

    def stop(self):
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
        for process in reversed(self.processes):
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
        self.map.close()


class Recording:
    def __init__(self, screen, path):
        self.screen, self.frames, self.last = screen, 0, None
        with open(path, "wb") as out:
            self.zstd = subprocess.Popen(["zstd", "-1", "-q", "--long=25", "-c"],
                                         stdin=subprocess.PIPE, stdout=out)
        self.zstd.stdin.write(f"TDMSCREEN {screen.width} {screen.height}\n".encode())

    def frame(self, quiet=SETTLE_S):
        self.keep(self.screen.settled(quiet))

    def keep(self, picture):
        if picture != self.last:
            self.zstd.stdin.write(picture)
            self.frames += 1
        self.last = picture

    def close(self):
        self.zstd.stdin.close()
        self.zstd.wait()


def wallpaper(screen, scratch, name="wood-l.webp"):
    """A photograph behind everything, scaled to the screen."""
    png = os.path.join(scratch, "wall.png")
    subprocess.run(["dwebp", "-quiet", "-scale", str(screen.width), str(screen.height),
                    f"/usr/share/backgrounds/gnome/{name}", "-o", png], check=True)
    subprocess.run(["hsetroot", "-full", png], check=True, stdout=subprocess.DEVNULL)


def chromium(screen, scratch, page, *more):
    screen.start(["chromium", "--no-sandbox", "--no-first-run", "--disable-gpu",
                  "--disable-smooth-scrolling", "--hide-scrollbars=false", "--password-store=basic",
                  "--disable-features=Translate", f"--user-data-dir={scratch}/chromium", *more, page])
    found = screen.window("chromium")
    screen.settled(1.5)
    return found[-1]


def xterm(screen, command, geometry="200x60+30+30", *more):
    known = len(subprocess.run(["xdotool", "search", "--onlyvisible", "--class", "xterm"],
                               capture_output=True, text=True, check=False).stdout.split())
    screen.start(["xterm", "-fa", "DejaVu Sans Mono", "-fs", "10", "-geometry", geometry, *more,
                  "-e", *command])
    window = screen.window("xterm", known + 1)[-1]
    screen.settled(0.5)
    return window


TEXT = ("Dear Paul, the report that you asked for is nearly done; two tables are missing. "
        "I shall send them tomorrow, or on Monday at the latest. ")


def page_source():
    return os.path.abspath(__file__)


def typing_terminal(screen, scratch, out):
    xterm(screen, ["cat"], "120x40+300+200")
    out.frame()
    for letter in TEXT:
        screen.do("type", "--", letter)
        out.frame(0.06)


def typing_editor(screen, scratch, out):
    page = os.path.join(scratch, "letter.py")
    shutil.copy(page_source(), page)
    screen.start(["scite", page])
    screen.do("windowsize", screen.window("scite")[-1], 1200, 900)
    screen.settled(0.5)
    screen.do("key", "ctrl+Home", "Down", "Down", "Down", "End")
    out.frame()
    for letter in TEXT:
        screen.do("type", "--", letter)
        out.frame(0.06)


def terminal_scroll(screen, scratch, out):
    xterm(screen, ["sh", "-c", 'cat "$1"; while read x; do cat "$1" | tail -n +$((n * 3 + 1)) | '
                   'head -3; n=$((n + 1)); done', "sh", page_source()])
    out.frame()
    for _ in range(60):
        screen.do("key", "Return")
        out.frame(0.06)


def page_scroll(screen, scratch, out):
    chromium(screen, scratch, DOCS + "library/asyncio-task.html", "--window-size=1300,1040")
    screen.do("mousemove", 640, 560)
    out.frame()
    for _ in range(60):
        screen.do("click", 5)
        out.frame()


def window_drag(screen, scratch, out, photo=False):
    if photo:
        wallpaper(screen, scratch)
    else:
        subprocess.run(["hsetroot", "-solid", "#2e5c7e"], check=True)
    xterm(screen, ["sh", "-c", 'cat "$1"; read x', "sh", page_source()], "100x40+900+500")
    window = xterm(screen, ["sh", "-c", 'head -30 "$1"; read x', "sh", page_source()],
                   "90x30+100+100")
    out.frame()
    for i in range(60):
        screen.do("windowmove", window, 100 + 13 * i, 100 + 7 * i)
        out.frame(0.06)


def window_drag_photo(screen, scratch, out):
    window_drag(screen, scratch, out, photo=True)


def alt_tab(screen, scratch, out):
    windows = []
    windows.append(chromium(screen, scratch, DOCS + "library/asyncio.html"))
    for part in ("head", "tail"):
        windows.append(xterm(screen, ["sh", "-c", f'{part} -60 "$1"; read x', "sh", page_source()],
                             "230x64+0+0"))
    screen.start(["scite", page_source()])
    windows.append(screen.window("scite")[-1])
    for window in windows:
        screen.do("windowmove", window, 0, 0, "windowsize", window, 1900, 1040)
    screen.settled(1.0)
    for _ in range(6):
        for window in windows:
            screen.do("windowactivate", window)
            out.frame(0.3)


PAGES = ("library/asyncio.html", "library/os.html", "tutorial/classes.html", "library/json.html",
         "reference/datamodel.html", "library/re.html", "howto/logging.html", "genindex-A.html",
         "library/stdtypes.html", "whatsnew/3.11.html")


def page_change(screen, scratch, out):
    chromium(screen, scratch, DOCS + "index.html", "--window-size=1300,1040")
    out.frame()
    for page in PAGES:
        screen.do("key", "ctrl+l")
        screen.do("type", "--delay", 2, DOCS + page)
        screen.do("key", "Return")
        out.frame(0.8)


SLIDES = """<meta charset=utf-8><style>body{margin:0;background:#14324a;color:#fff;font:44px Liberation
Sans;overflow:hidden}div{position:absolute;inset:0;padding:90px;display:none}h1{color:#ffd166;font-size:80px}
svg{position:absolute;right:90px;bottom:90px}</style><script>
let html="";for(let s=0;s<12;s++){html+=`<div id=s${s}><h1>${s+1}. A talk about slides</h1><ul>`;
for(let i=0;i<3+s%4;i++)html+=`<li>Point ${i+1} of slide ${s+1}, in a few more words than needed`;
html+=`</ul><svg width=600 height=360>`;for(let i=0;i<8;i++)html+=`<rect x=${i*75} y=${(i*s*37)%300}
width=60 height=${360-(i*s*37)%300} fill="hsl(${i*40+s*20} 60% 55%)"/>`;html+="</svg></div>"}
document.write(html);let at=0;const show=n=>{document.getElementById("s"+at).style.display="none";at=n;
document.getElementById("s"+at).style.display="block"};show(0);onkeydown=e=>{if(e.key=="Right"||
e.key=="ArrowRight")show((at+1)%12)}</script>"""


def slides(screen, scratch, out):
    page = os.path.join(scratch, "slides.html")
    with open(page, "w", encoding="utf-8") as file:
        file.write(SLIDES)
    chromium(screen, scratch, "file://" + page, "--kiosk")
    screen.do("mousemove", 1900, 1070, "click", 1)
    out.frame(0.5)
    for _ in range(14):
        screen.do("key", "Right")
        out.frame(0.4)


def photos(screen, scratch, out):
    for name in ("wood-l.webp", "wood-d.webp"):
        wallpaper(screen, scratch, name)
        out.frame(0.4)


def camera(screen, scratch, out):
    """A photograph as a camera took it, made small."""
    photo = "/usr/share/forensics-samples/original-files/pic1/IMG_20200827_231612.jpg"
    png = os.path.join(scratch, "photo.png")
    subprocess.run(["ffmpeg", "-loglevel", "quiet", "-i", photo, "-vf",
                    f"scale={screen.width}:-1:flags=area", png], check=True)
    subprocess.run(["hsetroot", "-fill", png], check=True, stdout=subprocess.DEVNULL)
    out.frame(0.4)


def desktop(screen, scratch, out):
    wallpaper(screen, scratch)
    xterm(screen, ["sh", "-c", 'head -60 "$1"; read x', "sh", page_source()], "100x40+900+400")
    screen.start(["scite", page_source()])
    screen.do("windowmove", screen.window("scite")[-1], 100, 80)
    out.frame(0.6)


def web(screen, scratch, out):
    chromium(screen, scratch, DOCS + "library/asyncio-task.html", "--window-size=1300,1040")
    out.frame(1.0)


CLIP = "/usr/share/forensics-samples/original-files/movie2/movie-hello.mp4"


def video_window(screen, scratch, out):
    """The clip's first frames, one after the other, in a window over a page of text."""
    xterm(screen, ["sh", "-c", 'cat "$1"; read x', "sh", page_source()])
    screen.start(["ffplay", "-loglevel", "quiet", "-an", "-loop", "0", "-x", "640", "-y", "360",
                  "-left", "900", "-top", "500", CLIP])
    screen.window("ffplay")
    time.sleep(1)
    end = time.monotonic() + 6
    while time.monotonic() < end:
        out.keep(screen.picture())
        time.sleep(0.04)


def office(screen, scratch, out):
    """Writing, a page read, a terminal, windows changed: as much of each as a minute of work has."""
    page = os.path.join(scratch, "letter.py")
    shutil.copy(page_source(), page)
    browser = chromium(screen, scratch, DOCS + "library/os.html", "--window-size=1300,1000")
    terminal = xterm(screen, ["sh"], "120x40+700+300")
    screen.start(["scite", page])
    editor = screen.window("scite")[-1]
    screen.do("windowsize", editor, 1200, 900, "windowmove", editor, 40, 40)
    out.frame(0.8)
    screen.do("windowactivate", editor)
    screen.do("key", "ctrl+Home", "Down", "Down", "End")
    for letter in TEXT[:90]:
        screen.do("type", "--", letter)
        out.frame(0.06)
    screen.do("windowactivate", browser)
    out.frame(0.4)
    screen.do("mousemove", 640, 560)
    for _ in range(15):
        screen.do("click", 5)
        out.frame()
    screen.do("windowactivate", terminal)
    out.frame(0.3)
    for command in ("ls /usr/share/doc", "head -30 " + page, "date"):
        for letter in command:
            screen.do("type", "--", letter)
            out.frame(0.06)
        screen.do("key", "Return")
        out.frame(0.2)
    screen.do("windowactivate", editor)
    out.frame(0.3)
    for letter in TEXT[90:]:
        screen.do("type", "--", letter)
        out.frame(0.06)


WORKLOADS = {f.__name__: f for f in (
    typing_terminal, typing_editor, terminal_scroll, page_scroll, window_drag, window_drag_photo,
    alt_tab, page_change, slides, video_window, office, photos, camera,
    desktop, web)}


def record(name, path, size):
    scratch = tempfile.mkdtemp(prefix="tandem-record-")
    os.environ["HOME"] = scratch
    screen = Screen(*size, scratch)
    try:
        out = Recording(screen, path)
        screen.settled(0.3)
        WORKLOADS[name](screen, scratch, out)
        out.close()
        print(f"{name}: {out.frames} frames", flush=True)
    finally:
        screen.stop()
        shutil.rmtree(scratch, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True, help="folder for the recordings")
    parser.add_argument("--size", default="1920x1080")
    parser.add_argument("workload", nargs="*", help=" ".join(WORKLOADS))
    options = parser.parse_args()
    os.makedirs(options.out, exist_ok=True)
    failed = 0
    for name in options.workload or WORKLOADS:
        try:
            record(name, os.path.join(options.out, name + ".zst"),
                   tuple(map(int, options.size.split("x"))))
        except (RuntimeError, subprocess.CalledProcessError, OSError) as error:
            print(f"{name}: {error}", file=sys.stderr)
            failed += 1
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
