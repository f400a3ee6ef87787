# SPDX-License-Identifier: Apache-2.0
"""aloft rom: what the commands do and print, and that deploying goes on where a connection breaks or the server is started
anew. Refusals have the sentences of the API."""

import hashlib
import itertools
import json
import os
import socket
import subprocess
import threading

import pytest

import app_image
import factory_image
from api import blob_files, call, upload
from server import DEADLINE_S, Server

PRODUCTS = "/api/v1/products"
LAYOUT = "esp32c3_default"
_names = (f"c{i}" for i in itertools.count())
IMAGE = app_image.make(version="cli")
BIG = app_image.make(version="big", data_bytes=1500000)
BREAKS = [None, 400000, None, 300000, None, 500000]  # announcing and asking go whole


@pytest.fixture
def product(server):
    return add_product(server)


def add_product(server):
    name = next(_names)
    assert call(server, "POST", PRODUCTS, {"name": name, "layout": LAYOUT}).status == 201
    return name


@pytest.fixture
def rom(server, product, tmp_path):
    """`aloft rom VERB --product PRODUCT ...`, with v1 deployed."""
    def run(verb, *words, **arguments):
        return server.cli("rom", verb, "--product", product, *words, **arguments)
    run.file = tmp_path / "ota.bin"
    run.file.write_bytes(IMAGE)
    run("deploy", "--version", "v1", "--note", "first", str(run.file))
    return run


def show(rom, version="v1"):
    return json.loads(rom("show", "--version", version, "--json").stdout)


def test_show_tells_all_of_one(rom):
    shown = show(rom)
    assert (shown["note"], shown["withdrawn"]) == ("first", False) and shown["files"][0]["findings"]
    words = rom("show", "--version", "v1").stdout
    assert "note        first\n" in words and hashlib.sha256(IMAGE).hexdigest() in words
    assert rom("show", "--version", "v9", check=False).returncode == 1


def test_set_changes_what_is_said(rom):
    rom("set", "--version", "v1", "--note", "better", "--life-cycle", "beta", "--corename", "core")
    shown = show(rom)
    assert (shown["note"], shown["life_cycle"], shown["corename"]) == ("better", "beta", "core")


def test_use_back_and_none(rom):
    rom("deploy", "--version", "v2", str(rom.file))
    for version in ("v1", "v2"):
        rom("use", "--version", version)
    assert rom("back").stdout.endswith(" v1 is current again\n")
    assert rom("back", check=False).returncode == 1
    assert rom("use", "--none").stdout.endswith(" no version is current now\n")
    assert not show(rom)["current"]
    assert rom("use", "--none", "--version", "v1", check=False).returncode == 2


def test_withdraw_restore_and_rm(rom):
    rom("withdraw", "--version", "v1")
    assert "withdrawn" in rom("ls").stdout and show(rom)["withdrawn"]
    rom("restore", "--version", "v1")
    assert not show(rom)["withdrawn"]
    rom("use", "--version", "v1")
    refused = rom("rm", "--version", "v1", check=False)
    assert refused.returncode == 1 and "current version" in refused.stderr
    rom("use", "--none")
    rom("withdraw", "--version", "v1")
    rom("rm", "--version", "v1")
    assert json.loads(rom("ls", "--json").stdout) == []


def test_check_prints_the_rows_and_keeps_nothing(server, product, rom):
    blobs = blob_files(server)
    done = rom("check", "--version", "v2", "--json", str(rom.file))
    found = json.loads(done.stdout)
    assert all({"row", "verdict", "sentence"} <= row.keys() for row in found)
    assert found == call(server, "POST", f"{PRODUCTS}/{product}/check?version=v2", IMAGE, "application/octet-stream").json[
        "findings"]
    n_pass = sum(row["verdict"] == "pass" for row in found)
    shown = rom("check", "--version", "v2", str(rom.file)).stdout.splitlines()
    assert shown[0] == f"{n_pass} of {len(found)} rows pass"
    assert [line.split()[:3] for line in shown[2:]] == [[str(row["row"]), row["verdict"], row["code"]] for row in found
                                                        if row["verdict"] != "pass"]
    assert blob_files(server) == blobs


def test_check_ends_with_1_on_a_refusal_and_has_the_sentence_of_the_api(server, product, rom):
    rom.file.write_bytes(IMAGE[:700])
    done = rom("check", "--json", str(rom.file), check=False)
    refused = [row for row in json.loads(done.stdout) if row["verdict"] == "refusal"]
    answer = upload(server, product, IMAGE[:700], "v2")
    assert done.returncode == 1 and refused[0]["sentence"] == answer.message and refused[0]["code"] == answer.code
    deployed = rom("deploy", "--version", "v2", str(rom.file), check=False)
    assert (deployed.returncode, deployed.stderr) == (1, f"aloft: {answer.message}\n")
    assert rom("check", str(rom.file), check=False).returncode == 1


