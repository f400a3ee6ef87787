# SPDX-License-Identifier: Apache-2.0
"""The two servers under load, the generator, and the CPU time each of them took."""

import contextlib
import dataclasses
import json
import os
import pathlib
import select
import signal
import socket
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent
START_S = 10
N_WORKERS = 2  # As nginx.conf says.
N_MAP_TOKENS = 1000


def get_cpu_s(pids):
    """CPU seconds of these processes with all their threads, from the scheduler."""
    total_ns = 0
    for pid in pids:
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            total_ns += int((task / "schedstat").read_text().split()[0])
    return total_ns / 1e9


def get_children(pid):
    return [int(word) for word in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def find_free_port():
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_workers(process):
    """nginx listens before it forks: only its workers show that it is ready, and whose CPU counts."""
    deadline = time.monotonic() + START_S
    while len(get_children(process.pid)) < N_WORKERS:
        if process.poll() is not None:
            raise SystemExit("bench: nginx did not start; its words are above")
        if time.monotonic() > deadline:
            raise SystemExit("bench: nginx starts no workers")
        select.select([], [], [], 0.02)
    return get_children(process.pid)


@dataclasses.dataclass
class Target:
    """Where one server answers, and which processes it is."""
    name: str
    pids: list
    plain_port: int
    tls_port: int
    tokens_file: pathlib.Path  # One token a line, of which each request takes the next one.
    tokens_tls_file: pathlib.Path
    check_path: str
    file_path: str

    def url(self, is_tls, is_file):
        scheme, port = ("https", self.tls_port) if is_tls else ("http", self.plain_port)
        return f"{scheme}://127.0.0.1:{port}{self.file_path if is_file else self.check_path}"


class Nginx:
    def __init__(self, folder, certificate, key, ours, version_document, file):
        """It knows the tokens of the target `ours`, among others."""
        self.folder, self.ours = pathlib.Path(folder), ours
        self.port, self.tls_port = find_free_port(), find_free_port()
        self.folder.mkdir()
        words = {"user_line": "user root;" if os.getuid() == 0 else "", "folder": self.folder, "port": self.port,
                 "tls_port": self.tls_port, "certificate": certificate, "key": key, "file": file,
                 "version_document": version_document}
        text = (HERE / "nginx.conf").read_text()
        for name, value in words.items():
            text = text.replace(f"@{name}@", str(value))
        (self.folder / "nginx.conf").write_text(text)
        known = [token for file in (ours.tokens_file, ours.tokens_tls_file) for token in file.read_text().split()]
        known += [f"{number:040x}" for number in range(N_MAP_TOKENS)]
        (self.folder / "tokens.map").write_text("".join(f'"token {token}" 1;\n' for token in known))

    def __enter__(self):
        self.process = subprocess.Popen(["/usr/sbin/nginx", "-p", str(self.folder), "-c", str(self.folder / "nginx.conf")],
                                        stdin=subprocess.DEVNULL)
        workers = wait_for_workers(self.process)
        return Target("nginx", [self.process.pid, *workers], self.port, self.tls_port,
                      self.ours.tokens_file, self.ours.tokens_tls_file, "/v1/device/rom/", "/ota.bin")

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(START_S)


@dataclasses.dataclass
class Load:
    """One kind of work for the generator."""
    name: str
    unit: str
    is_tls: bool
    is_file: bool
    connections: int


@dataclasses.dataclass
class Run:
    rate: float
    server_cpu_us: float
    generator_share: float  # Of what its threads could use: 1.0 is its limit.


N_GENERATOR_THREADS = 2

# As a stock module sends them (facts/ciupdate-wire.md 2.1), but for Connection.
STOCK_FIELDS = ["Cache-Control: no-cache",
                "User-Agent: Mozilla/5.0 (Windows NT 5.1) AppleWebKit/537.36 (KHTML, like Gecko) "
                "Chrome/30.0.1599.101 Safari/537.36 ",
                "Accept: */*", "Accept-Encoding: gzip,deflate,sdch", "Accept-Language: zh-CN,zh;q=0.8"]


def generate(target, load, seconds, is_keep_alive=False):
    """Load `target` for some seconds: one connection per request, unless kept alive."""
    fields = [*STOCK_FIELDS, "Connection: " + ("keep-alive" if is_keep_alive else "close")]
    words = ["wrk", "-t", str(N_GENERATOR_THREADS), "-c", str(load.connections), "-d", f"{seconds}s", "--timeout", "10s",
             "-s", str(HERE / "report.lua"), *(word for field in fields for word in ("-H", field)),
             target.url(load.is_tls, load.is_file), str(target.tokens_tls_file if load.is_tls else target.tokens_file)]
    before_s = get_cpu_s(target.pids)
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as wrk:
        out = wrk.stdout.read()
        _, status, usage = os.wait4(wrk.pid, 0)
        wrk.returncode = os.waitstatus_to_exitcode(status)
    server_s = get_cpu_s(target.pids) - before_s
    counted = json.loads(out.strip().splitlines()[-1])
    if wrk.returncode or counted["errors"] or counted["bad_status"] or not counted["requests"]:
        raise SystemExit(f"bench: {load.name} against {target.name} failed: {out}")
    duration_s = counted["duration_us"] / 1e6
    return Run(rate=counted["requests"] / duration_s, server_cpu_us=server_s / counted["requests"] * 1e6,
               generator_share=(usage.ru_utime + usage.ru_stime) / duration_s / N_GENERATOR_THREADS)
