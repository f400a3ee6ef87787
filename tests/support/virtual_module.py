# SPDX-License-Identifier: Apache-2.0
"""`aloft module` as a test wants it: on a PTY or a free TCP port, with deadlines on every answer, ended by its id."""

import os
import pathlib
import re
import select
import signal
import socket
import subprocess
import time

from server import wait_until

DEADLINE_S = 30


class VirtualModule:
    """`uart` is "tcp" or "pty". `flash` defaults to a file in `folder`; it is made from `layout` and `app` if it does not
    exist. `options` are further words of the command line. `program` is another one that is a virtual module, such as
    an example."""

    def __init__(self, aloft, folder, layout=None, app=None, flash=None, uart="tcp", ap=None, tokens=None, ota=None,
                 ota_tls=None, mac=None, options=(), program=None):
        self.start_words = [program] if program else [aloft, "module"]
        self.folder = pathlib.Path(folder)
        self.flash = pathlib.Path(flash) if flash else self.folder / "flash.bin"
        self.uart = uart
        self.log = self.flash.with_name(self.flash.name + ".log")
        self.values = {"layout": layout, "app": app, "mac": mac,
                       "ap": f"{ap[0]}:{ap[1]}" if ap else None,
                       "token": tokens[0] if tokens else None, "token-tls": tokens[1] if tokens else None,
                       "ota": f"127.0.0.1:{ota}" if ota else None,
                       "ota-tls": f"127.0.0.1:{ota_tls}" if ota_tls else None}
        self.options = list(options)
        self.process = None
        self._fd = self._sock = None
        self._pending = b""

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    # -- process ---------------------------------------------------------------------------------

    def words(self):
        link = self.flash.with_name(self.flash.name + ".uart")
        words = [*self.start_words, "--flash", str(self.flash)]
        words += ["--uart", f"pty:{link}" if self.uart == "pty" else "tcp:127.0.0.1:0"]
        for name, value in self.values.items():
            is_for_new = name == "app" and self.flash.exists()
            if value is not None and not is_for_new:
                words += [f"--{name}", str(value)]
        return words + self.options

    def start(self):
        """Start the process and connect its UART."""
        before = self.log.stat().st_size if self.log.exists() else 0
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.words(), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._pending = b""
        if self.uart == "pty":
            link = self.flash.with_name(self.flash.name + ".uart")
            wait_until("the module's PTY", lambda: self._alive() and link.exists())
            self._fd = os.open(link, os.O_RDWR | os.O_NOCTTY)  # raw already
        else:
            found = wait_until("the module's port", lambda: self._alive() and re.search(
                rb"uart: tcp:127\.0\.0\.1:(\d+)", self.log.read_bytes()[before:]))
            self.port = int(found.group(1))
            self.connect()

    def _alive(self):
        assert self.process.poll() is None, f"the module ended: {self.log.read_text(errors='replace')[-2000:]}"
        return True

    def connect(self):
        """A new TCP connection to the UART."""
        self.disconnect()
        self._sock = socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE_S)
        self._fd = self._sock.fileno()

    def disconnect(self):
        if self._sock:
            self._sock.close()
            self._sock = self._fd = None
        elif self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def kill(self):
        self.process.kill()
        self.process.wait(DEADLINE_S)

    def stop(self):
        self.disconnect()
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            assert self.process.wait(DEADLINE_S) == 0, self.log.read_text(errors="replace")[-2000:]

    def restart_with(self, ota):
        """End the process and start it again on the same flash, with another server port; waits for `ready`."""
        self.stop()
        self.values["ota"] = f"127.0.0.1:{ota}"
        self.start()
        self.read_until(b"ready\r\n")

    # -- bytes -----------------------------------------------------------------------------------

    def write(self, data):
        os.write(self._fd, data)

    def _fill(self, deadline):
        """Wait for bytes; False when the deadline has come or the UART has ended."""
        wait = max(0.0, deadline - time.monotonic())
        if not select.select([self._fd], [], [], wait)[0]:
            return False
        try:
            data = os.read(self._fd, 65536)
        except OSError:
            data = b""
        self._pending += data
        return bool(data)

    def read_until(self, *ends, seconds=DEADLINE_S):
        """All bytes up to and including the first of `ends`."""
        deadline = time.monotonic() + seconds
        while True:
            found = [at + len(end) for end in ends if (at := self._pending.find(end)) >= 0]
            if found:
                data, self._pending = self._pending[:min(found)], self._pending[min(found):]
                return data
            assert self._fill(deadline), (f"none of {ends} within {seconds} s, but {self._pending!r}; log: "
                                          f"{self.log.read_text(errors='replace')[-1500:]}")

    def read_exactly(self, n):
        deadline = time.monotonic() + DEADLINE_S
        while len(self._pending) < n:
            assert self._fill(deadline), f"{n} bytes wanted, got {self._pending!r}"
        data, self._pending = self._pending[:n], self._pending[n:]
        return data

    def read_for(self, seconds):
        """Read along for a time; everything that came."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not self._fill(deadline):
                select.select([], [], [], max(0.0, deadline - time.monotonic()))
        data, self._pending = self._pending, b""
        return data

    def is_quiet(self, seconds=0.2):
        return self.read_for(seconds) == b""

    # -- AT --------------------------------------------------------------------------------------

    def command(self, line, seconds=DEADLINE_S):
        """Send a line; all bytes up to OK or ERROR."""
        self.write(line.encode() + b"\r\n")
        return self.read_until(b"\r\nOK\r\n", b"\r\nERROR\r\n", seconds=seconds)

    def join(self, ssid, password):
        self.command("AT+CWMODE=1")
        answer = self.command(f'AT+CWJAP="{ssid}","{password}"')
        assert answer.endswith(b"\r\nOK\r\n"), answer

    def wait_for_ip(self):
        """Until the station has its address by itself (stored settings)."""
        self.read_until(b"WIFI GOT IP\r\n")

    def version(self):
        """App version as AT+GMR says it."""
        return self.command("AT+GMR").split(b"Bin version:")[1].split(b"(")[0].decode()

    @property
    def device_id(self):
        """What the module calls itself: its station MAC without colons."""
        answer = self.command("AT+CIFSR").decode()
        return re.search(r'STAMAC,"([0-9a-f:]+)"', answer).group(1).replace(":", "")
