# SPDX-License-Identifier: Apache-2.0
"""Joining, sessions, API tokens and their limits over the API."""

import contextlib
import hashlib
import signal
import socket
import sqlite3
import time

import pytest

from account_story import cookie_of, sign_in
from api import call, rows
from server import ADMIN, DEADLINE_S, PASSWORD, Server, wait_until

JOIN, SESSION, TOKENS, ACCOUNTS, INVITATIONS, AUDIT, PRODUCTS = (
    "/api/v1/" + word for word in ("join", "session", "api-tokens", "accounts", "invitations", "audit", "products"))


@pytest.fixture
def start(aloft, tmp_path):
    with contextlib.ExitStack() as stack:
        yield lambda *options: stack.enter_context(Server(aloft, tmp_path, *options))


def join(server, name, code=None, password=PASSWORD):
    return call(server, "POST", JOIN, {"name": name, "password": password} | ({"code": code} if code else {}), token="")


def login(server, name, password, **headers):
    return call(server, "POST", SESSION, {"name": name, "password": password}, token="", headers=headers)


def invite(server, **body):
    answer = call(server, "POST", INVITATIONS, body)
    assert answer.status == 201, answer.body
    return answer.json["code"]


def who(server, **headers):
    return call(server, "GET", SESSION, token="", headers=headers)


# -- the first account --------------------------------------------------------------------------------

def test_the_start_shows_a_set_up_code_as_long_as_there_is_no_account(start):
    server = start()
    path = server.data / "setup-code"
    code = path.read_text().strip()
    assert path.stat().st_mode & 0o777 == 0o600
    assert f"aloft join --server {server.url} --name NAME" in server.log.read_text() and code in server.log.read_text()
    assert rows(server, "SELECT count(*) FROM server_fact WHERE value = '%s'" % code) == [(0,)]
    server.kill()
    server.start()
    assert path.read_text().strip() == code
    answer = join(server, "ann", code)
    assert (answer.status, answer.json["role"]) == (201, "admin")
    assert not path.exists()
    assert (join(server, "bob", code).status, join(server, "bob", code).code) == (403, "bad_code")
    shown = server.log.read_text().count(code)
    server.stop()
    server.start()
    assert not path.exists() and server.log.read_text().count(code) == shown


def test_a_database_of_an_earlier_server_keeps_its_token_and_gets_a_set_up_code(start):
    server = start()
    server.stop()
    token = "42" * 32
    with contextlib.closing(sqlite3.connect(server.data / "aloft.db")) as database:
        database.execute("INSERT INTO api_token VALUES (1, ?, NULL, 'admin', 'admin', NULL, 1, 0, 0)",
                         (hashlib.sha256(token.encode()).hexdigest(),))
        database.commit()
    server.start()
    assert call(server, "POST", PRODUCTS, {"name": "lamp", "layout": "esp32c3_default"}, token=token).status == 201
    assert call(server, "GET", SESSION, token=token).json["name"] == "admin"
    answer = call(server, "POST", TOKENS, {"name": "t", "role": "viewer"}, token=token)
    assert (answer.status, answer.code) == (403, "no_account")
    assert join(server, "ann", (server.data / "setup-code").read_text().strip()).status == 201


@pytest.mark.parametrize("name, password, code", [
    ("", PASSWORD, "bad_request"), ("a b", PASSWORD, "bad_request"), ("..", PASSWORD, "bad_request"),
    ("a" * 65, PASSWORD, "bad_request"), ("<b>", PASSWORD, "bad_request"),
    ("ann", "seven77", "bad_password"), ("ann", "x" * 257, "bad_password"), ("ann", "\u00e4" * 129, "bad_password")])
def test_odd_names_and_passwords_are_refused(server, name, password, code):
    answer = join(server, name, "0" * 32, password)
    assert (answer.status, answer.code) == (400, code)


def test_a_password_may_be_any_text(start):
    server = start()
    password = "\u00e4\u6f22\U0001f511 '\"\\%00 -- ;<>"
    assert join(server, "ann", (server.data / "setup-code").read_text().strip(), password).status == 201
    assert login(server, "ann", password).status == 201
    assert login(server, "ann", password + " ").status == 401


