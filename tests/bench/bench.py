#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""make bench: the module plane against nginx in its best configuration, in alternating runs on this machine.

Both servers and the generator share the cores, so a rate tells what the whole takes; the server's own
CPU time per request is the sharper figure.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))

from processes import Load, Nginx, Target, generate
from server import Server

PRODUCT, LAYOUT, VERSION, FILE_SIZE = "bench", "esp32c3_default", "v5.0.1.0", "1536k"
CHECK_PATH = "/v1/device/rom/?is_format_simple=true"
FILE_PATH = f"/v1/device/rom/?action=download_rom&version={VERSION}&filename=ota.bin"


@dataclasses.dataclass
class Item:
    """One kind of work and the bars it is held to: ours / nginx."""
    load: Load
    rate_bar: float
    cpu_bar: float


ITEMS = [
    Item(Load("version check", "req/s", False, False, 64), 0.97, 1.0),
    Item(Load("1.5 MB download", "files/s", False, True, 16), 1.0, 0.9),
    Item(Load("TLS version check", "handshakes/s", True, False, 64), 0.97, 1.0),
    Item(Load("TLS 1.5 MB download", "files/s", True, True, 16), 0.97, 1.0),
]


def fetch_version_document(port, token):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{CHECK_PATH}", headers={"Authorization": f"token {token}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read().decode()


def compare(item, ours, peer, n_pairs, seconds):
    """Alternate nginx, aloft, aloft, nginx, ...: what drifts hits both."""
    pairs = []
    for target in (peer, ours):
        generate(target, item.load, 1)  # Warm caches, and the listeners' backlogs.
    for number in range(n_pairs):
        order = (peer, ours) if number % 2 == 0 else (ours, peer)
        runs = {target.name: generate(target, item.load, seconds) for target in order}
        pairs.append((runs[peer.name], runs[ours.name]))
    # The same work without new connections: what the generator can do at least.
    calibration = generate(peer, item.load, seconds, is_keep_alive=True)
    return summarize(item, pairs, calibration)


def summarize(item, pairs, calibration):
    def ratio(field):
        values = [(getattr(peer, field), getattr(ours, field)) for peer, ours in pairs]
        peer_median, ours_median = (statistics.median(column) for column in zip(*values))
        each = [ours / peer for peer, ours in values]
        return {"nginx": peer_median, "aloft": ours_median, "ratio": ours_median / peer_median,
                "lowest": min(each), "highest": max(each)}

    rate, cpu = ratio("rate"), ratio("server_cpu_us")
    return {"name": item.load.name, "unit": item.load.unit, "rate": rate, "cpu_us": cpu,
            "rate_bar": item.rate_bar, "cpu_bar": item.cpu_bar,
            "is_met": rate["ratio"] >= item.rate_bar and cpu["ratio"] <= item.cpu_bar,
            "generator_share": max(run.generator_share for pair in pairs for run in pair),
            "calibration_rate": calibration.rate}


def describe_machine():
    model = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    nginx = subprocess.run(["/usr/sbin/nginx", "-v"], capture_output=True, text=True, check=True).stderr.split("/")[-1].strip()
    return {"cpu": model.group(1).strip() if model else platform.machine(), "cores": os.cpu_count(),
            "kernel": platform.release(), "nginx": nginx}


def print_table(machine, results, n_pairs, seconds):
    print(f"\n{machine['cpu']}, {machine['cores']} cores shared by server and generator, kernel {machine['kernel']}; "
          f"nginx {machine['nginx']};\n{n_pairs} alternating pairs of {seconds} s, medians; "
          "in brackets the lowest and highest pair.\n")
    print("| work, new connection each | nginx | aloft | rate ratio | bar | CPU us nginx | CPU us aloft | CPU ratio | bar "
          "| generator busy | generator kept alive |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
    for row in results:
        rate, cpu = row["rate"], row["cpu_us"]
        print(f"| {row['name']}, {row['unit']} | {rate['nginx']:,.0f} | {rate['aloft']:,.0f} "
              f"| {rate['ratio']:.2f} ({rate['lowest']:.2f}-{rate['highest']:.2f}) | >= {row['rate_bar']:.2f} "
              f"| {cpu['nginx']:,.1f} | {cpu['aloft']:,.1f} "
              f"| {cpu['ratio']:.2f} ({cpu['lowest']:.2f}-{cpu['highest']:.2f}) | <= {row['cpu_bar']:.2f} "
              f"| {row['generator_share']:.0%} | {row['calibration_rate']:,.0f} |")
    missed = [row["name"] for row in results if not row["is_met"]]
    print(f"\nbench: missed: {', '.join(missed)}" if missed else "\nbench: all bars met")


def run_all(args, folder):
    with Server(args.aloft, folder / "aloft", "--log-contacts", "none") as server:
        tokens = server.deploy(PRODUCT, LAYOUT, VERSION, FILE_SIZE)
        document = fetch_version_document(server.modules_port, tokens[0])
        ours = Target("aloft", [server.process.pid], server.modules_port, server.modules_tls_port, *tokens,
                      CHECK_PATH, FILE_PATH)
        # The very same file: how its pages lie in the cache is worth up to a tenth of the CPU.
        blob = next(server.data.rglob(server.image_sha256(VERSION)))
        with Nginx(folder / "nginx", server.data / "cert.pem", server.data / "key.pem", tokens, document, blob) as peer:
            for item in ITEMS:
                if args.only in item.load.name:
                    print(f"bench: {item.load.name} ...", file=sys.stderr)
                    yield compare(item, ours, peer, args.pairs, args.seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--aloft", required=True, help="the executable")
    parser.add_argument("--pairs", type=int, default=5, help="alternating pairs per kind of work")
    parser.add_argument("--seconds", type=int, default=4, help="of each run")
    parser.add_argument("--quick", action="store_true", help="two pairs of one second: does it run at all")
    parser.add_argument("--only", default="", metavar="TEXT", help="kinds of work whose name contains TEXT")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    args = parser.parse_args()
    if args.quick:
        args.pairs, args.seconds = 2, 1
    with tempfile.TemporaryDirectory(prefix="aloft-bench-") as folder:
        results = list(run_all(args, pathlib.Path(folder)))
    machine = describe_machine()
    if args.json:
        print(json.dumps({"machine": machine, "pairs": args.pairs, "seconds": args.seconds, "results": results}, indent=2))
    else:
        print_table(machine, results, args.pairs, args.seconds)


if __name__ == "__main__":
    main()
