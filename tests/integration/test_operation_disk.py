# SPDX-License-Identifier: Apache-2.0
"""A full disk refuses what would need space, in words, and the server goes on serving; and a data folder has one
server."""

import contextlib
import errno
import os
import pathlib
import shutil
import subprocess

import pytest

from api import call, list_all, upload
import app_image
from server import DEADLINE_S, Server, wait_until
from stock_client import StockClient, Target

LAYOUT, VERSION = "esp32c3_default", "v1.0.0"
PRODUCTS_MAX = 5000  # far more than the write-ahead log has room for


@pytest.fixture
def small(aloft, tmp_path):
    """A server with one ROM whose data folder is a disk of 4 MiB."""
    disk = tmp_path / "data"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m,mode=700", "aloft-test", str(disk)],
                             capture_output=True, check=False) if shutil.which("mount") and os.geteuid() == 0 else None
    if not mounted or mounted.returncode != 0:
        pytest.skip("mounting a small disk is not allowed here")
    try:
        with Server(aloft, tmp_path) as server:
            server.token = server.deploy("lamp", LAYOUT, VERSION)[0]
            yield server
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def fill(server):
    """Not a byte is left."""
    with open(server.data / "filler", "ab", buffering=0) as filler:
        for size in (65536, 4096, 1):
            try:
                while True:
                    filler.write(bytes(size))
            except OSError as error:
                assert error.errno == errno.ENOSPC


def add(server, name):
    return server.api("POST", "/api/v1/products", f'{{"name": "{name}", "layout": "{LAYOUT}"}}'.encode(),
                      {"Content-Type": "application/json"})


def names(server):
    return {one["name"] for one in list_all(server, "/api/v1/products", "products")}


def download(server):
    """A whole download by the strict stock client."""
    client = StockClient("127.0.0.1", server.modules_port, server.token)
    assert client.version() == VERSION
    target = Target()
    client.file(VERSION, target)
    return bytes(target.content)


def assert_full(status, answer):
    assert (status, answer["code"]) == (507, "disk_full"), answer
    assert "disk is full" in str(answer)


def test_a_full_disk_refuses_uploads_and_changes_and_serves_on(small):
    server = small
    image = (server.folder / f"{LAYOUT}-{VERSION}.bin").read_bytes()
    fill(server)
    for _ in range(3):
        answer = upload(server, "lamp", app_image.make(version="v2", data_bytes=300 * 1024))
        assert (answer.status, answer.code) == (507, "disk_full"), answer.body
    assert list((server.data / "blobs" / "tmp").iterdir()) == []

    kept = set()
    for i in range(PRODUCTS_MAX):  # as long as the database still has room of its own
        status, answer = add(server, f"p{i}")
        if status != 201:
            break
        kept.add(f"p{i}")
    assert_full(status, answer)
    assert_full(*add(server, "again"))
    assert names(server) == {"lamp"} | kept  # reading goes on, nothing half
    assert download(server) == image
    assert server.process.poll() is None
    assert "api.disk_full" in server.log.read_text()

    (server.data / "filler").unlink()
    assert add(server, "after")[0] == 201
    assert upload(server, "lamp", app_image.make(version="v2")).status == 201
    server.kill()
    server.start()
    assert names(server) == {"lamp", "after"} | kept


def test_a_full_disk_ends_a_partial_upload(small):
    """Nothing of it is kept; there is space again for another try."""
    server, image = small, app_image.make(version="v2", data_bytes=600 * 1024)
    path = "/api/v1/products/lamp/partial-uploads"
    kind = "application/octet-stream"

    def begin():
        made = call(server, "POST", path, {"name": "ota.bin", "version": "v2", "size_bytes": len(image)})
        assert made.status == 201, made.body
        return f"{path}/{made.json['id']}"

    one = begin()
    assert call(server, "PATCH", f"{one}?offset=0", image[:200000], kind).status == 200
    fill(server)
    answer = call(server, "PATCH", f"{one}?offset=200000", image[200000:], kind)
    assert (answer.status, answer.code) == (507, "disk_full"), answer.body
    assert list((server.data / "blobs" / "incoming").iterdir()) == []
    assert download(server) == (server.folder / f"{LAYOUT}-{VERSION}.bin").read_bytes()
    (server.data / "filler").unlink()
    assert call(server, "GET", one).status == 404
    answer = call(server, "PATCH", f"{begin()}?offset=0", image, kind)
    assert answer.status == 201, answer.body


