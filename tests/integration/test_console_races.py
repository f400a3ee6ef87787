# SPDX-License-Identifier: Apache-2.0
"""What two requests of the same moment, or a slow one and a change meanwhile, can bring about on the console plane."""

import concurrent.futures
import contextlib
import http.client
import json
import select
import socket
import time

import pytest

from api import Stream, call, fill_uploads, rows, upload
from server import PASSWORD, Server, wait_until

JOIN, TOKENS, PRODUCTS = ("/api/v1/" + word for word in ("join", "api-tokens", "products"))
AT_ONCE = 8
ROUNDS = 10
TIMEOUT_S = 30


@pytest.fixture
def start(aloft, tmp_path):
    with contextlib.ExitStack() as stack:
        yield lambda *options: stack.enter_context(Server(aloft, tmp_path, *options))


def all_at_once(jobs):
    with concurrent.futures.ThreadPoolExecutor(len(jobs)) as pool:
        return [job.result() for job in [pool.submit(job) for job in jobs]]


def test_of_many_joins_by_one_code_at_once_one_succeeds(start):
    server = start()
    code = (server.data / "setup-code").read_text().strip()
    answers = all_at_once([lambda i=i: call(server, "POST", JOIN, {"name": f"ann{i}", "password": PASSWORD, "code": code},
                                            token="") for i in range(4)])
    assert sorted(answer.status for answer in answers) == [201, 403, 403, 403]
    assert rows(server, "SELECT count(*) FROM account") == [(1,)]


def all_but_the_last_byte(server, path, body, **fields):
    """A connection whose POST is complete with one more `}`."""
    body = json.dumps(body).encode()
    head = {"Host": "x", "Authorization": f"Bearer {server.api_token}", "Content-Type": "application/json",
            "Content-Length": len(body)} | {name.replace("_", "-"): value for name, value in fields.items()}
    connection = socket.create_connection(("127.0.0.1", server.console_port), timeout=TIMEOUT_S)
    connection.sendall(f"POST {path} HTTP/1.1\r\n".encode() +
                       "".join(f"{name}: {value}\r\n" for name, value in head.items()).encode() + b"\r\n" + body[:-1])
    return connection


def answers_of(connections):
    for connection in connections:
        connection.sendall(b"}")
    for connection in connections:
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        yield answer.status, json.loads(answer.read())
        connection.close()


def test_of_many_requests_with_one_key_at_once_one_has_an_effect_and_all_its_answer(start):
    server = start()
    for i in range(ROUNDS):
        new = {"name": f"lamp{i}", "layout": "esp32c3_default"}
        answers = list(answers_of([all_but_the_last_byte(server, PRODUCTS, new, Idempotency_Key=f"p{i}")
                                   for _ in range(AT_ONCE)]))
        assert [status for status, _ in answers] == [201] * AT_ONCE, answers
        assert all(body == answers[0][1] for _, body in answers)
        part = {"name": "ota.bin", "version": "v1", "size_bytes": 10}
        answers = list(answers_of([all_but_the_last_byte(server, f"{PRODUCTS}/lamp{i}/partial-uploads", part,
                                                         Idempotency_Key=f"u{i}") for _ in range(AT_ONCE)]))
        assert {status for status, _ in answers} == {201}, answers
        assert len({body["id"] for _, body in answers}) == 1
        token = {"name": f"ci{i}", "role": "viewer"}
        answers = list(answers_of([all_but_the_last_byte(server, TOKENS, token, Idempotency_Key=f"t{i}")
                                   for _ in range(AT_ONCE)]))
        assert sorted(status for status, _ in answers) == [201] + [409] * (AT_ONCE - 1), answers
        assert {body["code"] for status, body in answers if status == 409} == {"done_before"}
    assert rows(server, "SELECT count(*) FROM audit WHERE action = 'product.added'") == [(ROUNDS,)]
    assert rows(server, "SELECT count(*) FROM api_token WHERE name LIKE 'ci%'") == [(ROUNDS,)]


