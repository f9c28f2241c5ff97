# SPDX-License-Identifier: MIT
"""The stage on which a peer is measured: displays, a sound server, processes and their CPU time.

Everything lives in one temporary folder and ends with the Stage: only processes that were started
here are ended, by their own ids. Nothing uses a fixed display number or port.
"""

import ctypes
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None)


class Missing(Exception):
    """A program or package that this machine does not have; the text says which."""


class Failed(Exception):
    """A peer that did not come up; the text says what it said last."""


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            raise Missing(f"{program} is not installed")


def die_with_parent():
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def tree_of(pid):
    """The process and all that descend from it."""
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat") as stat:
                    parents[int(entry)] = int(stat.read().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


def cpu_s_of(pid):
    """CPU seconds that a process tree has used, its ended and waited-for children included."""
    ticks = 0
    for one in tree_of(pid):
        try:
            with open(f"/proc/{one}/stat") as stat:
                ticks += sum(int(field) for field in stat.read().rpartition(")")[2].split()[11:15])
        except OSError:
            continue
    return ticks / TICKS_PER_S


def peak_mib_of(process):
    """The most memory that a process has had resident; 0 when it is gone."""
    try:
        with open(f"/proc/{process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024
    except (OSError, StopIteration):
        return 0


def machine_busy_s():
    """CPU seconds that the whole machine has been busy, stolen time included."""
    with open("/proc/stat") as stat:
        user, nice, system, _idle, _wait, irq, softirq, steal = map(
            int, stat.readline().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / TICKS_PER_S


class Stage:
    def __init__(self, keep=False):
        self.dir = tempfile.mkdtemp(prefix="tandem-bench-")
        self.keep = keep
        self.processes = []
        self.used_ports = set()
        self.pulse_server = self.tandem = self.display_a = self.display_b = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop(*reversed(self.processes))
        if self.keep:
            print(f"kept {self.dir}")
        else:
            shutil.rmtree(self.dir, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.dir, name)

    def start(self, name, argv, env=None, pass_fds=()):
        """Starts a program in the background; what it says goes to NAME.log in the folder."""
        with open(self.path(name + ".log"), "wb") as log:
            process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=pass_fds,
                start_new_session=True, preexec_fn=die_with_parent, cwd=self.dir,
                env={**os.environ, "HOME": self.dir, **(env or {})})
        process.name = name
        self.processes.append(process)
        return process

    def stop(self, *processes):
        for process in processes:
            if process.poll() is None:
                process.terminate()
        until = time.monotonic() + 3
        for process in processes:
            try:
                process.wait(max(0.05, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process in self.processes:
                self.processes.remove(process)

    def log_of(self, process):
        with open(self.path(process.name + ".log"), errors="replace") as log:
            return log.read()

    def wait_for(self, process, pattern, seconds):
        """Waits until the log of a process matches."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if re.search(pattern, self.log_of(process)):
                return
            if process.poll() is not None:
                break
            time.sleep(0.05)
        raise Failed(f"{process.name} did not say \"{pattern}\": {self.log_of(process)[-400:]}")

    def wait_for_port(self, process, port, seconds):
        """Waits until somebody listens on a UDP port, which should be the process."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and process.poll() is None:
            with open("/proc/net/udp") as table:
                if any(int(line.split()[1].split(":")[1], 16) == port
                       for line in table.readlines()[1:]):
                    return
            time.sleep(0.05)
        raise Failed(f"{process.name} did not open port {port}: {self.log_of(process)[-400:]}")

    def alive(self, *processes):
        for process in processes:
            if process.poll() is not None:
                raise Failed(f"{process.name} ended with {process.returncode}: "
                             f"{self.log_of(process)[-400:]}")

    def port(self):
        """An even UDP and TCP port whose three followers are free too."""
        while True:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                probe.bind(("127.0.0.1", 0))
                first = probe.getsockname()[1] & ~3
            if first in self.used_ports or first > 65000:
                continue
            if all(self._free(first + i) for i in range(4)):
                self.used_ports.add(first)
                return first

    @staticmethod
    def _free(port):
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            with socket.socket(socket.AF_INET, kind) as probe:
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    return False
        return True

    def display(self, name, size="1280x720"):
        """A virtual display; gives its name, as in ":7"."""
        need("Xvfb")
        reader, writer = os.pipe()
        process = self.start(f"xvfb-{name}", [
            "Xvfb", "-displayfd", str(writer), "-screen", "0", f"{size}x24", "-nolisten", "tcp",
            "-ac", "-noreset"], pass_fds=(writer,))
        os.close(writer)
        with os.fdopen(reader) as answer:
            number = answer.readline().strip()
        if not number:
            raise Failed(f"Xvfb did not start: {self.log_of(process)[-400:]}")
        return ":" + number

    def sound(self):
        """A sound server of our own with null sinks. Play into mic_X to speak into the peer X,
        whose source is mic_X.monitor; what X plays goes to spk_X."""
        need("pulseaudio", "pactl")
        socket_path = self.path("pulse.socket")
        sinks = []
        for sink in ("mic_a", "spk_a", "mic_b", "spk_b"):
            sinks += ["-L", f"module-null-sink sink_name={sink} rate=48000 channels=2"]
        process = self.start("pulse", [
            "pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no",
            "--realtime=no", "--high-priority=no", "-L",
            f"module-native-protocol-unix auth-anonymous=1 socket={socket_path}", *sinks],
            env={"XDG_RUNTIME_DIR": self.dir, "PULSE_RUNTIME_PATH": self.path("pulse")})
        self.pulse_server = "unix:" + socket_path
        until = time.monotonic() + 8
        while self.pactl("info") != 0:
            if time.monotonic() > until or process.poll() is not None:
                raise Failed(f"PulseAudio did not start: {self.log_of(process)[-400:]}")
            time.sleep(0.1)

    def pactl(self, *arguments):
        return subprocess.run(["pactl", *arguments], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, timeout=10,
                              env={**os.environ, "PULSE_SERVER": self.pulse_server}).returncode

    def sound_env(self, who):
        """What makes a libpulse program (or ALSA's pulse plugin) be the peer WHO, a or b."""
        conf = self.path("asound.conf")
        if not os.path.exists(conf):
            with open(conf, "w") as out:
                out.write("pcm.!default { type pulse }\nctl.!default { type pulse }\n")
        return {"PULSE_SERVER": self.pulse_server, "PULSE_SOURCE": f"mic_{who}.monitor",
                "PULSE_SINK": f"spk_{who}",
                "ALSA_CONFIG_PATH": f"/usr/share/alsa/alsa.conf:{conf}"}