def test_a_start_on_a_full_disk_says_so_and_works_when_there_is_space(small):
    """The database cannot be opened without a little space of its own."""
    server = small
    image = (server.folder / f"{LAYOUT}-{VERSION}.bin").read_bytes()
    server.stop()
    fill(server)
    words = [server.aloft, "serve", "--data", str(server.data), "--modules", "127.0.0.1:0", "--modules-tls",
             "127.0.0.1:0", "--console", "127.0.0.1:0"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=DEADLINE_S, check=False)
    assert done.returncode == 1
    assert "the disk is full: free some space" in done.stderr
    (server.data / "filler").unlink()
    server.start()
    assert download(server) == image


def test_a_backup_onto_a_full_disk_fails_and_leaves_nothing(small):
    server = small
    fill(server)
    done = subprocess.run([server.aloft, "backup", "--data", str(server.data), str(server.data / "one.tar")],
                          capture_output=True, text=True, timeout=DEADLINE_S, check=False)
    assert done.returncode == 1
    assert "the disk is full" in done.stderr or "No space left" in done.stderr
    assert not [path for path in server.data.iterdir() if "one.tar" in path.name]
    assert download(server)


def deleted_but_open(server):
    found = []
    for one in pathlib.Path(f"/proc/{server.process.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            found.append(os.readlink(one))
    return [link for link in found if "/blobs/" in link and link.endswith(" (deleted)")]


def test_a_deleted_rom_gives_its_space_back_though_no_module_asks(aloft, tmp_path):
    with Server(aloft, tmp_path, "--threads", "2") as server:
        server.token = server.deploy("lamp", LAYOUT, VERSION)[0]
        server.cli("rom", "deploy", "--product", "lamp", "--version", "v2.0.0", str(server.make_image(LAYOUT, "v2.0.0")))
        for _ in range(16):  # both event loops have had it
            StockClient("127.0.0.1", server.modules_port, server.token).file("v2.0.0", Target())
        status, _ = server.api("DELETE", "/api/v1/products/lamp/roms/v2.0.0")
        assert status == 204 and len(list((server.data / "blobs").glob("??/*"))) == 1
        wait_until("no deleted blob is open", lambda: not deleted_but_open(server))
        assert download(server) == server.make_image(LAYOUT, VERSION).read_bytes()


def test_two_servers_do_not_share_a_folder(aloft, tmp_path):
    with Server(aloft, tmp_path) as server:
        words = [aloft, "serve", "--data", str(server.data), "--modules", "127.0.0.1:0", "--modules-tls", "127.0.0.1:0",
                 "--console", "127.0.0.1:0"]
        done = subprocess.run(words, capture_output=True, text=True, timeout=DEADLINE_S, check=False)
        assert done.returncode == 1
        assert f"another server uses the folder '{server.data}'" in done.stderr
        wait_until("the first to go on", lambda: call(server, "GET", "/api/v1/products").status == 200)
        assert (server.data / "ports.json").exists() and (server.data / "control.sock").exists()


def test_a_disk_nearly_full_is_alive_but_not_ready_and_says_why(small):
    answer = call(small, "GET", "/readyz", token="")
    assert (answer.status, answer.code, answer.message) == (503, "not_ready", "less than 64 MiB of the disk are free")
    assert call(small, "GET", "/healthz", token="").status == 200
