# SPDX-License-Identifier: Apache-2.0
"""Run in a network namespace of its own (capture.in_namespace), where 192.168.4.1 and the ports 53 and 80 are free: what a
phone does at a captive portal. Prints what it saw as one JSON object. The words are the executable and a folder."""

import json
import socket
import struct
import subprocess
import sys

from virtual_module import VirtualModule

SOFT_AP = "192.168.4.1"


def resolve(name):
    """The address the module's DNS gives."""
    query = struct.pack(">HHHHHH", 7, 0x0100, 1, 0, 0, 0)
    query += b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0\0\1\0\1"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(30)
        sock.sendto(query, (SOFT_AP, 53))
        return socket.inet_ntoa(sock.recv(512)[-4:])


def ask(address, request):
    with socket.create_connection((address, 80), timeout=30) as sock:
        sock.sendall(request.encode())
        sock.shutdown(socket.SHUT_WR)
        data = b""
        while more := sock.recv(65536):
            data += more
    return data.decode(errors="replace")


def main():
    subprocess.run(["ip", "link", "set", "dev", "lo", "up"], check=True)
    subprocess.run(["ip", "address", "add", f"{SOFT_AP}/24", "dev", "lo"], check=True)
    aloft, folder = sys.argv[1:]
    with VirtualModule(aloft, folder, app=f"{folder}/app.bin", options=["--portal", "--bind", "0.0.0.0"]) as module:
        module.read_until(b"\r\nready\r\n")
        module.command("AT+CWMODE=3")
        module.command("AT+WEBSERVER=1,80,25")
        address = resolve("connectivitycheck.example")
        seen = {"address": address,
                "probe": ask(address, "GET /generate_204 HTTP/1.1\r\nHost: connectivitycheck.example\r\n\r\n"),
                "page": ask(SOFT_AP, "GET / HTTP/1.1\r\nHost: 192.168.4.1\r\n\r\n"),
                # The beacon of the stock page has this address in it.
                "beacon": ask(SOFT_AP, "POST /getresult HTTP/1.1\r\nHost: 192.168.4.1\r\nContent-Length: 10\r\n\r\n"
                                       "received=1")}
    print(json.dumps(seen))


main()
