# SPDX-License-Identifier: Apache-2.0
"""Webhooks: what a receiver gets, when it is tried again, and where nothing is sent."""

import hashlib
import hmac
import http.server
import json
import queue
import re
import threading
import time

import pytest

from api import call, rows
from server import DEADLINE_S, Server, wait_until

ROOT = "/api/v1/webhooks"


class Receiver(http.server.ThreadingHTTPServer):
    """Keeps what it was sent in `got`; answers the statuses of `answers`, then 204."""

    daemon_threads = True

    def __init__(self):
        self.got, self.answers = queue.Queue(), queue.SimpleQueue()
        super().__init__(("127.0.0.1", 0), self.Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/hook?key=1"

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            try:
                status, fields, text = self.server.answers.get_nowait()
            except queue.Empty:
                status, fields, text = 204, {}, b""
            self.send_response(status)
            for name, value in fields.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text)
            self.server.got.put((self.path, self.headers, body))

        do_GET = do_POST

        def log_message(self, *_):
            pass

    def next(self):
        return self.got.get(timeout=DEADLINE_S)


@pytest.fixture
def receiver():
    with Receiver() as one:
        thread = threading.Thread(target=one.serve_forever)
        thread.start()
        yield one
        one.shutdown()
        thread.join(DEADLINE_S)


@pytest.fixture
def hook(server, receiver):
    made = call(server, "POST", ROOT, {"url": receiver.url, "kinds": ["webhook.test", "product.*"]})
    assert made.status == 201, made.body
    yield made.json
    call(server, "DELETE", f"{ROOT}/{made.json['id']}")


def deliveries(server, hook):
    return call(server, "GET", f"{ROOT}/{hook['id']}/deliveries").json["deliveries"]


def try_it(server, hook):
    answer = call(server, "POST", f"{ROOT}/{hook['id']}/test")
    assert answer.status == 202, answer.body
    return answer.json["id"]


def ended(server, hook, number, n_tries=1):
    """The delivery after that many tries."""
    def look():
        return next((one for one in deliveries(server, hook) if one["id"] == number and one["n_tries"] == n_tries), None)
    return wait_until("the try", look)


def add_product(server, name):
    assert call(server, "POST", "/api/v1/products", {"name": name, "layout": "esp32c3_default"}).status == 201


def test_an_event_arrives_signed(server, hook, receiver):
    before = time.time()
    add_product(server, "lamp")
    path, fields, body = receiver.next()
    event = json.loads(body)
    assert path == "/hook?key=1" and fields["Content-Type"] == "application/json"
    assert set(event) == {"id", "kind", "time_ms", "product", "body"}
    assert (event["kind"], event["product"], event["body"]["object"]) == ("product.added", "lamp", "lamp")
    assert fields["Aloft-Event"] == "product.added"
    done = ended(server, hook, int(fields["Aloft-Delivery"]))
    assert (done["state"], done["status"], done["error"], done["event"]) == ("done", 204, None, event["id"])
    seconds, signature = re.fullmatch(r"t=([0-9]+),v1=([0-9a-f]{64})", fields["Aloft-Signature"]).groups()
    assert before - 1 <= int(seconds) <= time.time()
    assert re.fullmatch("[0-9a-f]{64}", hook["secret"])
    assert hmac.new(hook["secret"].encode(), seconds.encode() + b"." + body, hashlib.sha256).hexdigest() == signature


def test_only_the_kinds_asked_for_arrive(server, hook, receiver):
    other = call(server, "POST", "/api/v1/api-tokens", {"name": "other", "role": "viewer"})
    assert other.status == 201
    try_it(server, hook)
    assert receiver.next()[1]["Aloft-Event"] == "webhook.test"
    assert {one["kind"] for one in deliveries(server, hook)} <= {"webhook.test", "product.added"}


def test_a_webhook_of_a_product_gets_its_events_only(server, receiver):
    add_product(server, "kettle")
    hook = call(server, "POST", ROOT, {"url": receiver.url, "product": "kettle"}).json
    assert (hook["product"], hook["kinds"]) == ("kettle", ["*"])
    wait_until("its own event", lambda: receiver.next()[1]["Aloft-Event"] == "webhook.added")
    add_product(server, "fan")
    try_it(server, hook)
    kinds = {receiver.next()[1]["Aloft-Event"] for _ in range(2)}
    assert kinds == {"webhook.test", "webhook.tested"}
    call(server, "DELETE", f"{ROOT}/{hook['id']}")


