# SPDX-License-Identifier: Apache-2.0
"""Accounts, API tokens and the audit log from the command line: joining, logging in, and the machine itself."""

import json
import os
import pty
import select
import sqlite3
import subprocess

import pytest

from api import call
from server import DEADLINE_S, PASSWORD, Server

LAYOUT = "esp32c3_default"


class Person:
    """Somebody with a home of their own, and no API token in the environment."""

    def __init__(self, server, home):
        self.server, self.home = server, home
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(("ALOFT_", "XDG_"))} | {
            "HOME": str(home), "ALOFT_SERVER": server.url}
        self.login_file = home / ".config/aloft/login.json"

    def run(self, *words, code=0):
        done = subprocess.run([self.server.aloft, *words], capture_output=True, text=True, env=self.env, check=False,
                              timeout=DEADLINE_S, start_new_session=True)
        assert done.returncode == code, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def write(self, name, text):
        (self.home / name).write_text(text + "\n")
        return str(self.home / name)


@pytest.fixture
def server(aloft, tmp_path):
    with Server(aloft, tmp_path / "server") as one:
        yield one


@pytest.fixture
def person(server, tmp_path):
    def make(name):
        home = tmp_path / name
        home.mkdir()
        return Person(server, home)
    return make


@pytest.fixture
def admin(person):
    """Joined with the set-up code."""
    one = person("ann")
    one.run("join", "--name", "ann", "--code-file", str(one.server.data / "setup-code"), "--password-file",
            one.write("password", PASSWORD))
    return one


def test_the_first_one_joins_with_the_set_up_code_and_is_logged_in(server, admin):
    assert admin.login_file.stat().st_mode & 0o777 == 0o600
    kept = json.loads(admin.login_file.read_text())
    assert kept["server"] == server.url
    admin.run("product", "add", "lamp", "--layout", LAYOUT)
    assert "lamp" in admin.run("product", "ls")
    rows = json.loads(admin.run("account", "ls", "--json"))
    assert [(row["name"], row["role"], row["is_active"], row["grants"]) for row in rows] == [("ann", "admin", True, [])]


def test_a_login_is_sent_to_no_other_server(server, admin):
    said = admin.run("product", "ls", "--server", "http://127.0.0.1:1", code=2)
    assert f"you are logged in at {server.url}, not at http://127.0.0.1:1" in said
    admin.run("product", "ls", "--server", server.url + "/")


def test_logout_ends_the_api_token_and_forgets_it(server, admin):
    token = json.loads(admin.login_file.read_text())["api_token"]
    assert call(server, "GET", "/api/v1/session", token=token).status == 200
    admin.run("logout")
    assert call(server, "GET", "/api/v1/session", token=token).status == 401
    assert not admin.login_file.exists()
    assert "'aloft login' logs in" in admin.run("product", "ls", code=2)
    assert "nobody has logged in" in admin.run("logout", code=1)


def test_an_invited_one_has_what_the_invitation_says(admin, person):
    admin.run("product", "add", "lamp", "--layout", LAYOUT)
    admin.run("product", "add", "fan", "--layout", LAYOUT)
    said = admin.run("account", "invite", "--role", "operator", "--product", "lamp", "--note", "for Bob", "--days", "2")
    bob = person("bob")
    code = bob.write("code", said.split()[1])
    assert "(operator)" in bob.run("join", "--name", "bob", "--code-file", code, "--password-file",
                                   bob.write("password", PASSWORD))
    assert [row["name"] for row in json.loads(bob.run("product", "ls", "--json"))] == ["lamp"]
    assert "this needs the role admin" in bob.run("account", "ls", code=1)
    assert "wrong, used, or over" in bob.run("join", "--name", "bob2", "--code-file", code, "--password-file",
                                             bob.write("password", PASSWORD), code=1)
    admin.run("account", "grant", "bob", "--product", "fan", "--role", "viewer")
    bob.run("login", "--name", "bob", "--password-file", str(bob.home / "password"))
    assert [row["name"] for row in json.loads(bob.run("product", "ls", "--json"))] == ["fan", "lamp"]
    admin.run("account", "grant", "bob", "--product", "lamp", "--role", "none")
    assert [row["name"] for row in json.loads(bob.run("product", "ls", "--json"))] == ["fan"]
    assert "fan:viewer" in admin.run("account", "ls")
    admin.run("account", "set-role", "bob", "--role", "admin")
    admin.run("account", "deactivate", "bob")
    assert "this needs a session" in bob.run("product", "ls", code=1)
    assert "may not sign in" in bob.run("login", "--name", "bob", "--password-file", str(bob.home / "password"), code=1)
    admin.run("account", "activate", "bob")
    bob.run("product", "ls")
    admin.run("account", "rm", "bob")
    assert "this needs a session" in bob.run("product", "ls", code=1)
    assert "last active admin" in admin.run("account", "rm", "ann", code=1)


def test_api_tokens_are_made_listed_and_ended(server, admin):
    secret = admin.run("api-token", "add", "ci", "--role", "viewer", "--days", "3").strip()
    assert call(server, "GET", "/api/v1/session", token=secret).json["role"] == "viewer"
    listed = json.loads(admin.run("api-token", "ls", "--json"))
    assert secret not in json.dumps(listed)
    one = next(row for row in listed if row["name"] == "ci")
    assert one["role"] == "viewer" and one["expires_ms"] == one["created_ms"] + 3 * 86400000
    admin.run("api-token", "rm", str(one["id"]))
    assert call(server, "GET", "/api/v1/session", token=secret).status == 401
    assert "no such API token" in admin.run("api-token", "rm", str(one["id"]), code=1)