# -- who may join -------------------------------------------------------------------------------------

def test_joining_follows_the_setting_which_sighup_changes(start):
    server = start("--join", "open")
    config = server.data / "aloft.conf"
    code = invite(server, role="viewer")
    answer = join(server, "open")
    assert (answer.status, answer.json["role"]) == (201, "none")
    assert call(server, "GET", PRODUCTS, token="", headers={"Cookie": cookie_of(answer)}).json["products"] == []
    server.stop()
    server.options = ()
    config.write_text("join = closed\n")
    server.start()
    assert (join(server, "bob", code).status, join(server, "bob", code).code) == (403, "join_closed")
    config.write_text("join = invitation\n")
    server.process.send_signal(signal.SIGHUP)
    wait_until("the reload", lambda: "serve.reloaded" in server.log.read_text())
    assert (join(server, "bob").status, join(server, "bob").code) == (403, "bad_code")
    assert join(server, "bob", code).json["role"] == "viewer"


def test_an_invitation_is_spent_with_the_account_and_not_without(server):
    code = invite(server, role="viewer", note="Bob")
    assert join(server, ADMIN, code).status == 409
    assert join(server, "once", code).status == 201
    assert join(server, "twice", code).status == 403


# -- sessions -----------------------------------------------------------------------------------------

def test_the_cookie_is_for_the_browser_alone(server):
    server.api_token
    assert login(server, ADMIN, PASSWORD).headers["Set-Cookie"].split("; ", 1)[1] == "HttpOnly; SameSite=Strict; Path=/"
    # Nobody has named a proxy: what anybody says of themselves counts for nothing.
    answer = login(server, ADMIN, PASSWORD, **{"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.9"})
    assert "Secure" not in answer.headers["Set-Cookie"]
    assert call(server, "GET", AUDIT + "?action=session.begun&limit=1").json["audit"][0]["address"] == "127.0.0.1"


def test_behind_a_named_proxy_the_cookie_is_secure_and_the_address_is_the_browsers(start):
    server = start("--console-proxies", "127.0.0.0/8")
    server.api_token
    answer = login(server, ADMIN, PASSWORD, **{"X-Forwarded-Proto": "https", "X-Forwarded-For": "10.0.0.1, 192.0.2.9"})
    assert answer.headers["Set-Cookie"].endswith("; Secure")
    assert call(server, "GET", AUDIT + "?action=session.begun&limit=1").json["audit"][0]["address"] == "192.0.2.9"
    answer = login(server, ADMIN, PASSWORD, **{"X-Forwarded-Proto": "http", "X-Forwarded-For": "nonsense"})
    assert "Secure" not in answer.headers["Set-Cookie"]
    assert call(server, "GET", AUDIT + "?action=session.begun&limit=1").json["audit"][0]["address"] == "127.0.0.1"


def test_a_session_ends_by_signing_out_and_by_time(server):
    server.api_token
    headers = sign_in(server)
    assert who(server, **headers).json["kind"] == "session"
    answer = call(server, "DELETE", SESSION, token="", headers=headers)
    assert answer.status == 204 and "aloft_session=; " in answer.headers["Set-Cookie"] and "Max-Age=0" in answer.headers["Set-Cookie"]
    assert who(server, **headers).status == 401
    headers = sign_in(server)
    server.stop()
    with contextlib.closing(sqlite3.connect(server.data / "aloft.db")) as database:
        database.execute("UPDATE session SET expires_ms = ?", (int(time.time() * 1000),))
        database.commit()
    server.start()
    assert who(server, **headers).status == 401


def test_secrets_are_kept_as_hashes_only(server):
    code = invite(server, role="viewer")
    cookie = cookie_of(login(server, ADMIN, PASSWORD)).split("=")[1]
    assert len(cookie) == 64
    for name in ("aloft.db", "aloft.db-wal"):
        data = (server.data / name).read_bytes()
        for secret in (code, cookie, server.api_token, PASSWORD):
            assert secret.encode() not in data
    assert not {code, cookie, server.api_token, PASSWORD} & set(server.log.read_text().split())


