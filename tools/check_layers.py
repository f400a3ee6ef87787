#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The arrows of ARCHITECTURE.md: which room may include which, and who may see the platform."""

import fnmatch
import pathlib
import re

import gate

# Longest prefix first: the virtual port and the examples lie inside module/.
ROOMS = {
    "module/ports/virtual": "virtual",
    "module/examples": "examples",
    "formats": "formats",
    "module": "module",
    "host": "host",
    "server": "server",
    "cli": "cli",
}

# room: what it may include besides itself
ARROWS = {
    "formats": set(),
    "module": {"formats"},
    "host": {"formats"},
    "virtual": {"module", "host", "formats"},
    "server": {"host", "formats"},
    "cli": {"formats", "module", "host", "virtual", "server"},
    "examples": {"module", "cli"},
}

# These rooms show others their include/ only; src/ is private.
WITH_PUBLIC_HEADERS = {"formats", "module", "host", "cli"}

# Where a quoted include is looked up, after the including file's own folder.
INCLUDE_ROOTS = ["formats/include", "formats/src", "module/include", "module/src", "host/include",
                 "host/src", "module/ports/virtual", "server/src", "cli", "cli/include"]

FREESTANDING = {"stdbool.h", "stddef.h", "stdint.h", "string.h"}

# Rules within a room: who (folder), may not include (pattern of the quoted include), why.
INSIDE_RULES = [
    ("server/src/wire", "api/*", "the planes do not know each other"),
    ("server/src/wire", "store/*", "the module plane never waits for a database"),
    ("server/src/api", "wire/*", "the planes do not know each other"),
    ("server/src/catalog", "wire/*", "the planes see the catalog, not the other way round"),
    ("server/src/catalog", "api/*", "the planes see the catalog, not the other way round"),
    ("server/src/store", "wire/*", "the store lies below both planes"),
    ("server/src/store", "api/*", "the store lies below both planes"),
    ("module/ports/virtual/models", "process/*", "models are pure: no process, no sockets"),
]

# System headers that belong to few: patterns, the room they are guarded in (None: everywhere),
# the folders that may, the rule.
NETWORK = ["sys/socket.h", "sys/epoll.h", "sys/un.h", "netinet/*", "arpa/inet.h", "netdb.h",
           "openssl/ssl.h", "curl/*", "microhttpd.h"]
SYSTEM_RULES = [
    (["sqlite3.h", "libpq-fe.h"], None, ["server/src/store"],
     "only server/src/store includes a database header"),
    # control.c: a Unix socket, docs/decisions/0013-control-socket.md
    (NETWORK, "server", ["server/src/wire", "server/src/api", "server/src/notify", "server/src/serve/control.c"],
     "in the server only wire, api, notify and serve/control.c include a network header"),
    (["microhttpd.h"], None, ["server/src/api"], "only server/src/api includes libmicrohttpd"),
    (NETWORK, "virtual", ["module/ports/virtual/process"],
     "in the virtual module only process/ includes a network header"),
]

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)


def get_room(path):
    for prefix, room in ROOMS.items():
        if path.is_relative_to(prefix):
            return room
    return None


def resolve(path, included, files):
    """The file of the tree that a quoted include means, or None."""
    for folder in [path.parent, *map(pathlib.PurePosixPath, INCLUDE_ROOTS)]:
        candidate = folder / included
        if candidate in files:
            return candidate
    return None


def judge_quoted(path, included, files):
    room = get_room(path)
    target = resolve(path, included, files)
    if target is None:
        return "no such file in the tree (system headers go into <>)"
    target_room = get_room(target)
    if target_room == room:
        for folder, pattern, reason in INSIDE_RULES:
            if path.is_relative_to(folder) and fnmatch.fnmatch(included, pattern):
                return reason
        return None
    if target_room not in ARROWS[room]:
        return f"no arrow from {room} to {target_room or target.parts[0]}"
    if target_room in WITH_PUBLIC_HEADERS and "include" not in target.parts:
        return f"{target} is private to {target_room}"
    return None


def judge_system(path, included):
    room = get_room(path)
    if room in ("formats", "module") and included not in FREESTANDING:
        return f"{room} includes only " + ", ".join(sorted(FREESTANDING))
    for patterns, guarded_room, folders, reason in SYSTEM_RULES:
        if guarded_room in (None, room) and any(fnmatch.fnmatch(included, p) for p in patterns):
            if not any(path.is_relative_to(folder) for folder in folders):
                return reason
    return None


def main():
    files = gate.tree_files(".c", ".h")
    known = set(files)
    looked_at = [path for path in files if get_room(path)]  # Tests may see what they test.
    findings = []
    for path in looked_at:
        text = gate.read(path)
        for match in INCLUDE.finditer(text):
            quote, included = match.groups()
            if quote == '"':
                reason = judge_quoted(path, included, known)
            else:
                reason = judge_system(path, included)
            if reason:
                line = text.count("\n", 0, match.start()) + 1
                findings.append(f"{path}:{line}: {included}: {reason}")
    gate.finish("layers", findings, len(looked_at))


main()
