#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A SIP service at its barest: passes requests on to one address, and what that says back.

sip_pipe.py ADDRESS:PORT TO_ADDRESS:PORT"""

import socket
import sys


def address(text):
    host, port = text.rsplit(":", 1)
    return host, int(port)


def main():
    behind = address(sys.argv[2])
    asker = None
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(address(sys.argv[1]))
    while True:
        data, sender = sock.recvfrom(65535)
        if sender != behind:
            asker = sender
        if sender != behind or asker:
            sock.sendto(data, asker if sender == behind else behind)


main()