def test_a_new_password_ends_all_sessions(server):
    join(server, "pat", invite(server, role="viewer"))
    first, second = sign_in(server, "pat"), sign_in(server, "pat")
    body = {"password": PASSWORD, "new_password": "another battery"}
    assert call(server, "POST", SESSION + "/password", body, token="", headers=first).status == 204
    assert who(server, **first).status == who(server, **second).status == 401
    assert login(server, "pat", PASSWORD).status == 401
    third = sign_in(server, "pat", "another battery")
    assert call(server, "PATCH", ACCOUNTS + "/pat", {"password": "by the admin"}).status == 200
    assert who(server, **third).status == 401
    assert login(server, "pat", "by the admin").status == 201


# -- guessing -----------------------------------------------------------------------------------------

def test_guessing_is_put_off_alike_for_accounts_there_are_and_are_not(start):
    server = start("--console-proxies", "127.0.0.0/8")
    server.api_token

    def guess(name, address):
        return login(server, name, "wrong wrong", **{"X-Forwarded-For": address})

    def guess_until_put_off(name_of, address_of):
        """The answers; a slow machine may need more than the sixth, since the first pauses are short."""
        said = []
        while not said or said[-1].status == 401:
            said.append(guess(name_of(len(said)), address_of(len(said))))
        assert len(said) > 5 and said[-1].status == 429
        assert int(said[-1].headers["Retry-After"]) >= 1 and said[-1].code == "too_many_attempts"
        return said[:-1]

    wrong = {guess("x", "192.0.2.200").body}
    for name in (ADMIN, "nobody"):  # from many addresses: the account is put off
        said = guess_until_put_off(lambda i: name, lambda i: f"192.0.{len(name)}.{i}")
        assert {answer.body for answer in said} == wrong
        n_admin = len(said) if name == ADMIN else n_admin
    guess_until_put_off(lambda i: f"name{i}", lambda i: f"2001:db8::{i}:1")  # many names: the address is, with its network
    assert login(server, "free", "wrong wrong", **{"X-Forwarded-For": "2001:db8:0:1::1"}).status == 401
    # Who has a session or an API token is not put off.
    assert call(server, "GET", SESSION).status == 200
    refused = rows(server, "SELECT object, count(*) FROM audit WHERE action = 'session.refused' AND object = 'admin' GROUP BY object")
    assert refused == [("admin", n_admin)]  # one for each address


def test_a_success_forgives_the_account(start):
    server = start("--console-proxies", "127.0.0.0/8")
    server.api_token
    for i in range(3):
        for j in range(4):
            assert login(server, ADMIN, "wrong wrong", **{"X-Forwarded-For": f"192.0.{i}.{j}"}).status == 401
        assert login(server, ADMIN, PASSWORD, **{"X-Forwarded-For": "198.51.100.1"}).status == 201


# -- API tokens ---------------------------------------------------------------------------------------

def test_an_api_token_can_make_none_that_can_more_or_lasts_longer(server):
    call(server, "POST", PRODUCTS, {"name": "scope", "layout": "esp32c3_default"})
    call(server, "POST", PRODUCTS, {"name": "beyond", "layout": "esp32c3_default"})
    made = call(server, "POST", TOKENS, {"name": "t", "role": "operator", "product": "scope", "days": 2}).json

    def add(**body):
        answer = call(server, "POST", TOKENS, {"name": "u", "role": "operator", "product": "scope", "days": 1} | body,
                      token=made["secret"])
        return answer.status

    assert add() == 201
    assert add(role="admin") == 403
    assert add(days=3) == 403
    assert call(server, "POST", TOKENS, {"name": "u", "role": "viewer", "product": "scope"}, token=made["secret"]).status == 403
    assert call(server, "POST", TOKENS, {"name": "u", "role": "viewer", "days": 1}, token=made["secret"]).status == 403
    assert add(product="beyond") == 404


