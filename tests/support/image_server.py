# SPDX-License-Identifier: Apache-2.0
"""A web server with one image, as somebody could run it for AT+USEROTA. The path says how it is delivered."""

import base64
import contextlib
import hashlib
import re
import socket
import threading

DEADLINE_S = 30
USER, PASSWORD = "bench", "p:s/w@1"
REALM, NONCES, OPAQUE = "firmware", ("first-nonce", "second-nonce"), "5ccc069c403ebaf9f0171e9517f40e41"
HASHES = {"md5": ("MD5", hashlib.md5), "sha256": ("SHA-256", hashlib.sha256)}


class ImageServer:
    """`heads` are the requests so far; `tls` is a server context."""

    def __init__(self, image, tls=None):
        self.image, self.tls = image, tls
        self.heads = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)

    def url(self, path, userinfo=""):
        return f"{'https' if self.tls else 'http'}://{userinfo}127.0.0.1:{self.port}{path}"

    def _run(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            client.settimeout(DEADLINE_S)
            with contextlib.suppress(OSError), client:
                with self.tls.wrap_socket(client, server_side=True) if self.tls else client as stream:
                    self._talk(stream)

    def _talk(self, stream):
        head = b""
        while not head.endswith(b"\r\n\r\n") and (data := stream.recv(4096)):
            head += data
        if not head:
            return
        self.heads.append(head)
        path = head.split(b" ")[1].decode()
        kind = re.match(r"/([a-z0-9-]*)", path).group(1)
        getattr(self, "_" + kind.replace("-", "_"), self._missing)(stream, path, head)

    def _missing(self, stream, _path, _head):
        stream.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone")

    def _image(self, stream, _path, _head):
        stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(self.image) + self.image)

    def _lower_case(self, stream, _path, _head):
        stream.sendall(b"HTTP/1.1 200 OK\r\ncontent-length:%d\r\n\r\n" % len(self.image) + self.image)

    def _chunked(self, stream, _path, _head):
        stream.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for at in range(0, len(self.image), 1000):
            piece = self.image[at:at + 1000]
            stream.sendall(b"%X;x=y\r\n%b\r\n" % (len(piece), piece))
        stream.sendall(b"0\r\nTrailer: x\r\n\r\n")

    def _until_close(self, stream, _path, _head):
        stream.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + self.image)

    def _cut(self, stream, _path, _head):
        stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(self.image) + self.image[:-100])

    def _too_big(self, stream, _path, _head):
        stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4000000\r\n\r\n" + self.image)

    def _stall(self, stream, _path, _head):
        stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(self.image) + self.image[:3000])
        stream.recv(1)  # until the module gives up

    def _redirect(self, stream, path, _head):
        """/redirect/N leads to the image in N hops."""
        left = int(path.rsplit("/", 1)[1])
        target = f"/redirect/{left - 1}" if left > 1 else "/image"
        stream.sendall(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: %b\r\n\r\n" % target.encode())

    def _away(self, stream, path, _head):
        """/away/PORT leads to /basic on another port."""
        port = path.rsplit("/", 1)[1]
        stream.sendall(f"HTTP/1.1 307 X\r\nLocation: http://127.0.0.1:{port}/basic\r\n\r\n".encode())

    def _basic(self, stream, path, head):
        wanted = base64.b64encode(f"{USER}:{PASSWORD}".encode())
        if b"\r\nAuthorization: Basic " + wanted + b"\r\n" in head:
            self._image(stream, path, head)
        else:
            self._challenge(stream, 'Basic realm="firmware"')

    def _digest_md5(self, stream, path, head):
        self._digest(stream, path, head, "md5", ', qop="auth"')

    def _digest_sha256(self, stream, path, head):
        self._digest(stream, path, head, "sha256", ', qop="auth, auth-int"')

    def _digest_old(self, stream, path, head):
        self._digest(stream, path, head, "md5", "")

    def _digest_stale(self, stream, path, head):
        """The first nonce is too old by the time it is used."""
        is_first = b'nonce="first-nonce"' in head
        nonce = 1 if b"Authorization" in head else 0
        self._digest(stream, path, head, "sha256", ', qop="auth"' + (", stale=true" if is_first else ""), nonce)

    def _digest(self, stream, path, head, algorithm, more, nonce=0):
        name, function = HASHES[algorithm]
        if is_digest_right(head, path, function, NONCES[nonce]):
            self._image(stream, path, head)
        else:
            self._challenge(stream, f'Digest realm="{REALM}", nonce="{NONCES[nonce]}", opaque="{OPAQUE}", '
                                    f"algorithm={name}{more}", 'Basic realm="weak"')

    def _challenge(self, stream, *challenges):
        lines = "".join(f"WWW-Authenticate: {challenge}\r\n" for challenge in challenges)
        stream.sendall(f"HTTP/1.1 401 Unauthorized\r\n{lines}Content-Length: 3\r\n\r\nno\n".encode())


def is_digest_right(head, path, function, nonce):
    """RFC 7616 3.4, by the book and by hashlib."""
    found = re.search(rb"\r\nAuthorization: Digest ([^\r]*)\r\n", head)
    if not found:
        return False
    said = dict(re.findall(r'(\w+)=(?:")?([^",]*)', found.group(1).decode()))

    def digest(text):
        return function(text.encode()).hexdigest()

    middle = f":{said['nc']}:{said['cnonce']}:{said['qop']}" if "qop" in said else ""
    wanted = digest(digest(f"{USER}:{REALM}:{PASSWORD}") + f":{nonce}{middle}:" + digest(f"GET:{path}"))
    return (said["username"], said["realm"], said["nonce"], said["opaque"], said["uri"], said["response"]) == (
        USER, REALM, nonce, OPAQUE, path, wanted)