def test_url_prints_the_url_and_the_command(rom):
    url, command = rom("url", "--version", "v1", "ota.bin").stdout.splitlines()
    assert command == f"AT+USEROTA={len(url)}"
    assert rom("url", "--version", "v1", "--hours", "x", check=False).returncode == 2
    link = json.loads(rom("url", "--version", "v1", "--public", "--json").stdout)
    assert link["expires_ms"] is None and link["file"] == "ota.bin"
    assert len(json.loads(rom("url-ls", "--json").stdout)) == 2 and "never" in rom("url-ls").stdout
    rom("url-rm", link["short"])
    assert [one["url"] for one in json.loads(rom("url-ls", "--json").stdout)] == [url]


def test_the_app_of_a_factory_image_is_offered_and_cut_out(rom):
    rom.file.write_bytes(factory_image.make(IMAGE))
    refused = rom("deploy", "--version", "v2", str(rom.file), check=False)
    assert refused.returncode == 1 and "--cut-app" in refused.stderr
    done = rom("deploy", "--version", "v2", "--cut-app", str(rom.file))
    assert "the app was cut out" in done.stderr
    assert show(rom, "v2")["files"][0]["sha256"] == hashlib.sha256(IMAGE).hexdigest()


class BreakingProxy:
    """A network to the console plane that breaks each of its first connections after so many bytes towards the server."""

    def __init__(self, port, breaks, on_break=lambda: None):
        self._target, self._breaks, self.n_broken, self._on_break = ("127.0.0.1", port), list(breaks), 0, on_break
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.close()

    def _run(self):
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target, timeout=DEADLINE_S)
            except OSError:
                return
            threading.Thread(target=self._pass, args=(server, client), daemon=True).start()
            threading.Thread(target=self._count, args=(client, server), daemon=True).start()

    @staticmethod
    def _pass(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
        except OSError:
            pass
        for one in (source, target):
            one.close()

    def _count(self, client, server):
        left = self._breaks.pop(0) if self._breaks else None
        try:
            while data := client.recv(65536 if left is None else max(1, min(left, 65536))):
                server.sendall(data)
                left = left if left is None else left - len(data)
                if left == 0:
                    self.n_broken += 1
                    self._on_break()
                    break
        except OSError:
            pass
        for one in (client, server):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def test_deploying_goes_on_where_the_connection_breaks(aloft, server, product, tmp_path):
    (tmp_path / "big.bin").write_bytes(BIG)
    with BreakingProxy(server.console_port, BREAKS) as proxy:
        env = os.environ | {"ALOFT_SERVER": f"http://127.0.0.1:{proxy.port}", "ALOFT_API_TOKEN_FILE": str(server.api_token_file)}
        words = [aloft, "rom", "deploy", "--product", product, "--version", "v1", "--json", str(tmp_path / "big.bin")]
        done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        assert proxy.n_broken == 3
    assert json.loads(done.stdout)["files"][0]["sha256"] == hashlib.sha256(BIG).hexdigest()


def test_deploying_goes_on_with_a_server_started_anew(aloft, tmp_path):
    (tmp_path / "big.bin").write_bytes(BIG)
    with Server(aloft, tmp_path / "serve") as server:
        def restart():
            server.kill()
            server.start()

        product, token_file = add_product(server), str(server.api_token_file)
        with BreakingProxy(server.console_port, [None, 1300000], restart) as proxy:
            env = os.environ | {"ALOFT_SERVER": f"http://127.0.0.1:{proxy.port}", "ALOFT_API_TOKEN_FILE": token_file}
            words = [aloft, "rom", "deploy", "--product", product, "--version", "v1", "--json", str(tmp_path / "big.bin")]
            done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=120, check=False)
            assert proxy.n_broken == 1
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["files"][0]["sha256"] == hashlib.sha256(BIG).hexdigest()


def test_nobody_there_is_said_at_once(aloft, product, server, tmp_path):
    (tmp_path / "ota.bin").write_bytes(IMAGE)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    env = os.environ | {"ALOFT_SERVER": f"http://127.0.0.1:{port}", "ALOFT_API_TOKEN_FILE": str(server.api_token_file)}
    done = subprocess.run([aloft, "rom", "deploy", "--product", product, "--version", "v1", str(tmp_path / "ota.bin")], env=env,
                          capture_output=True, text=True, timeout=DEADLINE_S, check=False)
    assert done.returncode == 1 and "cannot talk to" in done.stderr
