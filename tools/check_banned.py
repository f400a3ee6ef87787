#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Functions that are not used here, with what to use instead."""

import re

import gate

EVERYWHERE = {
    "strcpy": "snprintf or a bounded copy",
    "strcat": "snprintf",
    "sprintf": "snprintf",
    "vsprintf": "vsnprintf",
    "strtok": "walk with offsets",
    "atoi": "strtoul with all its checks",
    "gets": "fgets",
    "alloca": "a bounded buffer",
    "rand": "hash_random or the port's random",
}

# The freestanding rooms; the ports of the module are Linux code.
FREESTANDING = {name: "the caller's memory" for name in ("malloc", "calloc", "realloc", "free")}

# (path, function): why it may stand there.
EXCEPTIONS = {}


def is_freestanding(path):
    return path.parts[0] == "formats" or (path.parts[0] == "module" and path.parts[1] != "ports")


def main():
    findings = []
    files = gate.tree_files(".c", ".h")
    for path in files:
        banned = EVERYWHERE | (FREESTANDING if is_freestanding(path) else {})
        text = gate.code_only(gate.read(path))
        # A member of that name (`port->free(...)`) is another function.
        pattern = re.compile(r"(?<![\w.>])(" + "|".join(banned) + r")\s*\(")
        for match in pattern.finditer(text):
            name = match.group(1)
            if (str(path), name) not in EXCEPTIONS:
                line = text.count("\n", 0, match.start()) + 1
                findings.append(f"{path}:{line}: {name} is banned: use {banned[name]}")
    gate.finish("banned", findings, len(files))


main()
