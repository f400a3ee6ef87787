# SPDX-License-Identifier: Apache-2.0
"""Shared by all integration tests: the support folder is importable, the executable is named by ALOFT."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from fixtures import aloft  # noqa: F401  # found by the line above
from server import Server
from wire_plane import own_wire, tool, wire  # noqa: F401


@pytest.fixture(scope="module")
def server(aloft, tmp_path_factory):  # noqa: F811
    """A server of the module's own, without products."""
    with Server(aloft, tmp_path_factory.mktemp("serve")) as one:
        yield one