def test_of_many_new_passwords_at_once_one_counts(start):
    """Also: whoever knows the old one cannot undo what an admin has set meanwhile."""
    server = start()
    connections = [all_but_the_last_byte(server, "/api/v1/session/password",
                                         {"password": PASSWORD, "new_password": f"another battery {i}"}) for i in range(4)]
    for connection in connections:
        connection.sendall(b"}")
    found = []
    for connection in connections:
        with connection:
            found.append(connection.recv(12)[-3:])
    assert sorted(found) == [b"204", b"403", b"403", b"403"]


def test_an_api_token_of_one_product_does_not_tell_the_names_of_others(start):
    server = start()
    for name in ("lamp", "secret"):
        assert call(server, "POST", PRODUCTS, {"name": name, "layout": "esp32c3_default"}).status == 201
        assert call(server, "PUT", f"/api/v1/accounts/admin/grants/{name}", {"role": "viewer"}).status == 200
    token = call(server, "POST", TOKENS, {"name": "ci", "role": "viewer", "product": "lamp"}).json["secret"]
    assert call(server, "GET", "/api/v1/session", token=token).json["grants"] == [{"product": "lamp", "role": "viewer"}]


def test_a_body_that_trickles_is_cut(start):
    """Of somebody nobody knows: sign-in takes a body from everybody."""
    server = start()
    deadline = time.monotonic() + 60
    with socket.create_connection(("127.0.0.1", server.console_port), timeout=TIMEOUT_S) as connection:
        connection.sendall(b"POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                           b"Content-Length: 60000\r\n\r\n")
        while not select.select([connection], [], [], 0.5)[0]:
            assert time.monotonic() < deadline, "it is still taken"
            connection.sendall(b" ")
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(1000) == b""
    assert "api.too_slow" in server.log.read_text()


def test_an_event_stream_shows_nothing_to_somebody_who_may_no_longer_see_it(start):
    server = start()
    code = call(server, "POST", "/api/v1/invitations", {"role": "admin"}).json["code"]
    joined = call(server, "POST", JOIN, {"name": "bob", "password": PASSWORD, "code": code}, token="")
    session = {"Cookie": joined.headers["Set-Cookie"].split(";")[0], "Aloft-Csrf": joined.json["csrf"]}
    token = call(server, "POST", TOKENS, {"name": "watch", "role": "admin"}, token="", headers=session).json["secret"]
    with Stream(server, token=token) as stream:
        assert call(server, "PATCH", "/api/v1/accounts/bob", {"role": "none"}).status == 200
        assert call(server, "POST", PRODUCTS, {"name": "lamp", "layout": "esp32c3_default"}).status == 201
        assert call(server, "PATCH", "/api/v1/accounts/bob", {"is_active": False}).status == 200
        assert stream.next() is None


def test_uploads_that_are_no_roms_yet_are_bounded(start):
    server = start()
    assert call(server, "POST", PRODUCTS, {"name": "lamp", "layout": "esp32c3_default"}).status == 201
    partials, new = PRODUCTS + "/lamp/partial-uploads", {"name": "ota.bin", "version": "v1", "size_bytes": 10}
    one = call(server, "POST", partials, new).json["id"]
    fill_uploads(server, 255)
    for answer in (call(server, "POST", partials, new), upload(server, "lamp", b"x")):
        assert (answer.status, answer.code) == (409, "too_many_uploads")
        assert answer.message == "256 uploads of this product wait to be made ROMs; deploy or remove some"
    assert call(server, "DELETE", f"{partials}/{one}").status == 204
    assert call(server, "POST", partials, new).status == 201


def test_more_connections_at_once_than_there_is_room_for_are_told_so_and_do_no_harm(start):
    server = start()
    head = (b"POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Content-Length: 2\r\n\r\n{")
    connections = []
    for _ in range(540):  # one after the other: a crowd without heads is cut earlier
        connections.append(socket.create_connection(("127.0.0.1", server.console_port), timeout=TIMEOUT_S))
        connections[-1].sendall(head)
    found = set()
    for connection in connections:
        with connection, contextlib.suppress(ConnectionError):
            connection.sendall(b"}")
            found.add(connection.recv(12))
    assert found - {b""} == {b"HTTP/1.1 400", b"HTTP/1.1 503"}
    wait_until("an answer", lambda: call(server, "GET", "/healthz", token="").status == 200)
