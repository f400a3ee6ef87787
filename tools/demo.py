#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""make demo: a server of one's own from the first account to the proven device, and a virtual module that upgrades itself through
its three doors, on free ports of this machine: from the server (AT+CIUPDATE), from a URL (AT+USEROTA), and by an upload as
its page makes it (AT+WEBSERVER)."""

import argparse
import csv
import http.client
import http.server
import json
import os
import pathlib
import secrets
import select
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

OLD, NEW, BY_URL, BY_BROWSER = "v1.0.0.0", "v1.1.0.0", "v1.2.0.0", "v1.3.0.0"
PRODUCT, LAYOUT, CHIP = "demo", "esp32c3_default", "esp32c3"
START_S, COMMAND_S, UPGRADE_S, PROVEN_S = 10, 10, 40, 20


class Failed(Exception):
    """Why the demo failed, in one line."""


def say(text=""):
    print(text, flush=True)


class Process:
    """A program of the demo; its output goes to a log file that can be watched for lines."""

    def __init__(self, name, words, folder):
        self.name = name
        self.log = folder / f"{name}.log"
        self._shown = 0
        say(f"$ {shlex.join(words)}")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True)

    def check_alive(self):
        if self.process.poll() is not None:
            tail = self.log.read_text(errors="replace").splitlines()[-3:]
            raise Failed(f"{self.name} ended with {self.process.returncode}: {' | '.join(tail)}")

    def new_lines(self, *events):
        """Log lines of these events that were not shown yet."""
        lines = self.log.read_text(errors="replace").splitlines()
        fresh = [line for line in lines[self._shown:] if any(f" {event} " in line for event in events)]
        self._shown = len(lines)
        return fresh

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class FileServer:
    """Any web server will do for AT+USEROTA: this one serves a folder on a free port."""

    def __init__(self, folder):
        class Handler(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *words):
                super().__init__(*words, directory=folder)

            def log_message(self, format, *words):
                say(f"web>    {format % words}")

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


class Demo:
    def __init__(self, aloft, folder):
        self.aloft, self.folder = str(pathlib.Path(aloft).resolve()), folder
        self.processes = []
        self.client = {}
        self.uart = -1
        self.pending = b""

    # -- small things ----------------------------------------------------------------------------

    def wait_for(self, what, seconds, look):
        """Look again whenever something may have changed, until `look` gives a value."""
        deadline = time.monotonic() + seconds
        while True:
            for process in self.processes:
                process.check_alive()
            value = look()
            if value:
                return value
            if time.monotonic() > deadline:
                raise Failed(f"{what} did not happen within {seconds} s")
            select.select([], [], [], 0.05)

    def run(self, *words, quiet=False):
        """Run one aloft command to its end; its stdout."""
        if not quiet:
            say(f"$ aloft {shlex.join(words)}")
        done = subprocess.run([self.aloft, *words], capture_output=True, text=True, timeout=60, check=False,
                              env=os.environ | self.client)
        if done.returncode != 0:
            raise Failed(f"'aloft {shlex.join(words)}' exited {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    # -- the story -------------------------------------------------------------------------------

    def make_images(self):
        say("== four genuine app images")
        images = ((OLD, "old.bin"), (NEW, "new.bin"), (BY_URL, "by-url.bin"), (BY_BROWSER, "by-browser.bin"))
        for version, name in images:
            self.run("image", "make", "--chip", CHIP, "--version", version, "--size", "1M", "-o",
                     str(self.folder / name))

    def start_server(self):
        say("\n== the server")
        data = self.folder / "data"
        words = [self.aloft, "serve", "--data", str(data), "--modules", "127.0.0.1:0", "--modules-tls", "127.0.0.1:0",
                 "--console", "127.0.0.1:0"]
        self.server = Process("server", words, self.folder)
        self.processes.append(self.server)
        ports_file = data / "ports.json"
        self.wait_for("the server's start", START_S, ports_file.exists)
        self.ports = json.loads(ports_file.read_text())
        self.client = {"ALOFT_SERVER": f"http://127.0.0.1:{self.ports['console']}",
                       "XDG_CONFIG_HOME": str(self.folder)}
        password = self.folder / "password"
        password.touch(0o600)
        password.write_text(secrets.token_hex(16) + "\n")
        say(self.run("join", "--name", "demo", "--code-file", str(data / "setup-code"), "--password-file",
                     str(password)).rstrip())

    def fill_server(self):
        say("\n== a product, three devices for the factory line, and a ROM")
        say(self.run("product", "add", PRODUCT, "--layout", LAYOUT).rstrip())
        batch = self.run("device", "add", "--product", PRODUCT, "--count", "3", "--csv")
        say("\n".join(batch.splitlines()))
        self.device = next(csv.DictReader(batch.splitlines()))
        say(self.run("rom", "check", "--product", PRODUCT, "--version", NEW, str(self.folder / "new.bin")).rstrip())
        say(self.run("rom", "deploy", "--product", PRODUCT, "--version", NEW, "--use",
                     str(self.folder / "new.bin")).rstrip())

    def start_module(self):
        say(f"\n== the virtual module, on a flash of its own, with the tokens of {self.device['device']}")
        link = self.folder / "uart"
        words = [self.aloft, "module", "--flash", str(self.folder / "flash.bin"), "--layout", LAYOUT,
                 "--app", str(self.folder / "old.bin"), "--uart", f"pty:{link}",
                 "--ota", f"127.0.0.1:{self.ports['modules']}", "--ota-tls", f"127.0.0.1:{self.ports['modules_tls']}",
                 "--token", self.device["token"], "--token-tls", self.device["token_tls"], "--ap", "workshop:12345678"]
        self.module = Process("module", words, self.folder)
        self.processes.append(self.module)
        self.wait_for("the module's UART", START_S, link.exists)
        self.uart = os.open(link, os.O_RDWR | os.O_NOCTTY)

    def read_line(self, deadline):
        while b"\n" not in self.pending:
            wait = deadline - time.monotonic()
            if wait <= 0 or not select.select([self.uart], [], [], wait)[0]:
                self.module.check_alive()
                raise Failed("the module did not answer in time")
            self.pending += os.read(self.uart, 4096)
        line, self.pending = self.pending.split(b"\n", 1)
        return line.rstrip(b"\r").decode("utf-8", "replace")

    def expect(self, *ends, seconds=COMMAND_S):
        """Show the module's lines (and the server's contacts) until one of `ends`; all lines."""
        deadline = time.monotonic() + seconds
        lines = []
        while True:
            line = self.read_line(deadline)
            self.show_contacts()
            if line:
                say(f"module> {line}")
                lines.append(line)
            if line in ends:
                return lines

    def command(self, text, seconds=COMMAND_S):
        say(f"host>   {text}")
        os.write(self.uart, text.encode() + b"\r\n")
        lines = self.expect("OK", "ERROR", seconds=seconds)
        if lines[-1] != "OK":
            raise Failed(f"{text} answered {lines[-1]}")
        return lines

    def show_contacts(self):
        for line in self.server.new_lines("contact", "device.proven"):
            say(f"server> {line}")

    def check_version(self, version):
        if not any(line.startswith(f"Bin version:{version}(") for line in self.command("AT+GMR")):
            raise Failed(f"AT+GMR does not say {version}")

    def upgrade(self):
        say("\n== first door: AT+CIUPDATE, from the server")
        self.expect("ready")
        self.command("ATE0")
        self.command("AT")
        self.check_version(OLD)
        self.command("AT+CWMODE=1")
        self.command('AT+CWJAP="workshop","12345678"')
        self.command("AT+CIUPDATE", seconds=UPGRADE_S)
        self.wait_for_restart(NEW)

    def wait_for_restart(self, version):
        """The new version runs, and the module has joined its access point again."""
        self.expect("ready")
        self.expect("WIFI GOT IP")
        self.command("ATE0")
        self.check_version(version)

    def proven(self):
        rows = json.loads(self.run("device", "ls", "--product", PRODUCT, "--json", quiet=True))
        return [row for row in rows if row["device"] == self.device["device"] and row["proven_version"] == NEW]

    def attempts(self):
        rows = json.loads(self.run("attempt", "ls", "--product", PRODUCT, "--json", quiet=True))
        return [row for row in rows if row["state"] == "proven"]

    def check_proven(self):
        self.wait_for("the server's proof that the new version runs", PROVEN_S, self.proven)
        self.show_contacts()
        say("\n== what the server knows")
        say(self.run("device", "ls", "--product", PRODUCT).rstrip())
        self.wait_for("the attempt's end", PROVEN_S, self.attempts)
        say(self.run("attempt", "ls", "--product", PRODUCT).rstrip())
        say(self.run("audit", "verify").splitlines()[0])

    def upgrade_by_url(self):
        say("\n== second door: AT+USEROTA, from a URL")
        files = FileServer(self.folder)
        url = f"http://127.0.0.1:{files.port}/by-url.bin"
        try:
            self.command(f"AT+USEROTA={len(url)}")
            say(f"host>   {url}")
            os.write(self.uart, url.encode())
            self.expect("OK", "ERROR", seconds=UPGRADE_S)
        finally:
            files.stop()
        self.wait_for_restart(BY_URL)

    def ask_page(self, connection, method, path, body=None, headers=None):
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        text = answer.read()
        shown = text.decode() if len(text) < 300 else f"{len(text)} bytes"
        say(f"web>    {method} {path} -> {answer.status} {shown}")
        if answer.status != 200:
            raise Failed(f"{method} {path} answered {answer.status}")
        return text

    def upgrade_by_browser(self):
        say("\n== third door: AT+WEBSERVER, an upload as the page in the browser makes it")
        port = free_port()
        self.command(f"AT+WEBSERVER=1,{port},60")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=UPGRADE_S)
        self.ask_page(connection, "GET", "/")
        self.ask_page(connection, "GET", "/getotainfo", headers={"Object": "none"})
        image = (self.folder / "by-browser.bin").read_bytes()
        self.ask_page(connection, "POST", "/setotadata", image,
                      {"Object": "ota", "Content-Type": "application/octet-stream;charset=UTF-8"})
        connection.close()
        self.expect("+WEBSERVERRSP:4")
        self.command("AT+RST")
        self.wait_for_restart(BY_BROWSER)

    def explain_keep(self):
        say(f"""
