# SPDX-License-Identifier: Apache-2.0
"""/healthz, /readyz and /metrics: what monitoring asks."""

import re

import app_image
from api import call, talk, upload
from server import Server, wait_until

TYPE = "text/plain; version=0.0.4; charset=utf-8"
NAME, LABEL = r"[a-zA-Z_:][a-zA-Z0-9_:]*", r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\\\|\\"|\\n)*"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? ([0-9]+)\Z")


def parse(text):
    """{(name, labels): value} of the text format 0.0.4, read strictly; HELP and TYPE come before the samples."""
    assert text.endswith("\n") and "\r" not in text
    found, types, helps, family = {}, {}, set(), None
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            name, words = line[7:].split(" ", 1)
            assert re.fullmatch(NAME, name) and words and name not in helps, line
            helps.add(name)
        elif line.startswith("# TYPE "):
            family, kind = line[7:].split(" ")
            assert family in helps and family not in types and kind in ("counter", "gauge"), line
            assert (kind == "counter") == family.endswith("_total"), line
            types[family] = kind
        else:
            match = SAMPLE.match(line)
            assert match, line
            name, labels, value = match.groups()
            assert name == family and (name, labels or "") not in found, line
            found[name, labels or ""] = int(value)
    assert set(types) == helps
    return found


def read(server, **arguments):
    answer = call(server, "GET", "/metrics", **arguments)
    assert (answer.status, answer.headers["Content-Type"]) == (200, TYPE), answer.body
    return parse(answer.body.decode())


def get(server, path, token):
    return talk(server.modules_port, b"GET %s HTTP/1.0\r\nHost: a\r\nAuthorization: token %s\r\n\r\n"
                % (path, token.encode()))


def test_the_metrics_count_what_happened(server):
    before = read(server)
    assert before["aloft_products", ""] == 0 and before["aloft_accounts", ""] == 1
    assert any(name == "aloft_build_info" and re.fullmatch(r'version="[0-9.]+.*"', labels) for name, labels in before)
    image = app_image.make()
    status, product = server.api("POST", "/api/v1/products", b'{"name": "lamp", "layout": "esp32c3_default"}',
                                 {"Content-Type": "application/json"})
    assert status == 201
    sent = upload(server, "lamp", image).json["upload"]
    assert call(server, "POST", "/api/v1/products/lamp/roms",
                {"version": "v1", "use": True, "files": [{"name": "ota.bin", "upload": sent}]}).status == 201
    get(server, b"/v1/device/rom/?is_format_simple=true", product["token"])
    get(server, b"/v1/device/rom/?is_format_simple=true", "0" * 40)
    assert image in get(server, b"/v1/device/rom/?action=download_rom&version=v1&filename=ota.bin", product["token"])
    delivered = "aloft_contacts_total", 'kind="file",outcome="FILE_DELIVERED"'
    after = wait_until("the download", lambda: (lambda m: m.get(delivered) and m)(read(server)))
    assert after["aloft_contacts_total", 'kind="version",outcome="VERSION_TOLD"'] == 1
    assert after["aloft_contacts_total", 'kind="version",outcome="UNKNOWN_TOKEN"'] == 1
    assert after["aloft_file_sent_bytes_total", ""] == after["aloft_file_acked_bytes_total", ""] == len(image)
    def attempts():
        return {labels: n for (name, labels), n in read(server).items() if name == "aloft_attempts_total"}

    wait_until("both attempts", lambda: attempts() == {'state="delivered",cause=""': 1,
                                                       'state="failed",cause="unknown_token"': 1})
    assert after["aloft_downloads_running", ""] == after["aloft_contacts_dropped_total", ""] == 0
    assert after["aloft_products", ""] == after["aloft_roms", ""] == 1
    assert after["aloft_blob_bytes", ""] == len(image)
    assert after["aloft_database_bytes", ""] > 4096
    assert after["aloft_api_requests_total", 'status="2xx"'] >= before["aloft_api_requests_total", 'status="2xx"'] + 4
    refused = after["aloft_api_requests_total", 'status="4xx"']
    assert call(server, "GET", "/nothing").status == 404
    assert read(server)["aloft_api_requests_total", 'status="4xx"'] == refused + 1


def test_the_metrics_need_the_role_viewer_for_every_product(server):
    answer = call(server, "GET", "/metrics", token="")
    assert (answer.status, answer.code) == (401, "unauthorized")
    made = call(server, "POST", "/api/v1/api-tokens", {"name": "one", "role": "viewer", "product": "lamp"}).json
    answer = call(server, "GET", "/metrics", token=made["secret"])
    assert (answer.status, answer.code) == (403, "forbidden")
    made = call(server, "POST", "/api/v1/api-tokens", {"name": "all", "role": "viewer"}).json
    read(server, token=made["secret"])


def test_metrics_open_lets_programs_of_this_machine_read_them_but_nobody_behind_a_proxy(aloft, tmp_path):
    with Server(aloft, tmp_path, "--metrics-open", "yes", "--console-proxies", "127.0.0.1") as server:
        read(server, token="")
        answer = call(server, "GET", "/metrics", token="", headers={"X-Forwarded-For": "192.0.2.7"})
        assert answer.status == 401


def test_the_server_is_there_and_ready(server):
    for path, status in (("/healthz", "ok"), ("/readyz", "ready")):
        answer = call(server, "GET", path, token="")
        assert (answer.status, answer.json) == (200, {"status": status})
