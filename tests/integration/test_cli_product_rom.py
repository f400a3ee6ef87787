# SPDX-License-Identifier: Apache-2.0
"""aloft product, rom and device: the whole story from the outside, and what they say when something is wrong."""

import itertools
import json
import os
import pty
import struct
import subprocess

import pytest

import app_image
from api import blob_files, call, rows, talk
from server import DEADLINE_S, wait_until

LAYOUT = "esp32c3_default"
_names = (f"p{i}" for i in itertools.count())


@pytest.fixture
def product(server):
    name = next(_names)
    server.cli("product", "add", name, "--layout", LAYOUT)
    return name


def write(tmp_path, data, name="ota.bin"):
    path = tmp_path / name
    path.write_bytes(data)
    return str(path)


def ask(server, token, target, headers=""):
    return talk(server.modules_port, f"GET {target} HTTP/1.0\r\nHost: a\r\nAuthorization: token {token}\r\n{headers}\r\n"
                .encode())


# -- the story ----------------------------------------------------------------------------------------

def test_from_a_product_to_a_proven_device(server, tmp_path):
    added = server.cli("product", "add", "lamp", "--layout", LAYOUT)
    fields = dict(line.split() for line in added.stdout.splitlines())
    assert fields["product"] == "lamp" and fields["layout"] == LAYOUT
    assert all(len(fields[name]) == 40 and set(fields[name]) <= set("0123456789abcdef") for name in ("token", "token_tls"))
    assert fields["token"] != fields["token_tls"]

    image = app_image.make(version="v1.0.0")
    deployed = server.cli("rom", "deploy", "--product", "lamp", "--version", "v1.0.0", write(tmp_path, image))
    assert deployed.stdout == "lamp v1.0.0 deployed, 1 file\n"
    assert "aloft rom use --product lamp --version v1.0.0" in deployed.stderr
    assert b'"v1.0.0"' not in ask(server, fields["token"], "/v1/device/rom/?is_format_simple=true")
    assert server.cli("rom", "use", "--product", "lamp", "--version", "v1.0.0").stdout == "lamp v1.0.0 is current now\n"

    newer = app_image.make(version="v1.1.0")
    deployed = server.cli("rom", "deploy", "--product", "lamp", "--version", "v1.1.0", "--corename", "core", "--life-cycle",
                          "beta", "--use", f"ota.bin={write(tmp_path, newer)}")
    assert deployed.stdout == "lamp v1.1.0 deployed, 1 file, current now\n"
    listed = server.cli("rom", "ls", "--product", "lamp").stdout.splitlines()
    assert listed[0].split() == ["version", "current", "life", "cycle", "corename", "files"]
    assert listed[1].split() == ["v1.1.0", "*", "beta", "core", "ota.bin", str(len(newer))]
    assert listed[2].split() == ["v1.0.0", "-", "release", "-", "ota.bin", str(len(image))]

    device = "Aloft-Device: 7cdfa1b2c3d4\r\nAloft-Version: {}\r\n"
    got = ask(server, fields["token"], "/v1/device/rom/?action=download_rom&version=v1.1.0&filename=ota.bin",
              device.format("v1.0.0"))
    assert got.endswith(newer)
    row = wait_until("delivered", lambda: find_device(server, "delivered_version", "v1.1.0"))
    assert row["proven_version"] is None and row["token_prefix"] == fields["token"][:6] and row["address"] == "127.0.0.1"
    ask(server, fields["token"], "/v1/device/rom/?is_format_simple=true", device.format("v1.1.0"))
    row = wait_until("proven", lambda: find_device(server, "proven_version", "v1.1.0"))
    assert {"device", "token_prefix", "address", "delivered_version", "proven_version", "last_seen_ms"} < set(row)
    wait_until("the log line", lambda: 'device.proven device="7cdfa1b2c3d4" version=v1.1.0' in server.log.read_text())
    table = server.cli("device", "ls", "--product", "lamp").stdout.splitlines()
    assert table[0].split() == ["device", "token", "address", "runs", "delivered", "proven", "last", "seen"]
    assert next(line.split()[:6] for line in table if line.startswith("7c")) == [
        "7cdfa1b2c3d4", fields["token"][:6], "127.0.0.1", "v1.1.0", "v1.1.0", "v1.1.0"]