Server and module go on running. Talk to them:
  module's serial port   {self.folder}/uart   (for example: picocom {self.folder}/uart; lines end with CR LF)
  server's API           export ALOFT_SERVER={self.client['ALOFT_SERVER']}
                         export XDG_CONFIG_HOME={self.client['XDG_CONFIG_HOME']}
                         {self.aloft} device ls --product {PRODUCT}
  logs                   {self.folder}/server.log, {self.folder}/module.log
Stop them with: kill {' '.join(str(p.process.pid) for p in self.processes)}; then remove {self.folder}""")

    def play(self):
        self.make_images()
        self.start_server()
        self.fill_server()
        self.start_module()
        self.upgrade()
        self.check_proven()
        self.upgrade_by_url()
        self.upgrade_by_browser()

    def stop(self):
        if self.uart >= 0:
            os.close(self.uart)
        for process in reversed(self.processes):
            process.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--aloft", default="build/aloft", help="the executable")
    parser.add_argument("--keep", action="store_true", help="leave server and module running at the end")
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="aloft-demo-"))
    demo = Demo(options.aloft, folder)
    why, keep = None, False
    try:
        demo.play()
        keep = options.keep
    except (Failed, OSError, subprocess.TimeoutExpired) as error:
        why = str(error)
    except KeyboardInterrupt:
        why = "interrupted"
    if keep:
        demo.explain_keep()
    else:
        demo.stop()
    if why:
        say(f"\nlogs: {folder}")
        say(f"demo: failed: {why}")
        return 1
    if not keep:
        shutil.rmtree(folder, ignore_errors=True)
    say("demo: ok")
    return 0


if __name__ == "__main__":
    sys.exit(main())
