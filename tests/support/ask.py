# SPDX-License-Identifier: Apache-2.0
"""What a module asks, in raw bytes, from an address of the test's choice."""

import socket

from server import DEADLINE_S


def ask_version(server, token, source="127.0.0.1", headers=""):
    """The status of the version query of AT+CIUPDATE with this token."""
    with socket.create_connection(("127.0.0.1", server.modules_port), DEADLINE_S, (source, 0)) as connection:
        connection.sendall(f"GET /v1/device/rom/?is_format_simple=true HTTP/1.0\r\nHost: a\r\n"
                           f"Authorization: token {token}\r\n{headers}\r\n".encode())
        said = b""
        while piece := connection.recv(65536):
            said += piece
    return int(said.split(b" ", 2)[1])
