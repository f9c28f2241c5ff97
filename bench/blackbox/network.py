# SPDX-License-Identifier: MIT
"""Two network namespaces, joined by a cable or by an emulated link. Needs root."""

import os
import subprocess
import time

from stage import Failed

ADDRESS_A, ADDRESS_B = "10.77.0.1", "10.77.0.2"
HEADS = 52  # Of IPv4, and of TCP with a time stamp.


def command(*argv):
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)


class Network:
    """Two namespaces, joined by a cable or by an emulated link, for the length of a `with`."""

    def __init__(self, link):
        self.names = [f"tdm{os.getpid()}{side}" for side in "ab"]
        self.link = link
        self.device = "link0" if link else "cable"
        self.emulator = None

    def inside(self, side, argv):
        return ["ip", "netns", "exec", self.names[side], *argv]

    def __enter__(self):
        for name in self.names:
            command("ip", "netns", "add", name)
            command("ip", "-n", name, "link", "set", "lo", "up")
        if self.link:
            self.emulator = subprocess.Popen(
                [self.link[0], "-q", "-A", self.names[0], "-B", self.names[1],
                 *self.link[1].split()], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self.wait_for_link()
        else:
            self.lay_cable()
        return self

    def lay_cable(self):
        a, b = self.names
        command("ip", "-n", a, "link", "add", "cable", "type", "veth", "peer", "name", "cable",
                "netns", b)
        for name, address in zip(self.names, (ADDRESS_A, ADDRESS_B)):
            command("ip", "-n", name, "addr", "add", address + "/24", "dev", "cable")
            command("ip", "-n", name, "link", "set", "cable", "up")

    def wait_for_link(self):
        for _ in range(50):
            seen = [subprocess.run(["ip", "-n", name, "-4", "addr"], capture_output=True,
                                   text=True, check=False).stdout for name in self.names]
            if all("10.77.0." in text for text in seen):
                return
            time.sleep(0.1)
        raise Failed(f"{self.link[0]} brings no link up: run it by hand to see why")

    def sent_bytes(self):
        """What the first side has sent."""
        path = f"/sys/class/net/{self.device}/statistics/tx_bytes"
        return int(subprocess.run(self.inside(0, ["cat", path]), capture_output=True, text=True,
                                  check=True).stdout)

    def counted(self):
        """Packets of TCP that the first side has sent and got, and the bytes in them."""
        values = {}
        for name in ("snmp", "netstat"):
            text = subprocess.run(self.inside(0, ["cat", f"/proc/net/{name}"]), check=True,
                                  capture_output=True, text=True).stdout.splitlines()
            for head, line in zip(text[::2], text[1::2]):
                values.update((head.split()[0] + key, int(value)) for key, value in
                              zip(head.split()[1:], line.split()[1:]))
        sent, got = values["Tcp:OutSegs"], values["Tcp:InSegs"]
        return {"sent_packets": sent, "got_packets": got,
                "sent_bytes": values["IpExt:OutOctets"] - sent * HEADS,
                "got_bytes": values["IpExt:InOctets"] - got * HEADS}

    def __exit__(self, *_):
        if self.emulator:
            self.emulator.terminate()
            self.emulator.wait()
        for name in self.names:
            subprocess.run(["ip", "netns", "del", name], check=False)
