#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A UPnP gateway that does everything wrong in one of several ways: broken_gateway.py ADDRESS.
GET /be?KIND chooses the way."""

import socket
import struct
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ADDRESS = sys.argv[1]
SERVICE = "urn:schemas-upnp-org:service:WANIPConnection:1"
kind = "501"


def service(name, path):
    return (f"<service><serviceType>{name}</serviceType><serviceId>{path}</serviceId><controlURL>"
            f"/{path}</controlURL><eventSubURL>/e</eventSubURL><SCPDURL>/s</SCPDURL></service>")


def device(name, services, inner):
    return (f"<device><deviceType>urn:schemas-upnp-org:device:{name}:1</deviceType><friendlyName>x"
            f"</friendlyName><UDN>uuid:{name}</UDN><serviceList>{services}</serviceList>"
            f"<deviceList>{inner}</deviceList></device>")


def description():
    tree = device("WANConnectionDevice", service(SERVICE, "ip"), "")
    tree = device("WANDevice",
                  service("urn:schemas-upnp-org:service:WANCommonInterfaceConfig:1", "cif"), tree)
    tree = device("InternetGatewayDevice", "", tree)
    return f'<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0">{tree}</root>'


def response(action, values):
    return ('<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/">'
            f'<s:Body><u:{action}Response xmlns:u="{SERVICE}">{values}</u:{action}Response>'
            "</s:Body></s:Envelope>")


# What even these gateways say properly, so that a program comes as far as mapping.
PROPER = {
    "GetStatusInfo": "<NewConnectionStatus>Connected</NewConnectionStatus>"
                     "<NewLastConnectionError>ERROR_NONE</NewLastConnectionError>"
                     "<NewUptime>1</NewUptime>",
    "GetExternalIPAddress": "<NewExternalIPAddress>44.1.2.3</NewExternalIPAddress>",
}


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *words):
        print(kind, *words, flush=True)

    def answer(self, code, text):
        body = text.encode()
        self.send_response(code)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        global kind
        if self.path.startswith("/be?"):
            kind = self.path[4:]
            self.answer(200, "")
        elif kind == "html":
            self.answer(200, "<html><body>Please log in</body></html>" * 100)
        elif kind == "garbage":
            self.wfile.write(bytes(range(256)) * 40)
        elif kind == "empty":
            self.close_connection = True
        else:
            self.answer(200, description())

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        action = self.headers.get("SOAPAction", "").strip('"').partition("#")[2]
        if action in PROPER:
            self.answer(200, response(action, PROPER[action]))
        elif kind == "hang":
            time.sleep(20)
        elif kind == "slow":
            for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n<x>":
                self.wfile.write(bytes([byte]))
                time.sleep(0.3)
        elif kind == "endless":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in range(2000):
                self.wfile.write(b"1000\r\n" + b"<" * 4096 + b"\r\n")
        else:
            self.answer(501, "not implemented")


def discover():
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("", 1900))
    group = struct.pack("4s4s", socket.inet_aton("239.255.255.250"), socket.inet_aton(ADDRESS))
    listener.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
    while True:
        data, sender = listener.recvfrom(4096)
        if b"InternetGatewayDevice:1" in data:
            listener.sendto(
                b"HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=60\r\nEXT:\r\n"
                b"ST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n"
                b"USN: uuid:x::urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n"
                + f"LOCATION: http://{ADDRESS}:5000/d.xml\r\n\r\n".encode(), sender)


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # The program hung up, which is its good right.


threading.Thread(target=discover, daemon=True).start()
server = Server((ADDRESS, 5000), Handler)
print("ready", flush=True)
server.serve_forever()
