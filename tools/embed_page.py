#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Embed the module's page: embed_page.py OUT.c index.html. Refuses a page that is too big or needs other places."""

import pathlib
import re
import sys

PAGE_BYTES_MAX = 40960
OUTSIDE = re.compile(rb"https?://|[\"'(=]//|@import|\bintegrity=", re.I)


def main():
    out, source = map(pathlib.Path, sys.argv[1:])
    page = source.read_bytes()
    if len(page) > PAGE_BYTES_MAX:
        sys.exit(f"{source}: {len(page)} bytes, {PAGE_BYTES_MAX} at most")
    if found := OUTSIDE.search(page):
        line = page.count(b"\n", 0, found.start()) + 1
        sys.exit(f"{source}:{line}: the page must not load from elsewhere: {found.group().decode()}")
    # Numbers, not a string literal: compilers need not take literals over 4095 characters.
    rows = [",".join(map(str, page[i:i + 24])) for i in range(0, len(page), 24)]
    lines = ["/* Made by tools/embed_page.py. */", '#include "web/page/page.h"', "",
             "const uint8_t aloft_page[] = {", *(row + "," for row in rows), "};",
             "const size_t aloft_page_len = sizeof aloft_page;", ""]
    out.write_text("\n".join(lines), encoding="ascii")


if __name__ == "__main__":
    main()
