#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""make bench: the module plane against nginx in its best configuration and against an earlier build of itself, in
alternating runs on this machine.

The servers and the generator share the cores, so a rate tells what the whole takes; the server's own
CPU time per request is the sharper figure.
"""

import argparse
import contextlib
import dataclasses
import hashlib
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
from server import CHIP_OF_LAYOUT, Server

LAYOUT, VERSION, FILE_SIZE = "esp32c3_default", "v5.0.1.0", "1536k"
N_PRODUCTS = 20  # Each with a token that may be shown so often in a minute:
LIMIT_OPTION, LIMIT_PER_MINUTE = "--product-limit-per-minute", "60000"
CHECK_PATH = "/v1/device/rom/?is_format_simple=true"
FILE_PATH = f"/v1/device/rom/?action=download_rom&version={VERSION}&filename=ota.bin"
BASE_CPU_BAR = 1.05  # This build / the earlier one, CPU per request.


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


def compare(item, targets, n_rounds, seconds):
    """Forwards, backwards, forwards, ...: what drifts hits all targets. The first one is the peer."""
    for target in targets:
        generate(target, item.load, 1)  # Warm caches, and the listeners' backlogs.
    rounds = []
    for number in range(n_rounds):
        order = targets if number % 2 == 0 else targets[::-1]
        rounds.append({target.name: generate(target, item.load, seconds) for target in order})
    # The same work without new connections: what the generator can do at least.
    calibration = generate(targets[0], item.load, seconds, is_keep_alive=True)
    return summarize(item, rounds, calibration)


def relate(rounds, field, peer):
    """One figure of both: the medians, their ratio, and the ratios of the lowest and the highest round."""
    ours, theirs = ([getattr(one[name], field) for one in rounds] for name in ("aloft", peer))
    each = [our / their for our, their in zip(ours, theirs)]
    medians = statistics.median(theirs), statistics.median(ours)
    return {peer: medians[0], "aloft": medians[1], "ratio": medians[1] / medians[0],
            "lowest": min(each), "highest": max(each)}


def summarize(item, rounds, calibration):
    rate, cpu = relate(rounds, "rate", "nginx"), relate(rounds, "server_cpu_us", "nginx")
    row = {"name": item.load.name, "unit": item.load.unit, "rate": rate, "cpu_us": cpu,
           "rate_bar": item.rate_bar, "cpu_bar": item.cpu_bar,
           "is_met": rate["ratio"] >= item.rate_bar and cpu["ratio"] <= item.cpu_bar,
           "generator_share": max(run.generator_share for one in rounds for run in one.values()),
           "calibration_rate": calibration.rate}
    if "base" in rounds[0]:
        base = relate(rounds, "server_cpu_us", "base")
        row |= {"base_rate": relate(rounds, "rate", "base"), "base_cpu_us": base, "base_cpu_bar": BASE_CPU_BAR,
                "is_base_met": base["ratio"] <= BASE_CPU_BAR}
    return row


def describe_machine():
    model = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    nginx = subprocess.run(["/usr/sbin/nginx", "-v"], capture_output=True, text=True, check=True).stderr.split("/")[-1].strip()
    return {"cpu": model.group(1).strip() if model else platform.machine(), "cores": os.cpu_count(),
            "kernel": platform.release(), "nginx": nginx}


def format_ratio(figure):
    return f"{figure['ratio']:.2f} ({figure['lowest']:.2f}-{figure['highest']:.2f})"


def print_peer_table(results):
    print("| work, new connection each | nginx | aloft | rate ratio | bar | CPU us nginx | CPU us aloft | CPU ratio | bar "
          "| generator busy | generator kept alive |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
    for row in results:
        rate, cpu = row["rate"], row["cpu_us"]
        print(f"| {row['name']}, {row['unit']} | {rate['nginx']:,.0f} | {rate['aloft']:,.0f} "
              f"| {format_ratio(rate)} | >= {row['rate_bar']:.2f} "
              f"| {cpu['nginx']:,.1f} | {cpu['aloft']:,.1f} | {format_ratio(cpu)} | <= {row['cpu_bar']:.2f} "
              f"| {row['generator_share']:.0%} | {row['calibration_rate']:,.0f} |")


def print_base_table(results):
    print("\n| against the earlier build | rate ratio | CPU us earlier | CPU us now | CPU ratio | bar |")
    print("|---|--:|--:|--:|--:|--:|")
    for row in results:
        cpu = row["base_cpu_us"]
        print(f"| {row['name']} | {format_ratio(row['base_rate'])} | {cpu['base']:,.1f} | {cpu['aloft']:,.1f} "
              f"| {format_ratio(cpu)} | <= {row['base_cpu_bar']:.2f} |")


def print_tables(machine, results, n_rounds, seconds):
    print(f"\n{machine['cpu']}, {machine['cores']} cores shared by servers and generator, kernel {machine['kernel']}; "
          f"nginx {machine['nginx']};\n{n_rounds} alternating rounds of {seconds} s each, medians; "
          "in brackets the lowest and highest round.\n")
    print_peer_table(results)
    missed = [f"{row['name']} (nginx)" for row in results if not row["is_met"]]
    if "base_cpu_us" in results[0]:
        print_base_table(results)
        missed += [f"{row['name']} (earlier build)" for row in results if not row["is_base_met"]]
    print(f"\nbench: missed: {', '.join(missed)}" if missed else "\nbench: all bars met")


def deploy(server, image, product):
    """A product with this image as its current ROM: (plain token, TLS token)."""
    made = json.loads(server.cli("product", "add", product, "--layout", LAYOUT, "--json").stdout)
    server.cli("rom", "deploy", "--product", product, "--version", VERSION, "--use", str(image))
    return made["token"], made["token_tls"]


def find_blob(server, image):
    return next(server.data.rglob(hashlib.sha256(image.read_bytes()).hexdigest()))


def limit_options(executable):
    """So many version checks come from no module: the limit is there, and counts, but lies high. Earlier builds have none."""
    known = subprocess.run([executable, "serve", "--help"], capture_output=True, text=True, check=True).stdout
    return [LIMIT_OPTION, LIMIT_PER_MINUTE] if LIMIT_OPTION in known else []


def start_server(stack, name, executable, options, folder, image):
    server = stack.enter_context(Server(executable, folder / name, "--log-contacts", "none", *limit_options(executable),
                                        *options))
    tokens = [deploy(server, image, f"bench-{number}") for number in range(N_PRODUCTS)]
    files = [folder / f"{name}.tokens", folder / f"{name}-tls.tokens"]
    for file, column in zip(files, zip(*tokens)):
        file.write_text("".join(f"{token}\n" for token in column))
    return server, Target(name, [server.process.pid], server.modules_port, server.modules_tls_port, *files,
                          CHECK_PATH, FILE_PATH)


def make_image(executable, folder, size):
    image = folder / "bench.bin"
    subprocess.run([executable, "image", "make", "--chip", CHIP_OF_LAYOUT[LAYOUT], "--version", VERSION,
                    "--size", size, "-o", str(image)], check=True, stdout=subprocess.DEVNULL)
    return image


def run_all(args, folder):
    image = make_image(args.aloft, folder, FILE_SIZE)
    with contextlib.ExitStack() as stack:
        server, ours = start_server(stack, "aloft", args.aloft, args.option, folder, image)
        targets = [ours]
        blob = find_blob(server, image)
        if args.base:
            base_server, base = start_server(stack, "base", args.base, [], folder, image)
            # The very same file for all: how its pages lie in the cache is worth up to a tenth of the CPU.
            base_blob = find_blob(base_server, image)
            base_blob.unlink()
            base_blob.hardlink_to(blob)
            targets.insert(0, base)
        document = fetch_version_document(ours.plain_port, ours.tokens_file.read_text().split()[0])
        nginx = Nginx(folder / "nginx", server.data / "cert.pem", server.data / "key.pem", ours, document, blob)
        targets.insert(0, stack.enter_context(nginx))
        for item in ITEMS:
            if args.only in item.load.name:
                print(f"bench: {item.load.name} ...", file=sys.stderr)
                yield compare(item, targets, args.rounds, args.seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--aloft", required=True, help="the executable")
    parser.add_argument("--base", metavar="PATH", help="the executable of an earlier build, to compare with")
    parser.add_argument("--option", action="append", default=[], metavar="WORD",
                        help="one more word for this build's `aloft serve`; write --option=--word")
    parser.add_argument("--rounds", type=int, default=5, help="alternating rounds per kind of work")
    parser.add_argument("--seconds", type=int, default=4, help="of each run")
    parser.add_argument("--quick", action="store_true", help="two rounds of one second: does it run at all")
    parser.add_argument("--only", default="", metavar="TEXT", help="kinds of work whose name contains TEXT")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    args = parser.parse_args()
    if args.quick:
        args.rounds, args.seconds = 2, 1
    with tempfile.TemporaryDirectory(prefix="aloft-bench-") as folder:
        results = list(run_all(args, pathlib.Path(folder)))
    machine = describe_machine()
    if args.json:
        print(json.dumps({"machine": machine, "rounds": args.rounds, "seconds": args.seconds, "results": results}, indent=2))
    else:
        print_tables(machine, results, args.rounds, args.seconds)


if __name__ == "__main__":
    main()
