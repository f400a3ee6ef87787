# SPDX-License-Identifier: Apache-2.0
"""A module as its web page sees it: answers byte for byte as facts/at-commands.md 3 says, and is strict about what the
page may send (3.7): every breach of a rule ends up in `violations`."""

import contextlib
import http.server
import json
import pathlib
import socket
import threading

PAGE = pathlib.Path(__file__).resolve().parents[2] / "module" / "src" / "web" / "page" / "index.html"
DEADLINE_S = 30
FORM_BYTES_MAX = 319
HEAD_BYTES_MAX = 1024
METHODS = {"/": "GET", "/getversion": "GET", "/getstainfo": "GET", "/setstainfo": "POST", "/getresult": "POST",
           "/getaprecord": "GET", "/getotainfo": "GET", "/setotadata": "POST"}
APS = [("Office", 3), ("Office", 3), ("Café Zürich", 4), ("Guests", 0), ("Campus", 5), ("客厅", 7)]
STATION = {"idle": (0, "waiting config"), "connecting": (0, "connecting"), "ok": (1, "connect OK"),
           "fail": (2, "connect fail")}


def escape(text):
    """As stock does since v3.2.0.0: three characters, no control characters."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("/", "\\/")


class MockModule:
    """Public members may be changed between requests. `extra` are the JSON members of /getotainfo that stock lacks;
    `joins` are the ends of the next attempts to join; `n_polls` answers say "connecting" before each end."""

    def __init__(self, extra=None, partitions=("ota", "mfg_nvs", "fs_storage"), version="v4.0.0.0"):
        self.extra = extra or {}
        self.partitions = list(partitions)
        self.version = version
        self.aps = list(APS)
        self.joins = ["ok"]
        self.n_polls = 1
        self.station = "idle"
        self.credentials = ("", "")
        self.is_upload_refused = False
        self.cut_upload_at = None   # bytes of the body, then the connection ends
        self.pause_upload_at = None  # bytes of the body, then `go_on` is waited for
        self.held_path = None       # the answer to it waits for `go_on`
        self.go_on = threading.Event()
        self.next_version = None    # runs after the restart
        self.n_away = 0             # requests that find their connection closed
        self.away_after = None      # path; the requests after its answer find it away
        self.requests = []          # (method, path, headers, body)
        self.violations = []
        self._lock = threading.Lock()
        self.n_busy = 0             # requests at work now
        self._n_pages = 0
        self._polls_left = 0
        handler = type("Handler", (_Handler,), {"module": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.go_on.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(DEADLINE_S)

    def sent(self, path):
        return [request for request in self.requests if request[1] == path]

    @contextlib.contextmanager
    def at_work(self, what):
        """The rule holds for the requests of one page: a browser that asks for the page anew has given up the old one's."""
        with self._lock:
            if what == "GET /":
                self._n_pages += 1
                self.n_busy = 0
            page = self._n_pages
            self.n_busy += 1
            if self.n_busy > 1:
                self.violations.append(f"{what}: a second request at a time")
        try:
            yield
        finally:
            with self._lock:
                if page == self._n_pages:
                    self.n_busy -= 1

    # -- answers: (status, type, body) --------------------------------------------------------------

    def answer(self, method, path, headers, body):
        if path == "/restart" and self.extra.get("restart"):
            self._check("Object: none at /restart", headers.get("Object") == "none")
            self.version, self.n_away = self.next_version or self.version, 4
            return 200, "application/json", '{"state": 0}'
        if METHODS.get(path) != method:
            self.violations.append(f"{method} {path} is no request that every module answers")
            return 404, "text/html", "Nothing matches the given URI"
        return getattr(self, "_" + (path[1:] or "page"))(headers, body)

    def _check(self, rule, is_kept):
        if not is_kept:
            self.violations.append(rule)

    @staticmethod
    def _state(is_good, status=500):
        return (200, "application/json", '{"state": 0}') if is_good else (status, "application/json", '{"state": 1}')

    @staticmethod
    def _page(_headers, _body):
        return 200, "text/html", PAGE.read_bytes()

    def _getversion(self, _headers, _body):
        return 200, "application/json", '{"version":"1.0"}'

    def _getstainfo(self, _headers, _body):
        if self.station == "connecting":
            self._polls_left -= 1
            if self._polls_left < 0:
                self.station = self.joins.pop(0)
        state, message = STATION[self.station]
        ssid, password = map(escape, self.credentials)
        return 200, "application/json", (f'{{"state":{state},"sta_ssid":"{ssid}","sta_password":"{password}",'
                                         f'"message":"{message}"}}')

    def _setstainfo(self, headers, body):
        self._check("Content-Type of /setstainfo", headers["Content-Type"].startswith("application/json"))
        values = json.loads(body)
        ssid, password = values.get("ssid", ""), values.get("password", "")
        is_good = (self.station != "connecting" and len(ssid.encode()) <= 32 and len(password.encode()) <= 64
                   and bool(ssid or password) and self.joins[0] != "refuse")
        if is_good:
            self.credentials, self.station, self._polls_left = (ssid, password), "connecting", self.n_polls
        else:
            self.joins.pop(0)
        return self._state(is_good, 400)

    def _getresult(self, _headers, body):
        if self.station in ("ok", "fail"):
            if b"received=" not in body:
                return self._state(False, 400)
            self.credentials, self.station = ("", ""), "idle"
        return self._state(True)

    def _getaprecord(self, _headers, _body):
        if self.aps is None:
            return self._state(False)
        entries = ",".join(f'{{"ssid":"{escape(ssid)}","auth_mode":{mode}}}' for ssid, mode in self.aps)
        text = f'[{entries}]' if entries else "]"  # row 31: the bracket is lost
        return 200, "application/json", f'{{"state":0,"message":"scan done","aplist":{text}}}'

    def _getotainfo(self, headers, _body):
        self._check("Object at /getotainfo", "Object" in headers)
        labels = "[" + ",".join(f'"{escape(label)}"' for label in self.partitions) + "]" if self.partitions else "]"
        more = "".join(f',"{name}":{json.dumps(value)}' for name, value in self.extra.items())
        return 200, "application/json", (f'{{"state":0,"fw_version":"{self.version}","at_core_version":"5.1.0",'
                                         f'"partitions":{labels}{more}}}')

    def _setotadata(self, headers, body):
        self._check("Object at /setotadata", "Object" in headers)
        return self._state(not self.is_upload_refused and headers["Object"] in self.partitions and bool(body))


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def server_bind(self):
        # A small window, as a module has one: the browser's progress is then the module's.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 5760)
        super().server_bind()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = DEADLINE_S
    module = None

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass

    def handle(self):
        with contextlib.suppress(ConnectionError, TimeoutError):
            super().handle()

    def do_GET(self):  # pylint: disable=invalid-name
        self._serve(b"")

    def do_POST(self):  # pylint: disable=invalid-name
        module = self.module
        if "Content-Length" not in self.headers:
            module.violations.append(f"POST {self.path} without Content-Length")
        self._serve(None)

    def _serve(self, body):
        module = self.module
        with module.at_work(f"{self.command} {self.path}"):
            if module.n_away > 0:
                module.n_away -= 1
                self.close_connection = True
                return
            head_bytes = sum(len(name) + len(value) + 4 for name, value in self.headers.items())
            if head_bytes > HEAD_BYTES_MAX:
                module.violations.append(f"{self.path}: head of {head_bytes} bytes")
            body = self._read_body() if body is None else body
            if body is None:
                self.close_connection = True
                return
            if self.path == module.held_path:
                module.go_on.wait(DEADLINE_S)
            module.requests.append((self.command, self.path, dict(self.headers), body))
            self._send(*module.answer(self.command, self.path, self.headers, body))
            if self.path == module.away_after:
                module.away_after, module.n_away = None, 4

    def _read_body(self):
        """All of it, or None where the connection is cut."""
        module, length, body = self.module, int(self.headers.get("Content-Length", 0)), bytearray()
        is_upload = self.path == "/setotadata"
        if not is_upload and length > FORM_BYTES_MAX:
            module.violations.append(f"{self.path}: body of {length} bytes")
        while len(body) < length:
            if is_upload and module.cut_upload_at is not None and len(body) >= module.cut_upload_at:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                return None
            if is_upload and module.pause_upload_at is not None and len(body) >= module.pause_upload_at:
                module.pause_upload_at = None
                module.go_on.wait(DEADLINE_S)
            piece = self.rfile.read1(320)
            if not piece:
                return None
            body += piece
        if is_upload and module.pause_upload_at is not None:  # not reached: all is read, the answer waits
            module.go_on.wait(DEADLINE_S)
        return bytes(body)

    def _send(self, status, kind, text):
        words = {200: "OK", 400: "Bad Request", 404: "Not Found", 500: "Internal Server Error"}[status]
        body = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
        head = f"HTTP/1.1 {status} {words}\r\nContent-Type: {kind}\r\n"
        if self.path == "/":  # one chunk, with the NUL that stock sends along
            body += b"\0"
            body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
            head += "Transfer-Encoding: chunked\r\n\r\n"
        else:
            head += f"Content-Length: {len(body)}\r\n\r\n"
        self.wfile.write(head.encode() + body)
        self.close_connection = status != 200

