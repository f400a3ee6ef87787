# SPDX-License-Identifier: Apache-2.0
"""A strict stock ESP-AT client: reads exactly as facts/ciupdate-wire.md 2.2, 3.2 and 4.2 say.

It is deliberately as fragile as the modules in the field: text matching window by window, no HTTP parser where
the stock firmware has none. What works with this client works with them; what breaks them breaks it, in the same
way (including the false success of 3.2 step 1). A `Release` tells the generations apart (section 6).
"""

import re
import socket
import ssl
from dataclasses import dataclass, field

WINDOW = 1024
USER_AGENT = ("Mozilla/5.0 (Windows NT 5.1) AppleWebKit/537.36 (KHTML, like Gecko) "
              "Chrome/30.0.1599.101 Safari/537.36 ")
COMMON = ("Connection: keep-alive\r\n"
          "Cache-Control: no-cache\r\n"
          f"User-Agent: {USER_AGENT}\r\n"
          "Accept: */*\r\n"
          "Authorization: token {token}\r\n"
          "Accept-Encoding: gzip,deflate,sdch\r\n"
          "Accept-Language: zh-CN,zh;q=0.8\r\n"
          "\r\n")


class StockError(Exception):
    """The module prints ERROR; the text says at which step."""


class StockCrash(Exception):
    """Undefined behaviour of the stock firmware (buffer overflow, null pointer)."""


@dataclass(frozen=True)
class Release:
    """What differs between generations (facts/ciupdate-wire.md 6)."""
    name: str
    reads_version_once: bool = False
    checks_size: bool = True
    checks_magic: bool = True
    host_is_address: bool = False
    names_partitions: bool = True


CURRENT = Release("v5.0.1.0")
RELEASES = [
    Release("v2.1.0.0", True, False, False, True, False),
    Release("v2.3.0.0", True, False, False, True),
    Release("v3.0.0.0", True, False, True, True),
    Release("v4.1.1.0", False, False, True, False),
    CURRENT,
]


@dataclass
class Target:
    """What a download is written to: an app slot ("ota") or a user partition."""
    name: str = "ota"
    size_bytes: int = 0x1D0000
    magic: bytes = b"\xE9"
    magic_off: int = 0
    first_min: int = 1
    is_erased: bool = False
    content: bytearray = field(default_factory=bytearray)

    @property
    def is_firmware(self):
        return self.name.startswith("ota")


def packed_target():
    """A legacy compressed build: `ESP`, and the whole 88-byte header in the first piece."""
    return Target(size_bytes=0xA6000, magic=b"ESP", first_min=88)


def _c_string(buf):
    end = buf.find(b"\0")
    return bytes(buf if end < 0 else buf[:end])


