#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Embed the migrations: embed_sql.py OUT.c 0001-first.sql 0002-... (in order, no gaps)."""

import pathlib
import sys


def main():
    out, sources = pathlib.Path(sys.argv[1]), [pathlib.Path(p) for p in sys.argv[2:]]
    lines = ["/* Made by tools/embed_sql.py. */", '#include "store/migrations.h"', ""]
    for i, source in enumerate(sources, 1):
        if not source.name.startswith(f"{i:04d}-"):
            sys.exit(f"{source.name}: migration {i} must be named {i:04d}-WHAT.sql")
        # Numbers, not a string literal: compilers need not take literals over 4095 characters.
        numbers = ",".join(str(b) for b in source.read_bytes())
        lines.append(f"static const char sql_{i}[] = {{{numbers},0}};")
    lines.append("const struct db_migration db_migrations[] = {")
    lines += [f'    {{"{s.stem}", sql_{i}}},' for i, s in enumerate(sources, 1)]
    lines += ["};", f"const size_t n_db_migrations = {len(sources)};", ""]
    out.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
