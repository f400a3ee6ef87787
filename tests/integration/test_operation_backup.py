# SPDX-License-Identifier: Apache-2.0
"""`aloft backup` of a running server into one file, and `aloft restore` of it; broken archives are refused whole."""

import hashlib
import io
import os
import shutil
import sqlite3
import stat
import subprocess
import tarfile
import threading

import pytest

from server import Server
from stock_client import StockClient

LAYOUT, VERSION = "esp32c3_default", "v1.0.0"


@pytest.fixture(scope="module")
def running(aloft, tmp_path_factory):
    """A server with one ROM, a config file, and a backup of it while it runs."""
    folder = tmp_path_factory.mktemp("backup")
    (folder / "data").mkdir(mode=0o700)
    (folder / "data" / "aloft.conf").write_text("session_hours = 7\n")
    with Server(aloft, folder) as server:
        server.tokens = server.deploy("lamp", LAYOUT, VERSION)
        server.backup = folder / "good.tar"
        done = run(server, "backup", server.backup, data=server.data)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")  # no terminal: nothing to see
        yield server


def run(server, command, file, data):
    return subprocess.run([server.aloft, command, "--data", str(data), str(file)], capture_output=True, text=True,
                          timeout=120, check=False)


def entries(path):
    """name: bytes, in the order of the archive."""
    with tarfile.open(path, "r:") as archive:
        return {one.name: archive.extractfile(one).read() for one in archive}


