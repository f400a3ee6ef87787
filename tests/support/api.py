# SPDX-License-Identifier: Apache-2.0
"""The console plane and the data folder as tests look at them: raw bytes in, status and JSON out, files and rows."""

import http.client
import json
import pathlib
import re
import socket
import sqlite3
import time

TIMEOUT_S = 30


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        return self.json["code"]

    @property
    def message(self):
        return self.json["detail"]


class Stream:
    """An event stream: what comes, as (id, kind, data)."""

    def __init__(self, server, query="", token=None, headers=None):
        self.connection = http.client.HTTPConnection("127.0.0.1", server.console_port, timeout=TIMEOUT_S)
        fields = {"Authorization": f"Bearer {token or server.api_token}"} | (headers or {})
        self.connection.request("GET", "/api/v1/events" + query, None, fields)
        self.answer = self.connection.getresponse()
        assert self.answer.status == 200, self.answer.read()
        assert self.answer.headers["Content-Type"] == "text/event-stream"
        assert self.answer.readline() == b": events of Aloft\n" and self.answer.readline() == b"\n"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def block(self):
        """The lines up to the next empty one; none at the end."""
        lines = []
        while (line := self.answer.readline().decode()) not in ("\n", ""):
            lines.append(line.rstrip("\n"))
        return lines

    def next(self):
        """The next event, past heartbeats; None at the end of the stream."""
        while (lines := self.block()) == [": heartbeat"]:
            pass
        if not lines:
            return None
        fields = dict(line.split(": ", 1) for line in lines)
        assert set(fields) == {"id", "event", "data"}, fields
        data = json.loads(fields["data"])
        assert (int(fields["id"]), fields["event"]) == (data["id"], data["kind"])
        return data


def call(server, method, path, body=None, content_type="application/json", token=None, headers=None, timeout=TIMEOUT_S):
    """One request with the admin token (or `token`; "" = none); a dict or list as body becomes JSON."""
    if body is not None and not isinstance(body, (bytes, str)):
        body = json.dumps(body)
    fields = {"Authorization": f"Bearer {server.api_token if token is None else token}"} if token != "" else {}
    if body is not None and content_type:
        fields["Content-Type"] = content_type
    connection = http.client.HTTPConnection("127.0.0.1", server.console_port, timeout=timeout)
    try:
        connection.request(method, path, body, fields | (headers or {}))
        answer = connection.getresponse()
        is_endless = answer.headers["Content-Type"] == "text/event-stream"
        return Answer(answer.status, answer.headers, answer.readline() if is_endless else answer.read())
    finally:
        connection.close()


def upload(server, product, data, version="v1", name="ota.bin"):
    return call(server, "POST", f"/api/v1/products/{product}/uploads?name={name}&version={version}", data,
                "application/octet-stream")


def talk(port, data):
    """Send raw bytes, then read until the server closes: all it said."""
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S) as connection:
        connection.sendall(data)
        said = b""
        try:
            while piece := connection.recv(65536):
                said += piece
        except ConnectionResetError:
            pass
        except TimeoutError as late:
            raise AssertionError(f"the connection was not closed after {said!r}") from late
        return said


def statuses(said):
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", said)]


def blob_files(server):
    """Names of all files in the blob store, unfinished ones with their folder."""
    root = pathlib.Path(server.data) / "blobs"
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def fill_uploads(server, n):
    """`n` uploads of the first product that wait to be made ROMs; their ids begin with `waiting`."""
    database = sqlite3.connect(f"{server.data}/aloft.db", timeout=TIMEOUT_S)
    try:
        database.executemany("INSERT INTO upload (id, product_id, version, name, sha256, size_bytes, created_ms, findings) "
                             "VALUES (?, (SELECT min(id) FROM product), 'v1', 'ota.bin', ?, 1, ?, '[]')",
                             [(f"waiting{i}", "0" * 64, time.time_ns() // 1_000_000) for i in range(n)])
        database.commit()
    finally:
        database.close()


def rows(server, sql):
    database = sqlite3.connect(f"file:{server.data}/aloft.db?mode=ro", uri=True)
    try:
        return database.execute(sql).fetchall()
    finally:
        database.close()


def list_all(server, path, member):
    """All items of a list, page by page."""
    found, cursor = [], ""
    while cursor is not None:
        page = call(server, "GET", f"{path}?limit=1000&cursor={cursor}" if cursor else f"{path}?limit=1000").json
        found += page[member]
        cursor = page["next"]
    return found
