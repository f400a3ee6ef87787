# SPDX-License-Identifier: Apache-2.0
"""Killing the server (SIGKILL) at random moments under a mix of uploads, deploys, choices, devices and downloads: what it
acknowledged is there after the restart, no module gets bytes whose hash is another, and nothing half done is left."""

import hashlib
import http.client
import json
import random
import socket
import threading

import pytest

import app_image
from api import blob_files, call, rows
from server import Server

KILLS, SHARES = 200, 4  # each share has a server of its own, so that they can run side by side
LAYOUT, PRODUCT = "esp32c3_default", "lamp"
SEED = 20261122
GONE = (OSError, http.client.HTTPException)


class Told:
    """What the server has acknowledged; the workers write it down, the judge reads it after each kill."""

    def __init__(self):
        self.lock = threading.Lock()
        self.roms = {}  # version: SHA-256
        self.devices = set()
        self.current = {None}  # the version acknowledged last, and those asked for since without an answer
        self.n_downloads = 0
        self.sent = {}  # every version ever sent: its bytes' SHA-256, acknowledged or not


def deploy(server, told, number, rng):
    version = f"v{number}"
    image = app_image.make(version=version, data_bytes=4096 + 16 * rng.randrange(4096))
    digest = hashlib.sha256(image).hexdigest()
    with told.lock:
        told.sent[version] = digest
    answer = call(server, "POST", f"/api/v1/products/{PRODUCT}/uploads?name=ota.bin&version={version}", image,
                  "application/octet-stream")
    assert answer.status == 201, answer.body
    answer = call(server, "POST", f"/api/v1/products/{PRODUCT}/roms",
                  {"version": version, "files": [{"name": "ota.bin", "upload": answer.json["upload"]}]})
    assert answer.status == 201, answer.body
    with told.lock:
        told.roms[version] = digest


def choose(server, told, rng):
    with told.lock:
        version = rng.choice(sorted(told.roms) or ["none"])
        told.current.add(version if told.roms else None)
    answer = call(server, "PUT", f"/api/v1/products/{PRODUCT}/current", {"version": version})
    if answer.status == 404:
        return  # there is none yet
    assert answer.status == 200, answer.body
    with told.lock:
        told.current = {version}


def add_device(server, told, number):
    name = f"unit-{number}"
    answer = call(server, "POST", f"/api/v1/products/{PRODUCT}/devices", {"device": name})
    assert answer.status == 201, answer.body
    with told.lock:
        told.devices.add(name)


def fetch(server, token, version):
    """The file as a module gets it; None if the server did not send it whole."""
    with socket.create_connection(("127.0.0.1", server.modules_port), timeout=30) as connection:
        connection.sendall(b"GET /v1/device/rom/?action=download_rom&version=%s&filename=ota.bin HTTP/1.1\r\nHost: a\r\n"
                           b"Authorization: token %s\r\n\r\n" % (version.encode(), token.encode()))
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        length = int(answer.headers["Content-Length"])
        body = answer.read()
        return body if answer.status == 200 and len(body) == length else None


def download(server, told, token, rng):
    with told.lock:
        version = rng.choice(sorted(told.roms) or ["none"])
    body = fetch(server, token, version)
    if body is not None:
        assert hashlib.sha256(body).hexdigest() == told.sent[version], f"{version} was served with other bytes"
        with told.lock:
            told.n_downloads += 1


class Worker(threading.Thread):
    """One kind of work again and again until the server is gone."""

    def __init__(self, work):
        super().__init__()
        self._work = work
        self.failure = None

    def run(self):
        try:
            while True:
                self._work()
        except GONE:
            pass
        except AssertionError as failure:
            self.failure = failure


def work_until_killed(server, told, token, rng, numbers):
    seeds = [random.Random(rng.random()) for _ in range(5)]
    workers = [Worker(lambda: deploy(server, told, next(numbers), seeds[0])), Worker(lambda: choose(server, told, seeds[1])),
               Worker(lambda: add_device(server, told, next(numbers))),
               Worker(lambda: download(server, told, token, seeds[2])), Worker(lambda: deploy(server, told, next(numbers), seeds[3]))]
    for worker in workers:
        worker.start()
    workers[0].join(rng.uniform(0.01, 0.4))
    server.kill()
    for worker in workers:
        worker.join(60)
        assert not worker.is_alive()
        assert worker.failure is None, worker.failure


def pages(server, path, member):
    found, cursor = [], ""
    while cursor is not None:
        page = call(server, "GET", f"{path}?limit=1000{cursor and '&cursor=' + cursor}").json
        found += page[member]
        cursor = page["next"]
    return found


def judge(server, told):
    """After the restart: everything acknowledged is there."""
    product = call(server, "GET", f"/api/v1/products/{PRODUCT}").json
    assert product["current_version"] in told.current
    told.current = {product["current_version"]}
    there = {rom["version"]: rom["files"][0]["sha256"]
             for rom in pages(server, f"/api/v1/products/{PRODUCT}/roms", "roms")}
    assert told.roms.items() <= there.items(), told.roms.items() - there.items()
    assert there.items() <= told.sent.items()
    told.roms = there  # what was committed without its answer getting through counts from now on
    devices = {row["device"] for row in pages(server, f"/api/v1/products/{PRODUCT}/devices", "devices")}
    assert told.devices <= devices, told.devices - devices
    told.devices = {device for device in devices if device.startswith("unit-")}


def judge_folder(server):
    """Each blob has its name's hash, each row its blob, and nothing half done is left."""
    blobs = server.data / "blobs"
    names = blob_files(server)
    assert not [name for name in names if name.startswith("tmp/")]
    for name in names:
        assert hashlib.sha256((blobs / name).read_bytes()).hexdigest() == name.replace("/", "")[-64:]
    needed = {row[0] for row in rows(server, "SELECT sha256 FROM rom_file UNION SELECT sha256 FROM upload")}
    assert needed == {name.replace("/", "")[-64:] for name in names}


@pytest.mark.parametrize("share", range(SHARES))
def test_a_killed_server_has_lost_nothing_it_acknowledged(aloft, tmp_path, share):
    rng = random.Random(SEED + share)
    told = Told()
    numbers = iter(range(10**9))
    with Server(aloft, tmp_path / "serve") as server:
        token = call(server, "POST", "/api/v1/products", {"name": PRODUCT, "layout": LAYOUT}).json["token"]
        for _ in range(KILLS // SHARES):
            work_until_killed(server, told, token, rng, numbers)
            server.start()
            judge(server, told)
            judge_folder(server)
        for version, digest in told.roms.items():
            assert hashlib.sha256(fetch(server, token, version)).hexdigest() == digest
        verified = server.cli("audit", "verify")
        assert json.loads(server.cli("audit", "ls", "--json").stdout)
    print(f"{KILLS // SHARES} kills: {len(told.roms)} ROMs, {len(told.devices)} devices, {told.n_downloads} downloads; "
          f"{verified.stdout.strip()}")
