# SPDX-License-Identifier: Apache-2.0
"""What the gates share: the files of the tree, C text without comments, and how to report."""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def tree_files(*suffixes):
    """Files of the tree, new ones too, as sorted paths relative to its root."""
    out = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-z", "-co", "--exclude-standard"],
                         check=True, capture_output=True, text=True).stdout
    paths = (pathlib.PurePosixPath(name) for name in out.split("\0") if name)
    return sorted(path for path in paths if path.suffix in suffixes and (ROOT / path).is_file())


def read(path):
    return (ROOT / path).read_text(encoding="utf-8")


# In this order a quote inside a comment, and a comment inside a text, are met as what they are.
_COMMENT_OR_TEXT = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def code_only(text):
    """C text with comments, strings and character constants blanked; line numbers stay."""
    return _COMMENT_OR_TEXT.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)


def finish(name, findings, n_looked_at):
    """Print the findings, or one line of success, and end with the matching exit code."""
    for finding in findings:
        print(finding)
    if n_looked_at == 0:
        print(f"{name}: found nothing to look at")
        sys.exit(1)
    if findings:
        print(f"{name}: {len(findings)} findings")
        sys.exit(1)
    print(f"{name}: {n_looked_at} files, nothing found")
