#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""make bench-slow: tens of thousands of slow downloads at once, to their last byte, and what they cost.

Everything runs in a network namespace of its own, with an Ethernet-sized MTU. A process may hold only so many
descriptors, so there are as many servers, with data of their own, and as many client processes as it takes.
"""

import argparse
import contextlib
import dataclasses
import json
import math
import os
import pathlib
import re
import resource
import selectors
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))

from bench import CHECK_PATH, FILE_PATH, describe_machine, deploy, make_image
from capture import set_up_loopback
from processes import get_cpu_s
from server import Server

DESCRIPTORS_KEPT = 3000  # Of a server process: for its threads' unequal shares, and for all else.
SAMPLE_S = 1
CHECK_PAUSE_S = 0.05
CHECK_TIMEOUT_S = 60
PLAIN_PROCESS_BAR_KB, TLS_PROCESS_BAR_KB, KERNEL_BAR_KB = 1.0, 32.0, 40.0


@dataclasses.dataclass
class Cost:
    """What all servers and the kernel hold at one moment."""
    anonymous_bytes: int
    tcp_bytes: int  # Both ends.
    sockets: int

    @classmethod
    def now(cls, pids):
        rollups = [pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in pids]
        tcp = re.search(r"TCP: inuse (\d+) .* mem (\d+)", pathlib.Path("/proc/net/sockstat").read_text())
        return cls(sum(int(re.search(r"Anonymous:\s+(\d+) kB", text)[1]) * 1024 for text in rollups),
                   int(tcp[2]) * os.sysconf("SC_PAGE_SIZE"), int(tcp[1]))

    def highest(self, other):
        return Cost(*map(max, dataclasses.astuple(self), dataclasses.astuple(other)))


class VersionChecks:
    """Meanwhile one module after the other asks for the version: how long does each wait, and is it answered?"""

    def __init__(self, servers_with_tokens):
        self._servers = servers_with_tokens
        self.latencies_ms, self.n_bad = [], 0
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._is_over.set()
        self._thread.join()

    def _run(self):
        number = 0
        while not self._is_over.wait(CHECK_PAUSE_S):
            server, token = self._servers[number % len(self._servers)]
            number += 1
            # Each from an address of its own: these are many modules, not one that hammers.
            source = f"127.{64 + number // 62500 % 64}.{number // 250 % 250}.{number % 250 + 1}"
            start = time.perf_counter()
            try:
                is_good = self._check(server.modules_port, token, source)
            except OSError:
                is_good = False
            self.latencies_ms.append((time.perf_counter() - start) * 1000)
            self.n_bad += not is_good

    @staticmethod
    def _check(port, token, source):
        head = f"GET {CHECK_PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: token {token}\r\n\r\n"
        with socket.create_connection(("127.0.0.1", port), CHECK_TIMEOUT_S, (source, 0)) as sock:
            sock.sendall(head.encode())
            answer = b"".join(iter(lambda: sock.recv(4096), b""))
        return answer.startswith(b"HTTP/1.0 200 ") and answer.endswith(b"}")


def start_clients(stack, args, servers_with_tokens, image):
    """One client process per server, from an address of its own; the downloads divided evenly."""
    n_left, clients = args.n, []
    for number, (server, token) in enumerate(servers_with_tokens):
        n = math.ceil(n_left / (len(servers_with_tokens) - number))
        n_left -= n
        port = server.modules_tls_port if args.tls else server.modules_port
        words = [args.client, port, f"127.0.1.{number + 1}", n, args.rate, args.ramp, image, FILE_PATH, token,
                 "tls" if args.tls else "plain"]
        clients.append(stack.enter_context(subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE,
                                                            text=True)))
    return clients


def watch(clients, pids):
    """From the moment all downloads are under way until the first client process ends: the highest costs."""
    for client in clients:
        if "begun" not in client.stdout.readline():
            raise SystemExit("bench-slow: a client did not begin; its words are above")
    highest = Cost.now(pids)
    with selectors.DefaultSelector() as selector:
        for client in clients:
            selector.register(client.stdout, selectors.EVENT_READ)
        while not selector.select(SAMPLE_S):
            highest = highest.highest(Cost.now(pids))
    return highest


def run(args, folder):
    n_servers = math.ceil(args.n / (resource.getrlimit(resource.RLIMIT_NOFILE)[1] - DESCRIPTORS_KEPT))
    image = make_image(args.aloft, folder, args.size)
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(Server(args.aloft, folder / f"server-{number}", "--log-contacts", "failures",
                                              *args.option)) for number in range(n_servers)]
        plain_tokens, tls_tokens = zip(*(deploy(server, image, "bench") for server in servers))
        tokens = tls_tokens if args.tls else plain_tokens
        pids = [server.process.pid for server in servers]
        idle, cpu_s, start = Cost.now(pids), get_cpu_s(pids), time.monotonic()
        with VersionChecks(list(zip(servers, plain_tokens))) as checks:
            clients = start_clients(stack, args, list(zip(servers, tokens)), image)
            highest = watch(clients, pids)
            ends = [json.loads(client.stdout.readline()) for client in clients]
        return summarize(args, image.stat().st_size, idle, highest, get_cpu_s(pids) - cpu_s,
                         time.monotonic() - start, ends, checks) | {"servers": n_servers}


def summarize(args, file_bytes, idle, highest, cpu_s, seconds, ends, checks):
    counts = {name: sum(end[name] for end in ends) for name in ends[0]}
    process_kb = (highest.anonymous_bytes - idle.anonymous_bytes) / args.n / 1024
    kernel_kb = (highest.tcp_bytes - idle.tcp_bytes) / args.n / 1024
    return {"n": args.n, "tls": args.tls, "file_bytes": file_bytes, "rate": args.rate, "seconds": seconds, **counts,
            "sockets": highest.sockets, "process_kb": process_kb,
            "process_bar_kb": TLS_PROCESS_BAR_KB if args.tls else PLAIN_PROCESS_BAR_KB,
            "kernel_kb": kernel_kb, "kernel_bar_kb": KERNEL_BAR_KB,
            "cpu_s_per_gb": cpu_s / (counts["completed"] * file_bytes / 1e9) if counts["completed"] else math.nan,
            "cpu_share": cpu_s / seconds, "checks": len(checks.latencies_ms), "bad_checks": checks.n_bad,
            "check_median_ms": statistics.median(checks.latencies_ms), "check_worst_ms": max(checks.latencies_ms)}


def print_result(r, machine):
    def judge(is_met):
        return "met" if is_met else "MISSED"

    print(f"\n{machine['cpu']}, {machine['cores']} cores shared by servers and clients, kernel {machine['kernel']}\n")
    print(f"{r['n']:,} slow {'TLS 1.2' if r['tls'] else 'plain'} downloads at once of {r['file_bytes']:,} bytes at "
          f"{r['rate']:,} bytes/s each, {r['servers']} server processes, {r['seconds']:.0f} s\n")
    rows = [("completed, every byte compared", f"{r['completed']:,}", f"all: {judge(r['completed'] == r['n'])}"),
            ("cut / stalled / wrong / failed", f"{r['cut']} / {r['stalled']} / {r['wrong']} / {r['failed']}", ""),
            ("TCP sockets at the highest, both ends", f"{r['sockets']:,}", ""),
            ("process memory per download, KB", f"{r['process_kb']:.2f}",
             f"<= {r['process_bar_kb']:.0f}: {judge(r['process_kb'] <= r['process_bar_kb'])}"),
            ("kernel memory per download, both ends, KB", f"{r['kernel_kb']:.1f}",
             f"<= {r['kernel_bar_kb']:.0f}: {judge(r['kernel_kb'] <= r['kernel_bar_kb'])}"),
            ("server CPU, s/GB", f"{r['cpu_s_per_gb']:.2f}", ""),
            ("server CPU, of one core", f"{r['cpu_share']:.0%}", ""),
            ("version checks meanwhile, not answered well", f"{r['checks']:,}, {r['bad_checks']}",
             f"none: {judge(r['bad_checks'] == 0)}"),
            ("version check, median / worst, ms", f"{r['check_median_ms']:.1f} / {r['check_worst_ms']:.0f}", "")]
    print("| what | figure | bar |\n|---|--:|---|")
    for row in rows:
        print(f"| {' | '.join(row)} |")


def enter_namespace():
    """Start again in a network namespace of its own; root needs no user namespace for it."""
    unshare = ["unshare", "-n"] if os.geteuid() == 0 else ["unshare", "-rn"]
    os.execvp(unshare[0], [*unshare, sys.executable, *sys.argv, "--inside"])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--aloft", required=True, help="the executable")
    parser.add_argument("--client", required=True, help="the executable of slow_client.c")
    parser.add_argument("-n", type=int, default=50000, help="downloads at once")
    parser.add_argument("--tls", action="store_true", help="over TLS 1.2")
    parser.add_argument("--rate", type=int, default=2048, help="bytes per second of each download")
    parser.add_argument("--size", default="160k", help="of the file")
    parser.add_argument("--ramp", type=int, default=25, help="seconds over which the downloads begin")
    parser.add_argument("--option", action="append", default=[], metavar="WORD",
                        help="one more word for `aloft serve`; write --option=--word")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if not args.inside:
        enter_namespace()
    set_up_loopback()
    with tempfile.TemporaryDirectory(prefix="aloft-bench-") as folder:
        result = run(args, pathlib.Path(folder))
    if args.json:
        print(json.dumps(result, indent=2))
    else:
        print_result(result, describe_machine())


if __name__ == "__main__":
    main()
