# SPDX-License-Identifier: Apache-2.0
"""The data folder: one server at a time, nothing acknowledged is lost, nothing half is left, and a full disk is only an
answer."""

import contextlib
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess

import pytest

import app_image
from api import blob_files, call, list_all, rows, statuses, talk, upload
from server import DEADLINE_S, Server, wait_until

LAYOUT = "esp32c3_default"
PRODUCTS = "/api/v1/products"


@pytest.fixture
def server(aloft, tmp_path):
    with Server(aloft, tmp_path) as one:
        yield one


def add_product(server, name="lamp"):
    return call(server, "POST", PRODUCTS, {"name": name, "layout": LAYOUT}).json


def everything(server):
    """All that people can see of a server."""
    products = list_all(server, PRODUCTS, "products")
    return products, [call(server, "GET", f"{PRODUCTS}/{p['name']}/roms").json for p in products]


def deploy(server, product, version):
    one = upload(server, product, app_image.make(version=version), version).json["upload"]
    assert call(server, "POST", f"{PRODUCTS}/{product}/roms",
                {"version": version, "use": True, "files": [{"name": "ota.bin", "upload": one}]}).status == 201


def begin_upload(server, product, image, n_bytes):
    """A connection that has sent the first bytes of an upload, which are in a temporary file by now."""
    connection = socket.create_connection(("127.0.0.1", server.console_port))
    connection.sendall(b"POST %s/%s/uploads?name=ota.bin&version=v9 HTTP/1.1\r\nHost: aloft\r\nAuthorization: Bearer %s\r\n"
                       b"Content-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n%s"
                       % (PRODUCTS.encode(), product.encode(), server.api_token.encode(), len(image), image[:n_bytes]))
    wait_until("the temporary file", lambda: any(name.startswith("tmp/") for name in blob_files(server)))
    return connection


def test_a_second_server_on_the_same_folder_is_refused(aloft, server):
    done = subprocess.run([aloft, "serve", "--data", str(server.data), "--modules", "127.0.0.1:0", "--modules-tls",
                           "127.0.0.1:0", "--console", "127.0.0.1:0"], capture_output=True, text=True,
                          timeout=DEADLINE_S, check=False)
    assert done.returncode == 1
    assert "another server uses the folder" in done.stderr
    assert call(server, "GET", "/healthz").status == 200
    assert (server.data / "ports.json").exists()


def test_a_stop_is_clean_and_takes_the_ports_file_away(server):
    assert json.loads((server.data / "ports.json").read_text()) == {
        "modules": server.modules_port, "modules_tls": server.modules_tls_port, "console": server.console_port}
    server.stop()
    assert server.process.returncode == 0
    assert not (server.data / "ports.json").exists()


def test_an_interrupt_from_the_keyboard_is_a_stop_too(server):
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(DEADLINE_S) == 0


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_restart_keeps_everything_acknowledged(server, end):
    add_product(server)
    deploy(server, "lamp", "v1")
    deploy(server, "lamp", "v2")
    waiting = upload(server, "lamp", app_image.make(version="v3"), "v3").json["upload"]
    before, token, blobs = everything(server), server.api_token, blob_files(server)
    getattr(server, end)()
    server.start()
    assert (everything(server), server.api_token, blob_files(server)) == (before, token, blobs)
    assert call(server, "POST", f"{PRODUCTS}/lamp/roms",
                {"version": "v3", "files": [{"name": "ota.bin", "upload": waiting}]}).status == 201


def test_a_kill_during_an_upload_leaves_no_trace_after_the_restart(server):
    add_product(server)
    deploy(server, "lamp", "v1")
    before = everything(server), blob_files(server)
    image = app_image.make(version="v9", data_bytes=200000)
    with begin_upload(server, "lamp", image, 100000):
        server.kill()
    assert blob_files(server) != before[1]
    server.start()
    assert (everything(server), blob_files(server)) == before
    assert rows(server, "SELECT count(*) FROM upload") == [(0,)]


def test_a_blob_whose_row_never_came_is_swept_up_at_the_start(server):
    add_product(server)
    deploy(server, "lamp", "v1")
    before = blob_files(server)
    server.kill()
    stray = server.data / "blobs" / "ab" / ("ab" + "0" * 62)
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"stray")
    server.start()
    assert blob_files(server) == before


def test_blobs_without_their_database_are_not_swept_but_asked_about(aloft, server):
    add_product(server)
    deploy(server, "lamp", "v1")
    server.stop()
    before = blob_files(server)
    for name in ("aloft.db", "aloft.db-wal", "aloft.db-shm"):
        (server.data / name).unlink(missing_ok=True)
    for _ in range(2):
        done = subprocess.run([aloft, "serve", "--data", str(server.data), "--modules", "127.0.0.1:0", "--modules-tls",
                               "127.0.0.1:0", "--console", "127.0.0.1:0"], capture_output=True, text=True,
                              timeout=DEADLINE_S, check=False)
        assert done.returncode == 1
        assert "restore aloft.db from a backup" in done.stderr
        assert blob_files(server) == before


def test_a_damaged_blob_is_named_in_the_log_and_stops_nobody(server):
    add_product(server)
    deploy(server, "lamp", "v1")
    server.stop()
    with open(server.data / "blobs" / blob_files(server)[0], "ab") as blob:
        blob.write(b"x")
    server.start()
    assert "blob.damaged" in server.log.read_text()
    assert call(server, "GET", "/healthz").status == 200