def pack(path, files, manifest=None):
    """A backup of these (name, bytes) with the manifest that is right for them, or another."""
    if manifest is None:
        manifest = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in files).encode()
    with tarfile.open(path, "w:", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in [*files, *([("manifest.sha256", manifest)] if manifest is not False else [])]:
            one = tarfile.TarInfo(name)
            one.size = len(data)
            archive.addfile(one, io.BytesIO(data))
    return path


def version_of(server):
    return StockClient("127.0.0.1", server.modules_port, server.tokens[0]).version()


# -- the way there and back ---------------------------------------------------------------------------

def test_a_backup_is_one_private_file_that_tar_and_sha256sum_understand(running, tmp_path):
    assert stat.S_IMODE(running.backup.stat().st_mode) == 0o600
    assert sorted(path.name for path in running.folder.iterdir() if "good.tar" in path.name) == ["good.tar"]
    subprocess.run(["tar", "xf", running.backup, "-C", tmp_path], check=True, timeout=60)
    done = subprocess.run(["sha256sum", "-c", "--strict", "manifest.sha256"], cwd=tmp_path, capture_output=True,
                          text=True, timeout=60, check=True)
    assert done.stdout.count(": OK\n") == len(entries(running.backup)) - 1
    names = list(entries(running.backup))
    assert {"aloft.db", "aloft.conf", "cert.pem", "key.pem"} < set(names) and names[-1] == "manifest.sha256"
    assert sum(name.startswith("blobs/") for name in names) == 1
    assert entries(running.backup)["key.pem"] == (running.data / "key.pem").read_bytes()


def test_a_restored_server_is_the_same_server(aloft, tmp_path):
    with Server(aloft, tmp_path) as server:
        tokens = server.tokens = server.deploy("lamp", LAYOUT, VERSION)
        assert run(server, "backup", tmp_path / "one.tar", server.data).returncode == 0
        assert version_of(server) == VERSION
        answer = [entry.read_bytes() for entry in sorted((server.data / "blobs").glob("*/*"))]
        key = (server.data / "key.pem").read_bytes()
        server.stop()
        server.data.rename(tmp_path / "lost")
        done = run(server, "restore", tmp_path / "one.tar", server.data)
        assert (done.returncode, done.stderr) == (0, "")
        assert stat.S_IMODE(server.data.stat().st_mode) == 0o700
        assert stat.S_IMODE((server.data / "key.pem").stat().st_mode) == 0o600
        assert not (tmp_path / "data.restore").exists()
        server.start()
        assert server.tokens == tokens and version_of(server) == VERSION
        assert (server.data / "key.pem").read_bytes() == key  # modules that pin it still know it
        assert [entry.read_bytes() for entry in sorted((server.data / "blobs").glob("*/*"))] == answer


def test_a_stopped_server_can_be_backed_up(running, tmp_path):
    shutil.copytree(running.data, tmp_path / "copy", ignore=shutil.ignore_patterns("*.sock"))
    assert run(running, "backup", tmp_path / "stopped.tar", tmp_path / "copy").returncode == 0
    assert run(running, "restore", tmp_path / "stopped.tar", tmp_path / "again").returncode == 0


def test_an_empty_folder_is_taken_and_another_refused(running, tmp_path):
    (tmp_path / "empty").mkdir()
    assert run(running, "restore", running.backup, f"{tmp_path}/empty/").returncode == 0
    assert (tmp_path / "empty" / "aloft.db").exists()
    for full in ("empty", "other"):
        (tmp_path / full).mkdir(exist_ok=True)
        (tmp_path / full / "precious").write_text("x")
        done = run(running, "restore", running.backup, tmp_path / full)
        assert done.returncode == 1
        assert "is not empty: restore into a new one, or move it away" in done.stderr
    assert os.listdir(tmp_path / "other") == ["precious"]


def test_a_backup_never_replaces_a_file(running, tmp_path):
    (tmp_path / "there.tar").write_text("precious")
    done = run(running, "backup", tmp_path / "there.tar", running.data)
    assert (done.returncode, (tmp_path / "there.tar").read_text()) == (1, "precious")
    assert "is there already: choose another name" in done.stderr
    (tmp_path / "cut.tar.part").write_text("")
    done = run(running, "backup", tmp_path / "cut.tar", running.data)
    assert done.returncode == 1 and "remove what a cut one left" in done.stderr
    assert sorted(os.listdir(tmp_path)) == ["cut.tar.part", "there.tar"]


def test_a_backup_of_nothing_says_so(running, tmp_path):
    done = run(running, "backup", tmp_path / "none.tar", tmp_path)
    assert done.returncode == 1 and "cannot open the database" in done.stderr
    assert os.listdir(tmp_path) == []


def test_backups_under_uploads_are_whole(aloft, tmp_path):
    """Versions come while backups are made; each must restore. (test_backup.c lets a blob go in between.)"""
    with Server(aloft, tmp_path) as server:
        server.deploy("lamp", LAYOUT, VERSION)
        images = [server.make_image(LAYOUT, f"v2.{i}") for i in range(12)]
        failures = []

        def deploy():
            for i, image in enumerate(images):
                done = server.cli("rom", "deploy", "--product", "lamp", "--version", f"v2.{i}", str(image), check=False)
                if done.returncode:
                    failures.append(done.stderr)

        worker = threading.Thread(target=deploy)
        worker.start()
        n = 0
        while worker.is_alive() or n < 3:
            assert run(server, "backup", tmp_path / f"{n}.tar", server.data).returncode == 0
            n += 1
        worker.join()
        assert failures == []
    for i in range(n):
        done = run(server, "restore", tmp_path / f"{i}.tar", tmp_path / f"restored{i}")
        assert (done.returncode, done.stderr) == (0, "")
    print(f"{n} backups made and restored while 12 ROMs were deployed")


def test_a_damaged_or_missing_blob_is_named(running, tmp_path):
    shutil.copytree(running.data, tmp_path / "copy", ignore=shutil.ignore_patterns("*.sock"))
    blob = next((tmp_path / "copy" / "blobs").glob("??/*"))
    data = blob.read_bytes()
    blob.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    done = run(running, "backup", tmp_path / "one.tar", tmp_path / "copy")
    assert done.returncode == 1 and f"the blob '{blob}' is damaged: withdraw its ROM" in done.stderr
    blob.unlink()
    done = run(running, "backup", tmp_path / "one.tar", tmp_path / "copy")
    assert done.returncode == 1 and f"'{blob}' is missing" in done.stderr
    assert os.listdir(tmp_path) == ["copy"]


# -- archives that are not right ----------------------------------------------------------------------

def wrong_archives(good):
    """name: (files, manifest, what the sentence says)."""
    files = [(name, data) for name, data in good.items() if name != "manifest.sha256"]
    blob = next(name for name in good if name.startswith("blobs/"))
    other = "blobs/ab/ab" + "0" * 62
    manifest = good["manifest.sha256"]

    def without(*names):
        return [(name, data) for name, data in files if name not in names]

    def with_data(name, data):
        return [(one, data if one == name else old) for one, old in files]

    yield "no database", without("aloft.db"), None, "it has no database"
    yield "no manifest", files, False, "its end is missing"
    yield "empty", [], None, "it has no database"
    yield "a blob less", without(blob), None, "is missing; restore it from a backup"
    yield "a blob less than listed", without(blob), manifest, "are not in both"
    yield "the last one less", without("key.pem"), manifest, "its list"
    yield "key changed", with_data("key.pem", b"x"), manifest, "'key.pem' is damaged: its SHA-256 is another"
    yield "blob changed", with_data(blob, b"x"), None, "has other bytes"
    yield "blob under another name", [*without(blob), (other, good[blob])], None, "has other bytes"
    yield "one twice", [*files, ("key.pem", good["key.pem"])], None, "'key.pem' is in it twice"
    yield "a foreign file", [*files, ("lock", b"")], None, "'lock' has no place in one"
    yield "a way out", [("../evil", b"x"), *files], None, "'../evil' has no place in one"
    yield "an absolute path", [("/tmp/evil", b"x"), *files], None, "has no place in one"
    yield "a blob in a wrong folder", [*files, ("blobs/../aloft.db", b"")], None, "has no place in one"
    yield "a manifest of nonsense", files, b"nonsense\n", "damaged in line 1"
    yield "a manifest cut", files, manifest[:-1], "damaged in line"
    yield "not a database", with_data("aloft.db", b"x" * 4096), None, "not a database"


def test_a_wrong_archive_is_refused_and_leaves_nothing(running, tmp_path):
    good = entries(running.backup)
    n = 0
    for name, files, manifest, sentence in wrong_archives(good):
        path = pack(tmp_path / "wrong.tar", files, manifest)
        done = run(running, "restore", path, tmp_path / "new")
        assert done.returncode == 1, name
        assert sentence in done.stderr, f"{name}: {done.stderr}"
        assert os.listdir(tmp_path) == ["wrong.tar"], name
        n += 1
    assert run(running, "restore", pack(tmp_path / "wrong.tar", list(good.items())[:-1]), tmp_path / "new").returncode == 0
    print(f"{n} wrong archives refused")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE])
