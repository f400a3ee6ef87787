# SPDX-License-Identifier: Apache-2.0
"""Run in a network namespace of its own (capture.in_namespace): a server, the stock client, and a look at the wire.
Prints one JSON object per answer: the payload length of its first segment, or its first TLS records."""

import json
import sys
import tempfile

from capture import Capture, set_up_loopback, tls_records
from server import Server
from stock_client import StockClient, Target

VERSION = "v1.1.0.0"
APPLICATION_DATA = 23


def observe(client, name, act, server_port):
    capture = Capture()
    act()
    sent = [s for s in capture.stop(server_port) if s.source == server_port]
    stream = b"".join(s.payload for s in sent)
    fact = {"answer": name, "tls": client.tls}
    if client.tls:
        fact["records"] = [length for kind, length in tls_records(stream) if kind == APPLICATION_DATA]
        fact["alerts"] = sum(kind == 21 for kind, _ in tls_records(stream))
    else:
        blank = stream.find(b"\r\n\r\n") + 4
        fact |= {"head": blank, "body": len(stream) - blank, "first_segment": len(sent[0].payload)}
    print(json.dumps(fact))


def main():
    set_up_loopback()
    with tempfile.TemporaryDirectory() as folder, Server(sys.argv[1], folder) as server:
        tokens = server.deploy("look", "esp32c3_default", VERSION, size="256k")
        for tls, port in ((False, server.modules_port), (True, server.modules_tls_port)):
            client = StockClient("127.0.0.1", port, tokens[tls], tls)
            observe(client, "version", client.version, port)
            observe(client, "list", client.version_list, port)
            observe(client, "file", lambda c=client: c.file(VERSION, Target()), port)


if __name__ == "__main__":
    main()