def test_a_blob_with_other_bytes_is_never_served_and_can_be_uploaded_again(server):
    token = add_product(server)["token"]
    deploy(server, "lamp", "v1")
    server.stop()
    path = server.data / "blobs" / blob_files(server)[0]
    good = path.read_bytes()
    path.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    server.start()
    assert "the bytes of the blob" in server.log.read_text()
    ask = (b"GET /v1/device/rom/?action=download_rom&version=v1&filename=ota.bin HTTP/1.1\r\nHost: a\r\nAuthorization: "
           b"token %s\r\n\r\n" % token.encode())
    assert statuses(talk(server.modules_port, ask)) == [500]
    assert upload(server, "lamp", good).status == 201
    assert talk(server.modules_port, ask).endswith(good)


def test_an_upload_expires_an_hour_after_it_was_complete(server):
    add_product(server)
    upload(server, "lamp", app_image.make(version="v1"))
    server.stop()
    with contextlib.closing(sqlite3.connect(server.data / "aloft.db")) as database:
        database.execute("UPDATE upload SET created_ms = created_ms - 3600 * 1000 - 1")
        database.commit()
    server.start()
    assert rows(server, "SELECT count(*) FROM upload") == [(0,)]
    assert blob_files(server) == []


def test_a_newer_schema_is_refused_with_a_sentence(aloft, server, tmp_path):
    server.stop()
    with contextlib.closing(sqlite3.connect(server.data / "aloft.db")) as database:
        database.execute("INSERT INTO schema_version VALUES (999, 'from-the-future', 0)")
        database.commit()
    done = subprocess.run([aloft, "serve", "--data", str(server.data), "--modules", "127.0.0.1:0", "--modules-tls",
                           "127.0.0.1:0", "--console", "127.0.0.1:0"], capture_output=True, text=True,
                          timeout=DEADLINE_S, check=False)
    assert done.returncode == 1
    assert "schema version 999, this program knows only" in done.stderr


# -- a full disk --------------------------------------------------------------------------------------

@pytest.fixture
def small_disk(aloft, tmp_path):
    """A server whose data folder is a disk of 1 MiB."""
    disk = tmp_path / "data"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "aloft-test", str(disk)],
                             capture_output=True, check=False) if shutil.which("mount") and os.geteuid() == 0 else None
    if not mounted or mounted.returncode != 0:
        pytest.skip("mounting a small disk is not allowed here")
    try:
        with Server(aloft, tmp_path) as server:
            yield server
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_is_an_answer_and_the_server_goes_on(small_disk):
    server = small_disk
    add_product(server)
    before = blob_files(server)
    for _ in range(2):
        answer = upload(server, "lamp", app_image.make(version="v1", data_bytes=1200 * 1024))
        assert (answer.status, answer.code) == (507, "disk_full"), answer.body
        assert "disk is full" in answer.message
        assert blob_files(server) == before
    deploy(server, "lamp", "v1")


# -- many devices -------------------------------------------------------------------------------------

def test_a_long_list_of_devices_comes_in_pages_and_whole_by_the_cli(server):
    add_product(server)
    server.stop()
    with contextlib.closing(sqlite3.connect(server.data / "aloft.db")) as database:
        database.executemany("INSERT INTO device VALUES (?, 1, ?, 'reported', '', '', NULL, NULL, 'abcdef', '192.0.2.7', '', '', "
                             "'', 0, '', 0, 0, 1, 1, 1, 1)", ((i + 1, f"d{i:04}") for i in range(2000)))
        database.commit()
    server.start()
    first = call(server, "GET", f"{PRODUCTS}/lamp/devices?limit=5").json
    page = call(server, "GET", f"{PRODUCTS}/lamp/devices?limit=1000&cursor={first['next']}").json
    assert [page["devices"][i]["device"] for i in (0, -1)] == ["d0005", "d1004"]
    assert page["next"]
    assert [row["device"] for row in server.devices("lamp")] == [f"d{i:04}" for i in range(2000)]


# -- no descriptors left ------------------------------------------------------------------------------

def test_people_are_heard_however_many_modules_there_are(aloft, tmp_path):
    limited = tmp_path / "aloft"
    limited.write_text(f'#!/bin/sh\nulimit -n 400\nexec {aloft} "$@"\n')
    limited.chmod(0o755)
    with Server(str(limited), tmp_path, "--threads", "1") as server, contextlib.ExitStack() as held:
        for _ in range(450):
            module = held.enter_context(socket.create_connection(("127.0.0.1", server.modules_port)))
            module.sendall(b"GET ")
        wait_until("the pause", lambda: "wire.accept_paused" in server.log.read_text())
        add_product(server)
        deploy(server, "lamp", "v1")


# -- ports --------------------------------------------------------------------------------------------

def test_a_port_one_may_not_have_is_refused_with_the_remedy(aloft, tmp_path):
    with open("/proc/sys/net/ipv4/ip_unprivileged_port_start", encoding="ascii") as start:
        if int(start.read()) <= 80:
            pytest.skip("everybody may have port 80 here")
    words = ["setpriv", "--bounding-set=-net_bind_service", "--inh-caps=-net_bind_service"] if os.geteuid() == 0 else []
    done = subprocess.run([*words, aloft, "serve", "--data", str(tmp_path / "data"), "--modules", "127.0.0.1:80",
                           "--modules-tls", "127.0.0.1:0", "--console", "127.0.0.1:0"], capture_output=True, text=True,
                          timeout=DEADLINE_S, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("aloft: cannot listen on 127.0.0.1:80: Permission denied: give the right to ports")
    for remedy in ("setcap cap_net_bind_service=+ep", "net.ipv4.ip_unprivileged_port_start", "AmbientCapabilities"):
        assert remedy in done.stderr