def find_device(server, member, value):
    return next((row for row in server.devices("lamp") if row[member] == value), None)


def test_a_stock_module_shows_under_its_address_and_is_never_proven(server, product, tmp_path):
    server.cli("rom", "deploy", "--product", product, "--version", "v1", "--use", write(tmp_path, app_image.make()))
    token = json.loads(server.cli("product", "ls", "--json").stdout)
    token = next(row["token"] for row in token if row["name"] == product)
    ask(server, token, "/v1/device/rom/?action=download_rom&version=v1&filename=ota.bin")
    row, = wait_until("the device", lambda: server.devices(product))
    assert (row["device"], row["delivered_version"], row["proven_version"]) == ("127.0.0.1", "v1", None)


def test_the_same_version_sent_again_does_not_prove_itself(server, product, tmp_path):
    server.cli("rom", "deploy", "--product", product, "--version", "v1", "--use", write(tmp_path, app_image.make()))
    token = next(row["token"] for row in json.loads(server.cli("product", "ls", "--json").stdout) if row["name"] == product)
    ask(server, token, "/v1/device/rom/?action=download_rom&version=v1&filename=ota.bin",
        "Aloft-Device: d\r\nAloft-Version: v1\r\n")
    row, = wait_until("the device", lambda: server.devices(product))
    assert (row["delivered_version"], row["proven_version"]) == ("v1", None)


def test_tokens_already_in_the_field_are_brought_along(server):
    plain, tls = "ab" * 20, "cd" * 20
    made = json.loads(server.cli("product", "add", "old", "--layout", LAYOUT, "--token", plain, "--token-tls", tls,
                                 "--json").stdout)
    assert (made["token"], made["token_tls"]) == (plain, tls)
    again = server.cli("product", "add", "old2", "--layout", LAYOUT, "--token", plain, check=False)
    assert again.returncode == 1
    assert again.stderr == "aloft: the token ababab… is taken already by a product\n"


def test_json_is_what_a_program_wants(server, product, tmp_path):
    rom = json.loads(server.cli("rom", "deploy", "--product", product, "--version", "v1", "--use", "--json",
                                write(tmp_path, app_image.make())).stdout)
    assert rom["version"] == "v1" and rom["current"] is True
    assert rom["files"][0].pop("findings")
    assert json.loads(server.cli("rom", "ls", "--product", product, "--json").stdout) == [rom]
    used = server.cli("rom", "use", "--product", product, "--version", "v1", "--json").stdout
    assert json.loads(used)["version"] == "v1"
    assert server.devices(product) == []


def test_a_bar_shows_on_a_terminal_only(aloft, server, product, tmp_path):
    words = ["rom", "deploy", "--product", product, "--version", "v1", write(tmp_path, app_image.make())]
    env = os.environ | {"ALOFT_SERVER": server.url, "ALOFT_API_TOKEN_FILE": str(server.api_token_file)}
    ours, theirs = pty.openpty()
    subprocess.run([aloft, *words], stdout=subprocess.DEVNULL, stderr=theirs, env=env, check=True, timeout=DEADLINE_S)
    os.close(theirs)
    assert b"] 100 %" in os.read(ours, 65536)
    os.close(ours)
    words[5] = "v2"
    assert "%" not in server.cli(*words).stderr


# -- wrong files --------------------------------------------------------------------------------------

def boot_loader():
    """As an app image, but its segment loads to RAM and begins with a boot loader's descriptor (formats 1.6)."""
    image = bytearray(app_image.make())
    image[0x18:0x1c] = (0x3FCD5820).to_bytes(4, "little")
    image[0x20:0x70] = b"\x50\x00\x00" + bytes(77)
    return bytes(image)


def factory_image():
    flash = bytearray(b"\xff" * 0x70000)
    image = boot_loader()
    flash[0:len(image)] = image
    flash[0x8000:0x8020] = struct.pack("<HBBII16sI", 0x50AA, 1, 0, 0xD000, 0x2000, b"otadata", 0)  # formats 2.1
    return bytes(flash)