def test_who_has_lost_the_right_before_the_body_is_complete_changes_nothing(server):
    made = call(server, "POST", TOKENS, {"name": "slow", "role": "admin"}).json
    body = b'{"name": "late", "layout": "esp32c3_default"}'
    head = (f"POST {PRODUCTS} HTTP/1.1\r\nHost: aloft\r\nAuthorization: Bearer {made['secret']}\r\nConnection: close\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n").encode()
    with socket.create_connection(("127.0.0.1", server.console_port), timeout=DEADLINE_S) as slow:
        slow.sendall(head)
        assert slow.recv(100).startswith(b"HTTP/1.1 100 ")  # the head was found right
        assert call(server, "DELETE", f"{TOKENS}/{made['id']}").status == 204
        slow.sendall(body)
        assert slow.recv(100).startswith(b"HTTP/1.1 401 ")
    assert call(server, "GET", PRODUCTS + "/late").status == 404


def test_tokens_of_others_are_not_there(server):
    join(server, "tom", invite(server, role="viewer"))
    tom = sign_in(server, "tom")
    theirs = call(server, "POST", TOKENS, {"name": "mine", "role": "viewer"}, token="", headers=tom).json
    listed = call(server, "GET", TOKENS, token="", headers=tom).json["api_tokens"]
    assert [row["id"] for row in listed] == [theirs["id"]]
    ours = call(server, "POST", TOKENS, {"name": "ours", "role": "viewer"}).json["id"]
    assert call(server, "DELETE", f"{TOKENS}/{ours}", token="", headers=tom).status == 404
    for wrong in ("0", "-1", "x", "1x", "99999999999999999999"):
        assert call(server, "DELETE", f"{TOKENS}/{wrong}").status == 404
    assert call(server, "DELETE", f"{TOKENS}/{theirs['id']}").status == 204  # an admin may


def test_lists_come_in_pages(server):
    for i in range(5):
        call(server, "POST", TOKENS, {"name": f"page{i}", "role": "viewer"})
    for path, member in ((TOKENS, "api_tokens"), (ACCOUNTS, "accounts"), (AUDIT, "audit"), (INVITATIONS, "invitations")):
        whole = call(server, "GET", path + "?limit=1000").json[member]
        pieces, cursor = [], ""
        while cursor is not None:
            page = call(server, "GET", f"{path}?limit=2{cursor and '&cursor=' + cursor}").json
            pieces += page[member]
            cursor = page["next"]
        assert [{**row, "used_ms": 0} for row in pieces] == [{**row, "used_ms": 0} for row in whole], path


# -- admins -------------------------------------------------------------------------------------------

def test_the_last_admin_stays(start):
    server = start()
    one = f"{ACCOUNTS}/{ADMIN}"
    for body in ({"role": "operator"}, {"is_active": False}):
        answer = call(server, "PATCH", one, body)
        assert (answer.status, answer.code) == (409, "last_admin")
    assert call(server, "DELETE", one).status == 409
    assert call(server, "PATCH", one, {"role": "admin", "is_active": True}).status == 200
    join(server, "second", invite(server, role="admin"))
    assert call(server, "PATCH", f"{ACCOUNTS}/second", {"is_active": False}).status == 200
    assert call(server, "DELETE", one).status == 409  # one who may not sign in is none
    assert call(server, "PATCH", f"{ACCOUNTS}/second", {"is_active": True}).status == 200
    assert call(server, "DELETE", one).status == 204
    assert call(server, "GET", ACCOUNTS).status == 401  # and its API token is gone with it


def test_a_product_admin_reads_the_audit_log_of_the_product_only(server):
    call(server, "POST", PRODUCTS, {"name": "audited", "layout": "esp32c3_default"})
    join(server, "pam", invite(server, role="admin", product="audited"))
    pam = sign_in(server, "pam")
    seen = call(server, "GET", AUDIT + "?product=audited", token="", headers=pam).json["audit"]
    assert {row["product"] for row in seen} == {"audited"} and seen
    assert call(server, "GET", AUDIT, token="", headers=pam).status == 403
    assert call(server, "GET", AUDIT + "?product=", token="", headers=pam).status == 404
    assert call(server, "GET", AUDIT + "/verify", token="", headers=pam).status == 403
