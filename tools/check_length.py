#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Files of at most 600 lines, functions of at most 80, first lines with the licence."""

import ast

import gate

FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 80
LICENCE = "SPDX-License-Identifier: Apache-2.0"

# path: why it may be longer.
LONG_FILES = {}


def find_long_c_functions(path, lines):
    """The layout puts a function's braces, and no others, alone into the first column."""
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            if number - start + 1 > FUNCTION_LINES_MAX:
                yield f"{path}:{start}: function of {number - start + 1} lines"
            start = None


def find_long_python_functions(path, text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            n_lines = node.end_lineno - node.lineno + 1
            if n_lines > FUNCTION_LINES_MAX:
                yield f"{path}:{node.lineno}: function of {n_lines} lines"


def judge(path):
    text = gate.read(path)
    lines = text.splitlines()
    if len(lines) > FILE_LINES_MAX and str(path) not in LONG_FILES:
        yield f"{path}:{len(lines)}: file of more than {FILE_LINES_MAX} lines"
    # The second line where the first is the interpreter's.
    if not any(LICENCE in line for line in lines[:2]):
        yield f"{path}:1: no '{LICENCE}' on top"
    if path.suffix == ".py":
        yield from find_long_python_functions(path, text)
    elif path.suffix in (".c", ".h"):
        yield from find_long_c_functions(path, lines)


def main():
    files = gate.tree_files(".c", ".h", ".py", ".sh", ".sql")
    gate.finish("length", [finding for path in files for finding in judge(path)], len(files))


main()