WRONG_FILES = {
    "empty": (b"", "OTA_EMPTY"),
    "truncated": (app_image.make()[:3000], "IMG_TRUNCATED"),
    "boot loader": (boot_loader(), "OTA_IS_BOOTLOADER"),
    "factory image": (factory_image(), "OTA_IS_FACTORY_IMAGE"),
    "wrong chip": (app_image.make(chip="esp32c6"), "OTA_WRONG_CHIP"),
    "packed": (b"ESP\0\x02" + bytes(5000), "OTA_WRONG_KIND"),
    "ELF": (b"\x7fELF\x01\x01\x01" + bytes(5000), "OTA_WRONG_KIND"),
    "zip": (b"PK\x03\x04" + bytes(5000), "OTA_WRONG_KIND"),
    "flipped bit": (app_image.make()[:2000] + b"\x00\x00" + app_image.make()[2002:], "IMG_CHECKSUM"),
    "too big": (app_image.make(data_bytes=0x1D0000), "OTA_TOO_BIG"),
}


@pytest.mark.parametrize("kind", WRONG_FILES)
def test_a_wrong_file_is_refused_by_api_and_cli_with_the_same_sentence(server, product, tmp_path, kind):
    data, code = WRONG_FILES[kind]
    blobs = blob_files(server)
    answer = call(server, "POST", f"/api/v1/products/{product}/uploads?name=ota.bin&version=v1", data,
                  "application/octet-stream")
    assert (answer.status, answer.code) == (422, code), answer.body
    done = server.cli("rom", "deploy", "--product", product, "--version", "v1", write(tmp_path, data), check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"aloft: {answer.message}\n"
    assert blob_files(server) == blobs
    assert call(server, "GET", f"/api/v1/products/{product}/roms").json == {"roms": [], "next": None}


def test_a_file_over_16_mib_is_refused_with_a_sentence(server, product, tmp_path):
    path = tmp_path / "huge.bin"
    with open(path, "wb") as huge:
        huge.truncate(16 * 1024 * 1024 + 1)
    done = server.cli("rom", "deploy", "--product", product, "--version", "v1", str(path), check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "aloft: the file has 16777217 bytes, the limit is 16777216\n"


def test_when_one_file_fails_the_uploads_before_it_are_given_up(server, product, tmp_path):
    blobs = blob_files(server)
    done = server.cli("rom", "deploy", "--product", product, "--version", "v1",
                      write(tmp_path, app_image.make(version="given-up")),
                      "nonsense.bin=" + write(tmp_path, b"x" * 100, "nonsense.bin"), check=False)
    assert done.returncode == 1
    assert rows(server, "SELECT count(*) FROM upload") == [(0,)]
    assert blob_files(server) == blobs


def test_a_version_deployed_twice_is_refused_and_gives_its_upload_up(server, product, tmp_path):
    words = ["rom", "deploy", "--product", product, "--version", "v1", write(tmp_path, app_image.make())]
    server.cli(*words)
    done = server.cli(*words, check=False)
    assert done.returncode == 1
    assert done.stderr.endswith("aloft: the product has a ROM of version v1 already; a version is never replaced, choose "
                                "another\n")
    assert rows(server, "SELECT count(*) FROM upload") == [(0,)]


# -- wrong words --------------------------------------------------------------------------------------

@pytest.mark.parametrize("words, reason", [
    (["product"], "'aloft product' goes on with one of: add, ls"),
    (["product", "add"], "NAME is missing"),
    (["product", "add", "a"], "--layout LAYOUT is missing"),
    (["product", "add", "a", "b", "--layout", LAYOUT], "unexpected 'b'"),
    (["product", "ls", "--colour"], "unknown option '--colour'"),
    (["rom", "deploy", "--product", "a", "--version", "v1"], "[NAME.bin=]FILE is missing"),
    (["rom", "deploy", "--product", "a", "x.bin"], "--version V is missing"),
    (["rom", "deploy", "--product", "a", "--version", "v1", "x", "y"], "ota.bin is given twice"),
    (["rom", "use", "--product", "a"], "which version? Name it with --version, or say --none"),
    (["device", "ls"], "--product NAME is missing"),
    (["serve"], "no data folder: give --data DIR"),
    (["serve", "--data", "x", "--console", "8000"], "--console: '8000' is not HOST:PORT"),
    (["serve", "--data", "x", "--modules", "127.0.0.1:99999"], "from 0 to 65535"),
    (["serve", "--data", "x", "--cert", "y"], "--cert and --key belong together"),
    (["serve", "--data", "x", "--threads", "many"], "--threads: 'many' is not a number from 0 to 256"),
    (["serve", "--data", "x", "--log-contacts", "some"], "--log-contacts: 'some' is none of none|failures|all"),
])
def test_wrong_usage_ends_with_2_and_one_specific_line(server, words, reason):
    done = server.cli(*words, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert reason in done.stderr.splitlines()[0]


@pytest.mark.parametrize("words, sentence", [
    (["product", "add", "a b", "--layout", LAYOUT], "a product's name is 1 to 64"),
    (["product", "add", "a", "--layout", "esp32c9"], "there is no layout 'esp32c9'; there are: "),
    (["product", "add", "a", "--layout", LAYOUT, "--token", "AB"], "'token' must be 40 lower-case hex digits"),
    (["rom", "ls", "--product", "unknown"], "there is no product of this name"),
    (["rom", "ls", "--product", "../healthz"], "there is nothing at this address"),
    (["rom", "use", "--product", "unknown", "--version", "v1"], "there is no product of this name"),
    (["device", "ls", "--product", "unknown"], "there is no product of this name"),
    (["rom", "deploy", "--product", "unknown", "--version", "v1", "/nowhere"], "cannot read '/nowhere': No such file"),
    (["rom", "deploy", "--product", "unknown", "--version", "v1", "/tmp"], "cannot read '/tmp': it is not a regular file"),
])
def test_what_fails_ends_with_1_and_the_sentence_of_who_knows(server, words, sentence):
    done = server.cli(*words, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"aloft: {sentence}")


def run(aloft, *words, **env):
    plain = {name: value for name, value in os.environ.items() if not name.startswith("ALOFT_")}
    return subprocess.run([aloft, *words], capture_output=True, text=True, timeout=DEADLINE_S, check=False, env=plain | env)


def test_the_api_token_file_is_asked_for_by_name(aloft, server, tmp_path):
    done = run(aloft, "product", "ls", "--server", server.url, XDG_CONFIG_HOME=str(tmp_path))
    assert done.returncode == 2 and "'aloft login' logs in" in done.stderr and "ALOFT_API_TOKEN_FILE" in done.stderr
    done = run(aloft, "product", "ls", "--server", server.url, ALOFT_API_TOKEN_FILE=str(tmp_path / "none"))
    assert done.returncode == 1 and "cannot open" in done.stderr
    wrong = tmp_path / "wrong"
    wrong.write_text("not a token\n")
    done = run(aloft, "product", "ls", "--server", server.url, "--api-token-file", str(wrong))
    assert done.returncode == 1 and "holds no API token" in done.stderr
    wrong.write_text("0" * 64 + "\n")
    done = run(aloft, "product", "ls", "--server", server.url, "--api-token-file", str(wrong))
    assert done.returncode == 1 and "or 'Authorization: Bearer" in done.stderr
    done = run(aloft, "product", "ls", "--server", server.url + "/", "--api-token-file", str(server.api_token_file))
    assert done.returncode == 0


@pytest.mark.parametrize("words", ["--help", "--version", "product ls --help", "product ls", "product ls --json"])
def test_output_that_cannot_be_written_is_a_failure(aloft, server, words):
    env = os.environ | {"ALOFT_SERVER": server.url, "ALOFT_API_TOKEN_FILE": str(server.api_token_file)}
    with open("/dev/full", "wb") as full:
        done = subprocess.run([aloft, *words.split()], stdout=full, stderr=subprocess.PIPE, env=env, text=True,
                              timeout=DEADLINE_S, check=False)
    assert done.returncode == 1
    assert done.stderr == "aloft: cannot write to standard output\n"


def test_a_server_that_is_not_there_is_named(aloft, server):
    done = run(aloft, "product", "ls", "--server", "http://127.0.0.1:1", "--api-token-file", str(server.api_token_file))
    assert done.returncode == 1
    assert "cannot talk to 'http://127.0.0.1:1'" in done.stderr and "--server" in done.stderr


def test_something_else_that_answers_is_not_taken_for_a_server(aloft, server):
    done = run(aloft, "product", "ls", "--server", f"http://127.0.0.1:{server.modules_port}", "--api-token-file",
               str(server.api_token_file))
    assert done.returncode == 1
    assert "is that an Aloft server?" in done.stderr
