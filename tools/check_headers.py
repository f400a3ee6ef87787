#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Each header compiles alone, as C and as C++17; those of formats and module as freestanding C11."""

import concurrent.futures
import os
import subprocess

import gate

INCLUDE_ROOTS = ["formats/include", "formats/src", "module/include", "module/src", "host/include",
                 "module/ports/virtual", "server/src", "cli", "tests/support", "tests/fuzz"]
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only"]

# ISO C wants at least one declaration; a header may hold only macros.
UNIT = '#include "{}"\ntypedef int not_empty;\n'


def is_freestanding(path):
    return path.parts[0] == "formats" or (path.parts[0] == "module" and path.parts[1] != "ports")


def get_commands(path):
    if is_freestanding(path):
        yield "C11", ["gcc", "-x", "c", "-std=c11", "-ffreestanding"]
    else:
        yield "gnu17", ["gcc", "-x", "c", "-std=gnu17", "-D_GNU_SOURCE"]
    # The rooms' own gnu extensions (scope cleanup) are no business of this check.
    yield "C++17", ["clang++", "-x", "c++", "-std=c++17", "-D_GNU_SOURCE",
                    "-Wno-gnu-statement-expression", "-Wno-c99-extensions"]


def judge(path):
    findings = []
    includes = [f"-I{gate.ROOT / root}" for root in INCLUDE_ROOTS]
    for language, command in get_commands(path):
        run = subprocess.run(command + WARNINGS + includes + ["-"], capture_output=True, text=True,
                             input=UNIT.format(gate.ROOT / path), check=False)
        if run.returncode != 0:
            findings.append(f"{path}: does not compile alone as {language}\n{run.stderr.rstrip()}")
    return findings


def main():
    files = gate.tree_files(".h")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        findings = [finding for found in pool.map(judge, files) for finding in found]
    gate.finish("headers", findings, len(files))


main()
