# SPDX-License-Identifier: MIT
"""Recordings of screens, made when they are missing, and programs that read one."""

import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def path_of(folder, workload):
    return os.path.join(folder, workload + ".zst")


def make(folder, workloads):
    missing = sorted(w for w in workloads if not os.path.exists(path_of(folder, w)))
    if missing:
        subprocess.run([sys.executable, os.path.join(HERE, "record.py"), "--out", folder, *missing],
                       check=True)


def replay(folder, workload, command):
    """What the program says that gets the recording as its input."""
    with subprocess.Popen(["zstd", "-dcq", "--long=27", path_of(folder, workload)],
                          stdout=subprocess.PIPE) as unpacked:
        done = subprocess.run(command, stdin=unpacked.stdout, stdout=subprocess.PIPE, text=True,
                              check=False)
        unpacked.stdout.close()
    if done.returncode and not done.stdout:
        raise subprocess.CalledProcessError(done.returncode, command)
    return done.stdout