@pytest.mark.parametrize("status", [302, 400, 404, 500])
def test_what_is_not_2xx_is_tried_again_after_ten_seconds(server, hook, receiver, status):
    receiver.answers.put((status, {"Location": receiver.url}, b""))
    number = try_it(server, hook)
    receiver.next()
    waits = ended(server, hook, number)
    assert (waits["state"], waits["status"], waits["error"]) == ("waiting", status, f"the receiver answered {status}")
    assert waits["ended_ms"] is None and abs(waits["next_ms"] - time.time() * 1000 - 10000) < 5000
    answer = call(server, "POST", f"{ROOT}/{hook['id']}/deliveries/{number}/retry")
    assert (answer.status, answer.json["state"], answer.json["n_tries"]) == (202, "waiting", 0)
    assert receiver.next()[1]["Aloft-Delivery"] == str(number)
    assert ended(server, hook, number)["state"] == "done"
    again = call(server, "POST", f"{ROOT}/{hook['id']}/deliveries/{number}/retry")
    assert (again.status, again.code) == (409, "conflict")
    assert receiver.got.empty()  # a redirect was not followed


def test_410_switches_the_webhook_off(server, hook, receiver):
    receiver.answers.put((410, {}, b""))
    number = try_it(server, hook)
    gone = ended(server, hook, number)
    assert gone["status"] == 410 and "switched off" in gone["error"]
    now = call(server, "GET", f"{ROOT}/{hook['id']}").json
    assert (now["is_active"], now["revision"]) == (False, hook["revision"] + 1)
    for path in ("test", f"deliveries/{number}/retry"):
        answer = call(server, "POST", f"{ROOT}/{hook['id']}/{path}")
        assert (answer.status, answer.code) == (409, "inactive")


def test_a_long_answer_is_not_read_to_its_end(server, hook, receiver):
    receiver.answers.put((200, {"Content-Length": str(1 << 40)}, bytes(65536)))
    assert ended(server, hook, try_it(server, hook))["state"] == "done"


def test_nobody_listening_is_tried_again_and_a_restart_loses_nothing(aloft, tmp_path, receiver):
    with Server(aloft, tmp_path) as server:
        hook = call(server, "POST", ROOT, {"url": "http://127.0.0.1:9/", "kinds": ["product.added"]}).json
        add_product(server, "lamp")
        waits = wait_until("the try", lambda: next((d for d in deliveries(server, hook) if d["n_tries"]), None))
        assert waits["state"] == "waiting" and waits["status"] is None and "connect" in waits["error"].lower()
        assert call(server, "PATCH", f"{ROOT}/{hook['id']}", {"url": receiver.url}).status == 200
        server.stop()
        server.start()
        assert [one["id"] for one in deliveries(server, hook)] == [waits["id"]]
        assert call(server, "POST", f"{ROOT}/{hook['id']}/deliveries/{waits['id']}/retry").status == 202
        assert json.loads(receiver.next()[2])["product"] == "lamp"


@pytest.mark.parametrize("url, allow_http, sentence", [
    ("ftp://example.com/", True, "a webhook's URL begins with https:// or http://"),
    ("file:///etc/passwd", True, "a webhook's URL begins with https:// or http://"),
    ("https://me:secret@example.com/", False, "no user or password"),
    ("https://example.com/#a", False, "nothing behind a '#'"),
    ("http://example.com/", False, "http sends events in the clear"),
    ("http://127.0.0.1.example.com/", False, "http sends events in the clear"),
    ("nonsense", True, "no URL"),
    ("", True, "no URL"),
])
def test_addresses_that_are_refused(server, url, allow_http, sentence):
    answer = call(server, "POST", ROOT, {"url": url, "allow_http": allow_http})
    assert (answer.status, answer.code) == (400, "bad_url") and sentence in answer.message


@pytest.mark.parametrize("url", ["http://169.254.169.254/latest/meta-data/", "http://[fe80::1]/", "http://0.0.0.0/",
                                 "http://[::ffff:169.254.169.254]/", "http://0xa9fea9fe/", "http://100.100.100.200/"])
def test_link_local_and_metadata_addresses_are_never_asked(server, url):
    hook = call(server, "POST", ROOT, {"url": url, "allow_http": True, "kinds": ["webhook.test"]}).json
    failed = ended(server, hook, try_it(server, hook))
    assert failed["error"] == "the host's address is one webhooks may not go to"
    call(server, "DELETE", f"{ROOT}/{hook['id']}")


def test_webhook_private_keeps_this_machine_and_private_networks_out(aloft, tmp_path, receiver):
    with Server(aloft, tmp_path, "--webhook-private", "no") as server:
        for url in (receiver.url, receiver.url.replace("127.0.0.1", "localhost"), "http://10.0.0.1/", "http://[::1]:1/"):
            hook = call(server, "POST", ROOT, {"url": url, "allow_http": True, "kinds": ["webhook.test"]}).json
            assert "may not go to" in ended(server, hook, try_it(server, hook))["error"]
        assert receiver.got.empty()


