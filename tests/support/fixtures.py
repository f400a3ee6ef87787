# SPDX-License-Identifier: Apache-2.0
"""Fixtures of integration and browser tests; their conftest.py import them."""

import os
import pathlib

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def aloft():
    """Path of the executable under test, named by ALOFT."""
    path = pathlib.Path(os.environ.get("ALOFT", ROOT / "build" / "aloft")).resolve()
    if not path.exists():
        pytest.exit(f"there is no {path}: build it first (make)", 2)
    return str(path)
