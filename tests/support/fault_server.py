# SPDX-License-Identifier: Apache-2.0
"""A server that does exactly one wrong (or right) thing per connection, piece by piece.

Each connection gets the next script: pieces of bytes, sent one after the other. The next piece leaves only when the
client has read all before it, so that "one read" of the client is one piece: no sleeps, no luck. Over TLS each piece
is one record.
"""

import socket
import ssl
import subprocess
import threading

DEADLINE_S = 20


class Script:
    """What one connection gets. `end`: "close" (FIN; close_notify over TLS), "bare" (FIN without close_notify),
    "reset" (RST), "stall" (silence until the client leaves)."""

    def __init__(self, *pieces, end="close"):
        self.pieces = pieces
        self.end = end


def make_certificate(folder):
    cert, key = str(folder / "fault-cert.pem"), str(folder / "fault-key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=fault"],
                   check=True, capture_output=True)
    return cert, key


class FaultServer:
    def __init__(self, scripts, certificate=None):
        self.scripts = list(scripts)
        self.requests = []
        self.errors = []
        self._read = threading.Condition()
        self._total_read = 0
        self._context = None
        if certificate:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(*certificate)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(DEADLINE_S)
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._listener.close()
        with self._read:
            self._total_read = 1 << 60  # whoever still waits for the client may go on
            self._read.notify_all()
        self._thread.join(DEADLINE_S)
        assert not self._thread.is_alive(), "the fault server did not end"

    def client_has_read(self, total):
        """Give this to the client as `on_read`."""
        with self._read:
            self._total_read = total
            self._read.notify_all()

    def _wait_read(self, total):
        with self._read:
            self._read.wait_for(lambda: self._total_read >= total, DEADLINE_S)

    def _serve(self):
        sent = 0
        for script in self.scripts:
            try:
                conn, _ = self._listener.accept()
            except OSError:
                return
            conn.settimeout(DEADLINE_S)
            conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                sent = self._play(conn, script, sent)
            except OSError as error:
                self.errors.append(error)  # the client left early: often just what the test wants
            finally:
                conn.close()

    def _play(self, conn, script, sent):
        peer = self._context.wrap_socket(conn, server_side=True) if self._context else conn
        try:
            return self._play_on(peer, script, sent)
        finally:
            peer.close()  # over TLS a bare FIN, unless close_notify went before

    def _play_on(self, peer, script, sent):
        request = b""
        while b"\r\n\r\n" not in request:
            data = peer.recv(4096)
            if not data:
                return sent
            request += data
        self.requests.append(request)
        for piece in script.pieces:
            peer.sendall(piece)
            sent += len(piece)
            self._wait_read(sent)
        if script.end == "stall":
            peer.recv(1)  # until the client gives up
        elif script.end == "reset":
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        elif self._context and script.end == "close":
            try:
                peer.unwrap()
            except (OSError, ssl.SSLError):
                pass  # the client does not answer our close_notify
        return sent
