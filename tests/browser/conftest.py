# SPDX-License-Identifier: Apache-2.0
"""Shared by the browser tests: one Chromium for the run, a window and a language of the test's own."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from browser import PHONE, Browser  # found by the line above
from fixtures import aloft  # noqa: F401
from mock_module import MockModule


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    with Browser(tmp_path_factory.mktemp("chromium")) as one:
        yield one


@pytest.fixture
def browser(chromium):
    """English, the size of a phone, no page."""
    chromium.reset(PHONE)
    yield chromium
    chromium.open("about:blank")


def _checked(module):
    with module:
        yield module
    assert not module.violations


@pytest.fixture
def stock(chromium):  # pylint: disable=unused-argument  # the page goes before the module
    """A stock module; the page must keep its rules."""
    yield from _checked(MockModule())


@pytest.fixture
def ours(chromium):  # pylint: disable=unused-argument
    """A module with our firmware: it tells more."""
    yield from _checked(MockModule(extra={"chip": "esp32c3", "ota_size": 0x1D0000, "restart": True}))
