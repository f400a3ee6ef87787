# SPDX-License-Identifier: Apache-2.0
"""`aloft serve` as a test wants it: on free loopback ports, in a folder of its own, ended by its process id."""

import hashlib
import json
import os
import pathlib
import select
import signal
import subprocess
import time
import urllib.request

from proxy import StallingProxy

DEADLINE_S = 30
ADMIN, PASSWORD = "admin", "correct horse battery"  # the account that `Server.api_token` makes
CHIP_OF_LAYOUT = {"esp32_default": "esp32", "wrover-32": "esp32", "esp32-sdio": "esp32", "esp32s2_default": "esp32s2",
                  "esp32c3_default": "esp32c3", "esp32c3-spi": "esp32c3", "esp32c6_default": "esp32c6",
                  "esp32c2_default": "esp32c2", "esp32c2-4mb-g2": "esp32c2", "esp32c5_v4": "esp32c5",
                  "esp32_v3": "esp32", "esp32c3_v3": "esp32c3", "esp32c2_v3": "esp32c2"}


def wait_until(what, look, seconds=DEADLINE_S):
    """Look again, many times a second, until `look()` gives a value; the value."""
    deadline = time.monotonic() + seconds
    while True:
        value = look()
        if value:
            return value
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds} s"
        select.select([], [], [], 0.02)


class Server:
    def __init__(self, aloft, folder, *options):
        self.aloft, self.folder, self.options = aloft, pathlib.Path(folder), options
        self.folder.mkdir(parents=True, exist_ok=True)
        self.data = self.folder / "data"
        self.log = self.folder / "server.log"
        self.modules_port = self.modules_tls_port = self.console_port = 0
        self.process = None
        self._images = {}

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    # -- process ---------------------------------------------------------------------------------

    def start(self):
        """Start it; the second time on the same ports as before."""
        ports = self.data / "ports.json"
        ports.unlink(missing_ok=True)
        words = [self.aloft, "serve", "--data", str(self.data), "--modules", f"127.0.0.1:{self.modules_port}",
                 "--modules-tls", f"127.0.0.1:{self.modules_tls_port}", "--console", f"127.0.0.1:{self.console_port}",
                 *self.options]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until("the server's start", lambda: self._ended() or ports.exists())
        found = json.loads(ports.read_text())
        self.modules_port, self.modules_tls_port = found["modules"], found["modules_tls"]
        self.console_port = found["console"]

    def _ended(self):
        assert self.process.poll() is None, f"the server ended: {self.log.read_text()[-2000:]}"
        return False

    def kill(self):
        self.process.kill()
        self.process.wait(DEADLINE_S)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            assert self.process.wait(DEADLINE_S) == 0, self.log.read_text()[-2000:]

    # -- people ----------------------------------------------------------------------------------

    @property
    def url(self):
        return f"http://127.0.0.1:{self.console_port}"

    @property
    def api_token_file(self):
        """A file with the API token of an admin; the first use makes the account ADMIN and the token."""
        earlier = self.data / "admin.token"  # made by the servers before accounts, which the benchmarks start
        if earlier.exists():
            return earlier
        ours = self.folder / "api-token"
        if not ours.exists() and self.process.poll() is None:
            code = (self.data / "setup-code").read_text().strip()
            status, session, cookie = self._post("/api/v1/join", {"name": ADMIN, "password": PASSWORD, "code": code})
            assert status == 201, session
            status, made, _ = self._post("/api/v1/api-tokens", {"name": "tests", "role": "admin"},
                                         {"Cookie": cookie.split(";")[0], "Aloft-Csrf": session["csrf"]})
            assert status == 201, made
            ours.touch(0o600)
            ours.write_text(made["secret"] + "\n")
        return ours

    def _post(self, path, body, headers=None):
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), method="POST",
                                         headers={"Content-Type": "application/json"} | (headers or {}))
        with urllib.request.urlopen(request, timeout=DEADLINE_S) as answer:
            return answer.status, json.loads(answer.read()), answer.headers["Set-Cookie"]

    @property
    def api_token(self):
        return self.api_token_file.read_text().strip()

    def cli(self, *words, check=True):
        """One aloft command against this server: the finished process, text in stdout and stderr."""
        env = os.environ | {"ALOFT_SERVER": self.url, "ALOFT_API_TOKEN_FILE": str(self.api_token_file)}
        done = subprocess.run([self.aloft, *words], capture_output=True, text=True, env=env, timeout=120, check=False)
        if check:
            assert done.returncode == 0, f"{words}: {done.stderr}"
        return done

    def api(self, method, path, body=None, headers=None):
        """One REST call with the admin token: (status, parsed JSON)."""
        request = urllib.request.Request(self.url + path, data=body, method=method,
                                         headers={"Authorization": f"Bearer {self.api_token}"} | (headers or {}))
        try:
            with urllib.request.urlopen(request, timeout=DEADLINE_S) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"null")

    def make_image(self, layout, version, size="256k", secure_version=0):
        """An app image that fits `layout`; its path."""
        path = self.folder / f"{layout}-{version}.bin"
        subprocess.run([self.aloft, "image", "make", "--chip", CHIP_OF_LAYOUT[layout], "--version", version, "--size", size,
                        "--secure-version", str(secure_version), "-o", str(path)],
                       check=True, capture_output=True, timeout=60)
        self._images[version] = path
        return path

    def image_sha256(self, version):
        return hashlib.sha256(self._images[version].read_bytes()).hexdigest()

    def deploy(self, product, layout, version, size="256k"):
        """A product with one current ROM: (plain token, TLS token)."""
        made = json.loads(self.cli("product", "add", product, "--layout", layout, "--json").stdout)
        self.cli("rom", "deploy", "--product", product, "--version", version, "--use",
                 str(self.make_image(layout, version, size)))
        return made["token"], made["token_tls"]

    # -- what happened ---------------------------------------------------------------------------

    def contacts(self, device):
        """How many contacts of a device the log names so far."""
        lines = self.log.read_text(errors="replace").splitlines()
        return sum(" contact " in line and f'device="{device}"' in line for line in lines)

    def devices(self, product):
        return json.loads(self.cli("device", "ls", "--product", product, "--json").stdout)

    def wait_until_proven(self, product, version, device):
        wait_until(f"{device} proven on {version}",
                   lambda: any(row["device"] == device and row["proven_version"] == version
                               for row in self.devices(product)))

    def stalling_proxy(self, after_bytes):
        """A network to the plain module plane that goes silent after some bytes."""
        return StallingProxy(self.modules_port, after_bytes)