def test_secrets_are_shown_once_and_given_ones_are_taken(server, receiver):
    for secret, status in (("s" * 16, 201), ("s" * 15, 400), ("s" * 129, 400), ("with a blank in it", 400)):
        answer = call(server, "POST", ROOT, {"url": receiver.url, "secret": secret, "kinds": ["rom.deployed"]})
        assert answer.status == status, answer.body
        if status == 201:
            assert answer.json["secret"] == secret
            path = f"{ROOT}/{answer.json['id']}"
            assert "secret" not in call(server, "GET", path).json
            call(server, "DELETE", path)
    assert "s" * 16 not in server.log.read_text() and not rows(server, "SELECT 1 FROM audit WHERE detail LIKE '%ssss%'")


@pytest.mark.parametrize("kinds", [[], [""], ["rom"], ["rom."], ["Rom.x"], ["*.*"], ["rom.deployed x"], [1], ["a." + "b" * 60]])
def test_kinds_that_are_none(server, receiver, kinds):
    assert call(server, "POST", ROOT, {"url": receiver.url, "kinds": kinds}).status == 400


def test_a_change_goes_by_the_revision(server, hook):
    path = f"{ROOT}/{hook['id']}"
    first = call(server, "GET", path)
    assert first.headers["ETag"] == '"1"'
    changed = call(server, "PATCH", path, {"kinds": ["*"]}, headers={"If-Match": '"1"'})
    assert (changed.status, changed.headers["ETag"], changed.json["kinds"]) == (200, '"2"', ["*"])
    for method, body in (("PATCH", {"kinds": ["*"]}), ("DELETE", None)):
        assert call(server, method, path, body, headers={"If-Match": '"1"'}).status == 412
    assert call(server, "DELETE", path, headers={"If-Match": '"2"'}).status == 204
    assert call(server, "GET", path).status == 404


def test_webhooks_are_an_admins(server, receiver, hook):
    add_product(server, "heater")
    of_heater = call(server, "POST", ROOT, {"url": receiver.url, "product": "heater"}).json
    tokens = {}
    for role in ("viewer", "admin"):
        tokens[role] = call(server, "POST", "/api/v1/api-tokens",
                            {"name": role, "role": role, "product": "heater"}).json["secret"]
    for role, wanted in (("viewer", (403, 404)), ("admin", (200, 404))):
        found = tuple(call(server, "GET", f"{ROOT}/{one['id']}", token=tokens[role]).status for one in (of_heater, hook))
        assert found == wanted
    listed = call(server, "GET", ROOT, token=tokens["admin"]).json["webhooks"]
    assert [one["id"] for one in listed] == [of_heater["id"]]
    new = {"url": receiver.url}
    assert call(server, "POST", ROOT, new, token=tokens["admin"]).status == 403
    assert call(server, "POST", ROOT, new | {"product": "heater"}, token=tokens["viewer"]).status == 403
    assert call(server, "POST", ROOT, new | {"product": "lamp"}, token=tokens["admin"]).status == 404
    call(server, "DELETE", f"{ROOT}/{of_heater['id']}")


def test_the_commands_reach_every_operation(server, receiver):
    made = json.loads(server.cli("webhook", "add", receiver.url, "--kind", "webhook.test", "--json").stdout)
    number = str(made["id"])
    assert re.fullmatch("[0-9a-f]{64}", made["secret"])
    assert server.cli("webhook", "test", number).stdout.startswith("Delivery ")
    assert receiver.next()[1]["Aloft-Event"] == "webhook.test"
    ended(server, made, deliveries(server, made)[0]["id"])
    table = [row.split() for row in server.cli("webhook", "deliveries", number).stdout.splitlines()]
    assert table[0] == ["id", "kind", "state", "tries", "status", "made", "error"]
    assert table[1][1:5] == ["webhook.test", "done", "1", "204"]
    again = server.cli("webhook", "retry", number, table[1][0], check=False)
    assert again.returncode == 1 and "nothing to try again" in again.stderr
    server.cli("webhook", "set", number, "--kind", "rom.*", "--kind", "product.added", "--off")
    listed = next(row for row in json.loads(server.cli("webhook", "ls", "--json").stdout) if row["id"] == made["id"])
    assert (listed["kinds"], listed["is_active"]) == (["rom.*", "product.added"], False)
    assert receiver.url in server.cli("webhook", "ls").stdout
    off = server.cli("webhook", "test", number, check=False)
    assert off.returncode == 1 and "switched off" in off.stderr
    server.cli("webhook", "rm", number)
    assert server.cli("webhook", "rm", number, check=False).returncode == 1
