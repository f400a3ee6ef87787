#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""formats and module need nothing but string.h, hold no state of their own and use no floats; a module fits into 6 KB on
the chips it is for."""

import concurrent.futures
import os
import pathlib
import subprocess
import tempfile

import gate

ROOMS = ["formats", "module"]
# A source that the build makes: name, and the command before the names of output and input.
PAGE = pathlib.PurePosixPath("module/src/web/page/page.c")
MAKE_PAGE = ["/usr/bin/python3", "tools/embed_page.py"]
# What a freestanding compiler may call anyway, and the rest of string.h that is used.
STRING_H = {"memchr", "memcmp", "memcpy", "memmove", "memset", "strchr", "strcmp", "strlen",
            "strncmp", "strnlen", "strrchr", "strstr"}
# -mgeneral-regs-only makes the compiler refuse floating point (x86 and Arm); without -fno-pic
# constant tables of pointers would count as mutable, because a loader relocates them.
COMPILE = ["gcc", "-std=c11", "-O1", "-ffreestanding", "-mgeneral-regs-only", "-fno-pic",
           "-fno-stack-protector", "-Iformats/include", "-Iformats/src",
           "-Imodule/include", "-Imodule/src", "-c"]

# The bar of the architecture: at most 6 KB without TLS and the caller's buffers.
RAM_TARGETS = ["thumbv7em-none-eabi", "riscv32-none-elf"]
RAM_UNIT = """#include "aloft/module.h"
_Static_assert(sizeof(struct aloft_module) <= 6144, "struct aloft_module has more than 6 KB");
"""


def judge_symbol(line):
    """One line of `nm --format=posix`: name, kind, and more where it is defined here."""
    name, kind = line.split()[:2]
    if kind == "U" and not name.startswith("aloft_") and name not in STRING_H:
        return f"calls {name}"
    if kind in "bBdDC":
        return f"holds mutable data: {name}"
    return None


def judge(source):
    with tempfile.TemporaryDirectory() as folder:
        target, code = os.path.join(folder, "object.o"), str(source)
        if source == PAGE:
            code = os.path.join(folder, "page.c")
            subprocess.run(MAKE_PAGE + [code, str(PAGE.with_name("index.html"))], cwd=gate.ROOT, check=True)
        run = subprocess.run(COMPILE + [code, "-o", target], cwd=gate.ROOT,
                             capture_output=True, text=True, check=False)
        if run.returncode != 0:
            return [f"{source}: does not compile freestanding\n{run.stderr.rstrip()}"]
        symbols = subprocess.run(["nm", "--format=posix", target], check=True, capture_output=True,
                                 text=True).stdout
    reasons = map(judge_symbol, symbols.splitlines())
    return [f"{source}: {reason}" for reason in reasons if reason]


def judge_ram(target):
    """Pointers count twice on the host: only a compiler for the target knows the size."""
    run = subprocess.run(["clang", f"--target={target}", "-std=c11", "-ffreestanding", "-fsyntax-only",
                          "-Iformats/include", "-Imodule/include", "-xc", "-"], cwd=gate.ROOT,
                         input=RAM_UNIT, capture_output=True, text=True, check=False)
    return [] if run.returncode == 0 else [f"module/include/aloft/module.h: on {target}\n{run.stderr.rstrip()}"]


def main():
    sources = [pathlib.PurePosixPath(room) / name for room in ROOMS
               for name in gate.read(f"{room}/sources.txt").split()] + [PAGE]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        findings = [finding for found in pool.map(judge, sources) for finding in found]
    findings += [finding for target in RAM_TARGETS for finding in judge_ram(target)]
    gate.finish("freestanding", findings, len(sources))


main()
