# SPDX-License-Identifier: Apache-2.0
"""Killing the module's or the server's process (SIGKILL) at random moments of an upgrade never yields a module that does
not boot a whole image. The moments are random, around the commit.

After each kill an independent reader judges the flash file as the boot loader would, then the module is started again
and must say which version runs."""

import contextlib
import http.server
import random
import shutil
import threading
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


class Moments:
    """Random moments around the commit, wherever the machine's load puts it just now: after a kill that came too early for
    the new image the next moments lie later, after one that came late they lie earlier."""

    def __init__(self, seed, whole):
        self._random, self._scale = random.Random(seed), whole
        self.seen = []

    def draw(self):
        return self._random.uniform(0, 1.5) * self._scale

    def learn(self, version):
        self._scale *= 1.15 if version == OLD else 1 / 1.15
        self.seen.append(version)

    def check_both_sides(self, what):
        assert {OLD, NEW} == set(self.seen), "the moments did not reach both sides of the commit"
        print(f"{KILLS} kills of the {what}: {self.seen.count(OLD)} boot the old image, {self.seen.count(NEW)} the new one")


class NotHere(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_error(404)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def no_longer_here(port):
    """Somebody else answers on the dead server's port that there is no such thing: a module that would ask for the rest
    of the file again and again, for half a minute, gives up at its first try."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), NotHere) as other:
        threading.Thread(target=other.serve_forever, args=(0.02,), daemon=True).start()
        yield
        other.shutdown()


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
    moments = Moments(SEED, undisturbed_seconds(bench))
    for number in range(KILLS):
        flash = copy_flash(first, folder, f"module-{number}")
        with module_on(aloft, flash, server, tokens) as module:
            begin(module)
            module.read_for(moments.draw())
            module.kill()
        moments.learn(check_boots_whole(bench, flash))
        flash.unlink()
    moments.check_both_sides("module")


def test_killing_the_server_never_bricks_the_module(bench):
    aloft, folder, server, tokens, first = bench
    moments = Moments(SEED + 1, undisturbed_seconds(bench))
    for number in range(KILLS):
        flash = copy_flash(first, folder, f"server-{number}")
        with module_on(aloft, flash, server, tokens) as module:
            begin(module)
            said = module.read_for(moments.draw())
            server.kill()
            if b"ready\r\n" not in said:
                with no_longer_here(server.modules_port):
                    module.read_until(b"ERROR\r\n", b"ready\r\n")
        moments.learn(check_boots_whole(bench, flash))
        flash.unlink()
        server.start()
    moments.check_both_sides("server")
    flash = copy_flash(first, folder, "after")
    with module_on(aloft, flash, server, tokens) as module:  # and it still serves
        begin(module)
        module.read_until(b"ready\r\n")
        assert module.version() == NEW
