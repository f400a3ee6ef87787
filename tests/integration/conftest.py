# SPDX-License-Identifier: Apache-2.0
"""Shared by all integration tests: the support folder is importable, the executable is named by ALOFT."""

import os
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from server import Server  # found by the line above


@pytest.fixture(scope="session")
def aloft():
    """Path of the executable under test."""
    path = pathlib.Path(os.environ.get("ALOFT", ROOT / "build" / "aloft")).resolve()
    if not path.exists():
        pytest.exit(f"there is no {path}: build it first (make)", 2)
    return str(path)


@pytest.fixture(scope="module")
def server(aloft, tmp_path_factory):
    """A server of the module's own, without products."""
    with Server(aloft, tmp_path_factory.mktemp("serve")) as one:
        yield one