def test_passwords_are_asked_for_without_echo(server, person):
    one = person("ann")
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(server.aloft, ["aloft", "join", "--name", "ann"], one.env)
    said = b""

    def expect(words):
        nonlocal said
        while words not in said:
            assert select.select([terminal], [], [], DEADLINE_S)[0], said
            said += os.read(terminal, 4096)

    expect(b"code: ")
    os.write(terminal, (server.data / "setup-code").read_bytes())
    for question in (b"\npassword: ", b"password again: "):
        expect(question)
        os.write(terminal, PASSWORD.encode() + b"\n")
    expect(b"Logged in")
    assert PASSWORD.encode() not in said
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    os.close(terminal)


def test_without_a_terminal_nothing_is_asked(person):
    assert "there is no terminal" in person("ann").run("login", "--name", "ann", code=2)


# -- on the machine itself ----------------------------------------------------------------------------

def test_a_lost_password_is_set_anew_on_the_machine_itself(server, admin):
    data = ("--data", str(server.data))
    new = admin.write("new", "a new password")
    admin.run("account", "set-password", "ann", "--password-file", new, *data)
    said = admin.run("login", "--name", "ann", "--password-file", str(admin.home / "password"), code=1)
    assert "the name or the password is wrong" in said
    admin.run("login", "--name", "ann", "--password-file", new)
    admin.run("account", "add", "eve", "--role", "viewer", "--password-file", new, *data)
    assert "there is an account of this name" in admin.run("account", "add", "eve", "--role", "viewer", "--password-file",
                                                           new, *data, code=1)
    assert "8 to 256 bytes" in admin.run("account", "add", "x", "--role", "viewer", "--password-file",
                                         admin.write("short", "short"), *data, code=1)
    assert "no account of this name" in admin.run("account", "set-password", "bob", "--password-file", new, *data, code=1)
    assert [row["name"] for row in json.loads(admin.run("account", "ls", "--json", *data))] == ["ann", "eve"]
    local = [row for row in json.loads(admin.run("audit", "ls", "--json")) if row["actor"] == "(local)"]
    assert [(row["action"], row["object"]) for row in local] == [("account.added", "eve"), ("account.password_changed", "ann")]


def test_the_first_account_made_on_the_machine_is_an_admin(server, person):
    one = person("ann")
    words = ("account", "add", "ann", "--data", str(server.data), "--password-file", one.write("password", PASSWORD))
    assert "the first account must be one" in one.run(*words, "--role", "viewer", code=1)
    assert (server.data / "setup-code").exists()
    one.run(*words, "--role", "admin")
    assert not (server.data / "setup-code").exists()
    assert "(admin)" in one.run("login", "--name", "ann", "--password-file", str(one.home / "password"))


# -- the audit log ------------------------------------------------------------------------------------

def test_the_audit_log_is_listed_and_verified(server, admin):
    admin.run("product", "add", "lamp", "--layout", LAYOUT)
    listed = admin.run("audit", "ls", "--product", "lamp")
    assert "product.added" in listed and "ann" in listed and "account.joined" not in listed
    said = admin.run("audit", "verify")
    head = said.split()[-1]
    assert said.startswith("The audit log is whole: ") and len(head) == 64
    admin.run("audit", "verify", "--head", head)
    server.stop()
    assert head in admin.run("audit", "verify", "--data", str(server.data), "--head", head)
    with sqlite3.connect(server.data / "aloft.db") as database:
        database.execute("DELETE FROM audit WHERE id = (SELECT max(id) FROM audit)")
    admin.run("audit", "verify", "--data", str(server.data))
    assert "no row has the head you kept" in admin.run("audit", "verify", "--data", str(server.data), "--head", head, code=1)
    with sqlite3.connect(server.data / "aloft.db") as database:
        database.execute("UPDATE audit SET actor = 'eve' WHERE id = 2")
    server.start()
    for where in ((), ("--data", str(server.data))):
        assert "does not fit from row 2 on" in admin.run("audit", "verify", *where, code=1)


def test_who_signs_in_and_who_is_refused_is_in_the_audit_log(server, admin):
    for name, password in (("ann", "wrong"), ("ann", "wrong again"), ("hunter22", "wrong"), ("ann", PASSWORD)):
        call(server, "POST", "/api/v1/session", {"name": name, "password": password}, token="")
    rows = json.loads(admin.run("audit", "ls", "--json"))
    seen = [(row["actor"], row["action"], row["object"]) for row in reversed(rows) if row["action"].startswith("session.")]
    assert seen == [("ann", "session.ended", "ann"), ("(nobody)", "session.refused", "ann"),
                    ("(nobody)", "session.refused", "(unknown)"), ("ann", "session.begun", "ann")]
    assert all(row["address"] == "127.0.0.1" for row in rows)
    everything = json.dumps(rows) + server.log.read_text()
    assert "hunter22" not in everything and PASSWORD not in everything and "wrong" not in everything