def test_only_files_may_be_in_it(running, tmp_path, kind):
    with tarfile.open(tmp_path / "wrong.tar", "w:") as archive:
        one = tarfile.TarInfo("aloft.conf")
        one.type, one.linkname = kind, "aloft.db"
        archive.addfile(one)
    done = run(running, "restore", tmp_path / "wrong.tar", tmp_path / "new")
    assert done.returncode == 1 and "is no backup" in done.stderr
    assert os.listdir(tmp_path) == ["wrong.tar"]


def test_a_small_archive_cannot_fill_the_disk(running, tmp_path):
    """An entry of 1 GiB that is a hole in the archive (GNU sparse 0.1 in pax headers)."""
    size = 1 << 30
    with tarfile.open(tmp_path / "wrong.tar", "w:", format=tarfile.PAX_FORMAT) as archive:
        one = tarfile.TarInfo("aloft.db")
        one.size = 4
        one.pax_headers = {"GNU.sparse.size": str(size), "GNU.sparse.numblocks": "1",
                           "GNU.sparse.map": f"{size - 4},4"}
        archive.addfile(one, io.BytesIO(b"last"))
    done = run(running, "restore", tmp_path / "wrong.tar", tmp_path / "new")
    assert done.returncode == 1 and "there is more in it than it has bytes" in done.stderr
    assert os.listdir(tmp_path) == ["wrong.tar"]


def test_a_backup_cut_anywhere_is_refused(running, tmp_path):
    data = running.backup.read_bytes()
    end = data.rindex(b"manifest.sha256")  # behind it are its lines and the archive's padding
    cuts = [0, 1, 511, 512, 513, 1024, len(data) // 3, len(data) // 2, end - 1, end + 100, end + 512]
    for cut in cuts:
        (tmp_path / "cut.tar").write_bytes(data[:cut])
        done = run(running, "restore", tmp_path / "cut.tar", tmp_path / "new")
        assert done.returncode == 1, cut
        assert os.listdir(tmp_path) == ["cut.tar"], cut


def test_flipped_bits_are_found(running, tmp_path):
    """One in every 997th byte of the archive's files; padding and the database's own free bytes do not count."""
    data = running.backup.read_bytes()
    with tarfile.open(running.backup, "r:") as archive:
        ranges = [(one.offset_data, one.offset_data + one.size) for one in archive]
    places = [begin + (end - begin) * step // 7 for begin, end in ranges for step in range(7)]
    for place in places:
        (tmp_path / "bad.tar").write_bytes(data[:place] + bytes([data[place] ^ 0x10]) + data[place + 1:])
        done = run(running, "restore", tmp_path / "bad.tar", tmp_path / "new")
        assert done.returncode == 1, place
    assert os.listdir(tmp_path) == ["bad.tar"]


def test_a_database_that_names_files_elsewhere_is_refused(running, tmp_path):
    """Else the restored server would serve such a file, and remove it with its upload."""
    good = entries(running.backup)
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    (tmp_path / "evil.db").write_bytes(good["aloft.db"])
    database = sqlite3.connect(tmp_path / "evil.db")
    database.execute("INSERT INTO upload (id, product_id, version, name, sha256, size_bytes, created_ms) "
                     "VALUES ('u', 1, 'v9', 'ota.bin', '../../../victim', 8, 1)")
    database.commit()
    database.close()
    files = [(name, (tmp_path / "evil.db").read_bytes() if name == "aloft.db" else data) for name, data in good.items()
             if name != "manifest.sha256"]
    done = run(running, "restore", pack(tmp_path / "evil.tar", files), tmp_path / "new")
    assert done.returncode == 1 and "is not the SHA-256 of a blob" in done.stderr
    assert not (tmp_path / "new").exists() and victim.read_bytes() == b"precious"


def test_a_backup_of_a_newer_server_is_refused(running, tmp_path):
    good = entries(running.backup)
    (tmp_path / "newer.db").write_bytes(good["aloft.db"])
    database = sqlite3.connect(tmp_path / "newer.db")
    database.execute("INSERT INTO schema_version VALUES (999, 'from-the-future', 0)")
    database.commit()
    database.close()
    files = [(name, data) for name, data in good.items() if name != "manifest.sha256"]
    files = [(name, (tmp_path / "newer.db").read_bytes() if name == "aloft.db" else data) for name, data in files]
    done = run(running, "restore", pack(tmp_path / "newer.tar", files), tmp_path / "new")
    assert done.returncode == 1 and "schema version 999" in done.stderr
    assert not (tmp_path / "new").exists() and not (tmp_path / "new.restore").exists()
