#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""make bench-growth: what a version check costs among a million devices, against a hundred, in alternating runs.

The module plane alone (tests/support/wire_tool.c) with random tokens; each check shows another one.
"""

import argparse
import contextlib
import json
import pathlib
import re
import secrets
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))

from bench import CHECK_PATH, describe_machine, format_ratio, relate
from processes import Load, Target, generate

CHECK = Load("version check", "req/s", False, False, 64)
FEW = 100
BAR = 1.10
IMAGE_BYTES = 100000  # Never asked for.
PER_MIN_MAX = 60000  # So many version checks of one device: the limit is there, and counts, but lies high.


@contextlib.contextmanager
def wire(tool, folder, n_tokens):
    """A module plane that knows `n_tokens` devices: (target, kilobytes of memory it takes)."""
    folder.mkdir()
    image, tokens = folder / "ota.bin", folder / "tokens"
    image.write_bytes(b"\xe9" + bytes(IMAGE_BYTES - 1))
    with open(tokens, "w", encoding="ascii") as file:
        file.writelines(f"{secrets.token_hex(20)}\n" for _ in range(n_tokens))
    words = [tool, str(folder), str(image), "log=0", f"device_per_min={PER_MIN_MAX}"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        ports = re.match(rb"plain=(\d+) tls=(\d+)", process.stdout.readline())
        if not ports:
            raise SystemExit("bench-growth: the module plane did not start; its words are above")
        yield Target("", [process.pid], int(ports[1]), int(ports[2]), tokens, tokens, CHECK_PATH, "")
        process.stdin.close()


def get_anonymous_kb(pid):
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"Anonymous:\s+(\d+) kB", text)[1])


def run(args, folder):
    with wire(args.wire_tool, folder / "few", FEW) as few, wire(args.wire_tool, folder / "many", args.n) as many:
        few.name, many.name = "few", "aloft"
        bytes_each = (get_anonymous_kb(many.pids[0]) - get_anonymous_kb(few.pids[0])) * 1024 / (args.n - FEW)
        targets = [few, many]
        for target in targets:
            generate(target, CHECK, 1)
        rounds = []
        for number in range(args.rounds):
            order = targets if number % 2 == 0 else targets[::-1]
            rounds.append({target.name: generate(target, CHECK, args.seconds) for target in order})
    rate, cpu = relate(rounds, "rate", "few"), relate(rounds, "server_cpu_us", "few")
    return {"devices": args.n, "devices_few": FEW, "rate": rate, "cpu_us": cpu, "cpu_bar": BAR,
            "is_met": cpu["ratio"] <= BAR, "bytes_each": bytes_each}


def print_result(r, machine, args):
    cpu = r["cpu_us"]
    print(f"\n{machine['cpu']}, {machine['cores']} cores shared by server and generator, kernel {machine['kernel']};\n"
          f"{args.rounds} alternating rounds of {args.seconds} s, medians; in brackets the lowest and highest round.\n")
    print(f"| version check | {r['devices_few']:,} devices | {r['devices']:,} devices | ratio | bar |")
    print("|---|--:|--:|--:|--:|")
    print(f"| CPU us per request | {cpu['few']:.1f} | {cpu['aloft']:.1f} | {format_ratio(cpu)} "
          f"| <= {r['cpu_bar']:.2f}: {'met' if r['is_met'] else 'MISSED'} |")
    print(f"| rate, req/s | {r['rate']['few']:,.0f} | {r['rate']['aloft']:,.0f} | {format_ratio(r['rate'])} | |")
    print(f"\n{r['bytes_each']:.0f} bytes of process memory per device (two tokens each)")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wire-tool", required=True, help="the executable of wire_tool.c")
    parser.add_argument("-n", type=int, default=1000000, help="devices")
    parser.add_argument("--rounds", type=int, default=7, help="alternating rounds")
    parser.add_argument("--seconds", type=int, default=4, help="of each run")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="aloft-bench-") as folder:
        result = run(args, pathlib.Path(folder))
    if args.json:
        print(json.dumps(result, indent=2))
    else:
        print_result(result, describe_machine(), args)


if __name__ == "__main__":
    main()
