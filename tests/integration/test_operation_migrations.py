# SPDX-License-Identifier: Apache-2.0
"""Every schema there ever was comes up to date with all its rows. Released ones are kept as they were made
(tests/support/schemas); of each version the migrations lead through, released or not, one is made with rows in every
table."""

import collections
import contextlib
import pathlib
import sqlite3
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
MIGRATIONS = sorted((ROOT / "server/src/store/sql").glob("*.sql"))
KEPT = sorted((ROOT / "tests/support/schemas").glob("*.sql"))
ROWS = 3  # of each table; in the last one all that may be NULL is

SCHEMA_VERSION = ("CREATE TABLE schema_version (version INTEGER NOT NULL PRIMARY KEY,name TEXT NOT NULL,"
                  "applied_ms INTEGER NOT NULL) STRICT")


@pytest.fixture
def migrate(aloft):
    """Open a database as the server does: the finished process."""
    tool = pathlib.Path(aloft).parent / "tests" / "db_tool"

    def _migrate(path):
        return subprocess.run([tool, path], capture_output=True, text=True, timeout=120, check=False)

    return _migrate


@contextlib.contextmanager
def opened(path):
    with contextlib.closing(sqlite3.connect(path)) as database:
        yield database


def tables(database):
    return [name for (name,) in database.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")]


def columns(database, table):
    return [row[1] for row in database.execute(f"PRAGMA table_info({table})")]


# -- a database of any version, with rows -------------------------------------------------------------

def make(path, version):
    with opened(path) as database:
        database.execute(SCHEMA_VERSION)
        for number, source in enumerate(MIGRATIONS[:version], 1):
            database.executescript(source.read_text())
            database.execute("INSERT INTO schema_version VALUES (?, ?, ?)", (number, source.stem, number))
        for table in tables(database):
            if table != "schema_version":
                fill(database, table)
        database.commit()
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []


def value(database, table, column, i):
    """What stands in row i; of a reference what stands in row i of the other table."""
    kind = {row[1]: row[2] for row in database.execute(f"PRAGMA table_info({table})")}[column]
    if column != "id":
        for _, _, other, ours, theirs, *_ in database.execute(f"PRAGMA foreign_key_list({table})"):
            if ours == column:
                return value(database, other, theirs, i)
    return i if kind == "INTEGER" else f"{table}.{column}.{i}"


def fill(database, table):
    info = list(database.execute(f"PRAGMA table_info({table})"))
    for i in range(1, ROWS + 1):
        row = [None if i == ROWS and not not_null else value(database, table, name, i)
               for _, name, _, not_null, _, _ in info]
        database.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)


# -- what must hold afterwards ------------------------------------------------------------------------

def look(path):
    """table: (columns, rows) of all."""
    with opened(path) as database:
        return {table: (columns(database, table), database.execute(f"SELECT * FROM {table}").fetchall())
                for table in tables(database)}


def pick(table, names):
    of, rows = table
    places = [of.index(name) for name in names]
    return collections.Counter(tuple(row[place] for place in places) for row in rows)


def assert_kept(before, after, grows=("schema_version", "id_sequence")):
    """Every table is still there with every row: all columns the two versions share hold what they held."""
    n_rows = 0
    for name, table in before.items():
        assert name in after, f"the table {name} is gone"
        # Where a table was made anew, its numbers may be new ones; nothing referred to them before.
        shared = [column for column in table[0] if column in after[name][0]]
        assert shared, name
        assert not pick(table, shared) - pick(after[name], shared), name
        if name not in grows:
            assert len(after[name][1]) == len(table[1]), name
        n_rows += len(table[1])
    return n_rows


def assert_sound(path):
    with opened(path) as database:
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("SELECT max(version), count(*) FROM schema_version").fetchone() == (
            len(MIGRATIONS), len(MIGRATIONS))


def schema(path):
    with opened(path) as database:
        return set(database.execute("SELECT type, name, tbl_name, sql FROM sqlite_master"))


def check(migrate, path):
    before = look(path)
    done = migrate(path)
    assert (done.returncode, done.stderr) == (0, "")
    n_rows = assert_kept(before, look(path))
    assert_sound(path)
    fresh = path.with_suffix(".fresh")
    assert migrate(fresh).returncode == 0
    assert schema(path) == schema(fresh)
    print(f"{path.name}: {n_rows} rows kept, {len(MIGRATIONS)} versions")


@pytest.mark.parametrize("kept", KEPT, ids=lambda path: path.stem)
def test_a_database_of_a_released_server_is_brought_up_to_date(migrate, tmp_path, kept):
    path = tmp_path / f"{kept.stem}.db"
    with opened(path) as database:
        database.executescript(kept.read_text())
    check(migrate, path)


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS) + 1))
def test_a_database_of_each_version_is_brought_up_to_date(migrate, tmp_path, version):
    path = tmp_path / f"made-{version}.db"
    make(path, version)
    check(migrate, path)


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS)))
def test_a_migration_that_fails_is_undone_whole(migrate, tmp_path, version):
    """Something is in the way of the last table the next migrations make: those before it may stand, it does not."""
    path = tmp_path / "stuck.db"
    make(path, version)
    fresh = tmp_path / "fresh.db"
    assert migrate(fresh).returncode == 0
    new = sorted(set(look(fresh)) - set(look(path)))
    with opened(path) as database:
        for table in new:
            database.execute(f"CREATE TABLE {table} (in_the_way INTEGER)")
        database.commit()
    before = look(path)
    done = migrate(path)
    assert done.returncode == 1 and "the database: cannot execute: table " in done.stderr
    assert look(path) == before
    with opened(path) as database:
        for table in new:
            database.execute(f"DROP TABLE {table}")
        database.commit()
    assert migrate(path).returncode == 0
    assert_sound(path)
