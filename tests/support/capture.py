# SPDX-License-Identifier: Apache-2.0
"""TCP segments as they leave on the loopback of a private network namespace, with an Ethernet-sized MTU and without
segmentation offload: what a module's network would carry. Needs CAP_NET_RAW there (see in_namespace())."""

import ctypes
import fcntl
import os
import select
import socket
import struct
import subprocess
import sys
from dataclasses import dataclass

ETH_P_IP = 0x0800
PACKET_OUTGOING = 4
MTU = 1500
FIN, RST = 1, 4
END_S = 5
SIOCETHTOOL = 0x8946
SO_RCVBUFFORCE = 33
ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO = 0x1F, 0x24, 0x2C


@dataclass
class Segment:
    source: int
    target: int
    payload: bytes
    is_end: bool
    is_reset: bool


def in_namespace(script, *words):
    """Run a Python script in a network namespace of its own; its stdout. No rights are needed where user namespaces
    are allowed; root needs none of them."""
    unshare = ["unshare", "-n"] if os.geteuid() == 0 else ["unshare", "-rn"]
    done = subprocess.run([*unshare, sys.executable, script, *words], capture_output=True, text=True, timeout=120,
                          check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def set_up_loopback():
    subprocess.run(["ip", "link", "set", "dev", "lo", "up", "mtu", str(MTU)], check=True)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for command in (ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO):
            value = ctypes.create_string_buffer(struct.pack("II", command, 0))
            request = struct.pack("16sP", b"lo", ctypes.addressof(value)) + bytes(16)
            fcntl.ioctl(sock, SIOCETHTOOL, request)


class Capture:
    """All TCP segments on lo between open and stop()."""

    def __init__(self):
        self._sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IP))
        # Nothing is read before stop(); the plain option is cut at net.core.rmem_max, which a file may pass.
        try:
            self._sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
        except PermissionError:
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 << 20)
        self._sock.bind(("lo", ETH_P_IP))

    def stop(self, port):
        """Segments with payload, FIN or RST, in order of departure, until `port` ended its connection or was reset: what it
        says last (TLS: close_notify) may leave after its peer has all it wanted."""
        segments = []
        while not any(s.is_end and (s.source == port or s.is_reset) for s in segments):
            assert select.select([self._sock], [], [], END_S)[0], f"port {port} did not end its connection"
            packet, address = self._sock.recvfrom(65535)
            if address[2] == PACKET_OUTGOING:
                continue  # on lo each packet shows twice: going out and coming in
            segment = _parse(packet)
            if segment:
                segments.append(segment)
        self._sock.close()
        return segments


def _parse(packet):
    head_len = (packet[0] & 0xF) * 4
    total = struct.unpack_from(">H", packet, 2)[0]
    if packet[9] != socket.IPPROTO_TCP:
        return None
    tcp = packet[head_len:total]
    source, target = struct.unpack_from(">HH", tcp)
    payload = tcp[(tcp[12] >> 4) * 4:]
    is_reset = bool(tcp[13] & RST)
    is_end = is_reset or bool(tcp[13] & FIN)
    return Segment(source, target, payload, is_end, is_reset) if payload or is_end else None


def tls_records(stream):
    """(type, length) of each record in the bytes one side sent."""
    records = []
    at = 0
    while at + 5 <= len(stream):
        kind, length = stream[at], struct.unpack_from(">H", stream, at + 3)[0]
        records.append((kind, length))
        at += 5 + length
    return records
