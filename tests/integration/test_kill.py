# SPDX-License-Identifier: Apache-2.0
"""Killing the module's or the server's process (SIGKILL) at random moments of an upgrade never yields a module that does
not boot a whole image. The moments are drawn from a fixed seed, from the start of an upgrade to half
as long again as an undisturbed one takes.

After each kill an independent reader judges the flash file as the boot loader would, then the module is started again
and must say which version runs."""

import random
import shutil
import time

import pytest

from flash_reader import booted_version
from server import Server
from virtual_module import VirtualModule

OLD, NEW = "v1.0.0.0", "v1.1.0.0"
LAYOUT = "esp32c3_default"
AP = ("bench", "12345678")
KILLS = 50
SEED = 20261122
COMMAND = b"AT+CIUPDATE\r\n"


@pytest.fixture(scope="module")
def bench(aloft, tmp_path_factory):
    folder = tmp_path_factory.mktemp("kill")
    with Server(aloft, folder / "serve") as server:
        tokens = server.deploy("kill", LAYOUT, NEW, size="600k")
        old = server.make_image(LAYOUT, OLD, "600k")
        first = folder / "first.bin"
        with module_on(aloft, first, server, tokens, app=old) as module:
            module.read_until(b"ready\r\n")
            module.join(*AP)  # stored: the module joins by itself after each restart
        yield aloft, folder, server, tokens, first


def module_on(aloft, flash, server, tokens, app=None):
    return VirtualModule(aloft, flash.parent, flash=flash, layout=LAYOUT, app=app, uart="tcp", ap=AP, tokens=tokens,
                         ota=server.modules_port, ota_tls=server.modules_tls_port)


def copy_flash(first, folder, number):
    flash = folder / f"flash-{number}.bin"
    for suffix in ("", ".settings", ".module"):
        shutil.copy(f"{first}{suffix}", f"{flash}{suffix}")
    return flash


def begin(module):
    module.read_until(b"ready\r\n")
    module.wait_for_ip()
    module.write(COMMAND)


def undisturbed_seconds(bench):
    aloft, folder, server, tokens, first = bench
    with module_on(aloft, copy_flash(first, folder, "undisturbed"), server, tokens) as module:
        begin(module)
        start = time.monotonic()
        module.read_until(b"ready\r\n")
        return time.monotonic() - start


def draw(moments, whole):
    """Some are right at the start: on a fast machine little else comes before the whole file is in the socket. Some are
    well behind the end: under load this upgrade takes longer than the undisturbed one did."""
    return max(0, moments.uniform(-0.3, 1.5)) * whole


def check_boots_whole(bench, flash):
    """The flash boots a whole image by the second reader's judgement, and the module runs that version."""
    aloft, _, server, tokens, _ = bench
    version = booted_version(flash.read_bytes())
    assert version in (OLD, NEW)
    with module_on(aloft, flash, server, tokens) as module:
        module.read_until(b"ready\r\n")
        assert module.version() == version
    return version


def test_killing_the_module_never_bricks_it(bench):
    aloft, folder, server, tokens, first = bench
    whole, moments, seen = undisturbed_seconds(bench), random.Random(SEED), []
    for number in range(KILLS):
        flash = copy_flash(first, folder, f"module-{number}")
        with module_on(aloft, flash, server, tokens) as module:
            begin(module)
            module.read_for(draw(moments, whole))
            module.kill()
        seen.append(check_boots_whole(bench, flash))
        flash.unlink()
    assert {OLD, NEW} == set(seen), "the moments did not reach both sides of the commit"
    print(f"{KILLS} kills of the module: {seen.count(OLD)} boot the old image, {seen.count(NEW)} the new one")


def test_killing_the_server_never_bricks_the_module(bench):
    aloft, folder, server, tokens, first = bench
    whole, moments, seen = undisturbed_seconds(bench), random.Random(SEED + 1), []
    for number in range(KILLS):
        flash = copy_flash(first, folder, f"server-{number}")
        with module_on(aloft, flash, server, tokens) as module:
            begin(module)
            said = module.read_for(draw(moments, whole))
            server.kill()
            if b"ready\r\n" not in said:
                module.read_until(b"ERROR\r\n", b"ready\r\n")
        seen.append(check_boots_whole(bench, flash))
        flash.unlink()
        server.start()
    assert {OLD, NEW} == set(seen), "the moments did not reach both sides of the commit"
    print(f"{KILLS} kills of the server: {seen.count(OLD)} boot the old image, {seen.count(NEW)} the new one")
    flash = copy_flash(first, folder, "after")
    with module_on(aloft, flash, server, tokens) as module:  # and it still serves
        begin(module)
        module.read_until(b"ready\r\n")
        assert module.version() == NEW