class StockClient:
    def __init__(self, host, port, token, tls=False, release=CURRENT, host_name=None,
                 timeout_s=180.0, list_port=None):
        self.host, self.port, self.token, self.tls = host, port, token, tls
        self.release = release
        self.host_name = host if release.host_is_address or not host_name else host_name
        self.timeout_s = 10.0 if tls and timeout_s > 10.0 else timeout_s
        self.list_port = list_port or port
        self.bytes_read = 0
        self.on_read = None  # called with the total after each read: lets a test pace its server
        self.lines = []

    # -- connection ------------------------------------------------------------------------------

    def _connect(self, port):
        sock = socket.create_connection((self.host, port), timeout=self.timeout_s)
        if not self.tls:
            return sock
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False  # stock: chain, name and dates are ignored
        context.verify_mode = ssl.CERT_NONE
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF  # a bare FIN is a read error (section 5)
        return context.wrap_socket(sock, server_hostname=self.host_name, suppress_ragged_eofs=False)

    def _read(self, sock, size):
        """One read: what has arrived, at most `size`; over TLS at most the rest of one record."""
        try:
            data = sock.recv(size)
        except ssl.SSLError as error:
            raise StockError(f"read error: {error}") from error
        except OSError as error:
            raise StockError(f"read error: {error}") from error
        self.bytes_read += len(data)
        if self.on_read:
            self.on_read(self.bytes_read)
        return data

    # -- requests --------------------------------------------------------------------------------

    def version_request(self):
        return (f"GET /v1/device/rom/?is_format_simple=true HTTP/1.0\r\n"
                f"Host: {self.host_name}:{self.port}\r\n" + COMMON.format(token=self.token)).encode()

    def file_request(self, version, name):
        text = (f"GET /v1/device/rom/?action=download_rom&version={version}&filename={name}.bin HTTP/1.1\r\n"
                f"Host: {self.host_name}:{self.port}\r\n" + COMMON.format(token=self.token)).encode()
        return text[:WINDOW - 1]  # built in a buffer of 1024 bytes, silently cut

    def list_request(self):
        return (f"GET /v1/device/rom HTTP/1.1\r\n"
                f"User-Agent: ESP32 HTTP Client/1.0\r\n"
                f"Host: {self.host_name}\r\n"
                f"Authorization: token {self.token}\r\n"
                f"\r\n").encode()

    # -- 2.2 version document --------------------------------------------------------------------

    def version(self):
        with self._connect(self.port) as sock:
            sock.sendall(self.version_request())
            buf = self._read_version_windows(sock)
        text = _c_string(buf)
        at = text.find(b'rom_version": ')
        if at < 0:
            raise StockError("no version in the answer")
        value = text[at + 15:]  # the 15th byte, a quote, is skipped unchecked
        end = value.find(b'",')
        if end < 0:
            raise StockError("the version does not end")
        return value[:end].decode("latin-1")

    def _read_version_windows(self, sock):
        buf = bytearray(WINDOW + 1)
        carry = 0
        while True:
            data = self._read(sock, WINDOW - carry)
            n = len(data)
            if n == 0:
                return buf  # end of stream: go on with whatever is there
            buf[carry:carry + n] = data
            buf[carry + n] = 0
            text = _c_string(buf)
            if (b'rom_version": ' in text and b"status" in text) or self.release.reads_version_once:
                return buf
            if n > 64:
                buf[0:64] = buf[n - 64:n]  # right only after the first read: n does not count the carry
                carry = 64
            else:
                carry = 0  # this read is lost

    # -- 3.2 file --------------------------------------------------------------------------------

    def file(self, version, target):
        """Download into `target`. Returns nothing; StockError = ERROR. The target is erased before the connection."""
        target.is_erased = True
        target.content = bytearray()
        name = target.name if self.release.names_partitions else "ota"
        length = None
        with self._connect(self.port) as sock:
            sock.sendall(self.file_request(version, name))
            while True:
                data = self._read(sock, WINDOW)
                if not data:
                    break
                if length is None:
                    length, body = self._first_window(data, target)
                    if length is None and body is None:
                        break  # no Content-Length in this read: the loop is left at once
                    if length is None:
                        continue  # no blank line: nothing is consumed
                    target.content += body
                else:
                    target.content += data
                if len(target.content) == length:
                    break
        if length is None:
            if target.is_firmware:
                raise StockError("an empty image cannot be finalised")
            return  # the false success of 3.2 step 1: nothing written, partition erased
        if len(target.content) != length:
            raise StockError(f"{len(target.content)} of {length} bytes")

    def _first_window(self, data, target):
        text = _c_string(data)
        at = text.find(b"Content-Length: ")
        if at < 0:
            return None, None
        digits = re.match(rb"\d*", text[at + 16:]).group()
        length = int(digits or b"0")
        if self.release.checks_size and length > target.size_bytes:
            raise StockError(f"Content-Length {length} > {target.size_bytes}")
        blank = data.find(b"\r\n\r\n")
        if blank < 0:
            return None, b""
        body = data[blank + 4:]
        if not body:
            raise StockError("no body bytes in the first read")
        if self.release.checks_magic:
            found = body[target.magic_off:target.magic_off + len(target.magic)]
            if found != target.magic:
                raise StockError(f"magic {found.hex()} is not {target.magic.hex()}")
        if len(body) < target.first_min:
            raise StockError(f"{len(body)} body bytes in the first read, {target.first_min} needed")
        return length, body

    # -- 4.2 version list ------------------------------------------------------------------------

    def version_list(self):
        with self._connect(self.list_port) as sock:
            sock.sendall(self.list_request())
            body = self._read_http(sock)
        if len(body) > 8191:
            raise StockCrash(f"{len(body)} bytes are copied into a buffer of 8192")
        text = _c_string(body)
        lines = []
        at = text.find(b'"version": ')
        while at >= 0:
            value = at + len(b'"version": ')
            end = text.find(b'", ', value + 1)
            if end < 0:
                raise StockCrash("a version is not followed by another member: null pointer")
            lines.append("+CIPFWVER:" + text[value:end + 1].decode("latin-1"))
            at = text.find(b'"version": ', end)
        return lines

    def _read_http(self, sock):
        data = b""
        while b"\r\n\r\n" not in data:
            piece = self._read(sock, WINDOW)
            if not piece:
                raise StockError("closed inside the head")
            data += piece
        head, body = data.split(b"\r\n\r\n", 1)
        status = int(head.split(b" ", 2)[1])
        fields = {}
        for line in head.split(b"\r\n")[1:]:
            name, value = line.split(b":", 1)
            fields[name.strip().lower()] = value.strip()
        if status >= 400:
            raise StockError(f"HTTP {status}")
        if fields.get(b"transfer-encoding", b"").lower() == b"chunked":
            return self._read_chunked(sock, body)
        length = fields.get(b"content-length")
        while length is None or len(body) < int(length):
            piece = self._read(sock, WINDOW)
            if not piece:
                if length is not None:
                    raise StockError("closed inside the body")
                break
            body += piece
        return body if length is None else body[:int(length)]

    def _read_chunked(self, sock, data):
        body = b""
        while True:
            while b"\r\n" not in data:
                data += self._need(sock)
            line, data = data.split(b"\r\n", 1)
            size = int(line.split(b";")[0], 16)
            while len(data) < size + 2:
                data += self._need(sock)
            if size == 0:
                return body
            body, data = body + data[:size], data[size + 2:]

    def _need(self, sock):
        piece = self._read(sock, WINDOW)
        if not piece:
            raise StockError("closed inside the body")
        return piece

    # -- AT+CIUPDATE -----------------------------------------------------------------------------

    def ciupdate(self, target, version=None, verify=None):
        """The whole command; returns the progress lines. `verify(content)` stands for the image check of the IDF."""
        self.lines = ["+CIPUPDATE:1"]
        if version is None:
            version = self.version()
            self.lines += ["+CIPUPDATE:2", "+CIPUPDATE:3"]
        self.file(version, target)
        if target.is_firmware and verify and not verify(bytes(target.content)):
            raise StockError("the image does not verify")
        self.lines.append("+CIPUPDATE:4")
        return self.lines
