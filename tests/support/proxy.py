# SPDX-License-Identifier: Apache-2.0
"""A TCP proxy on loopback that goes silent after a number of bytes towards the client: a network that dies."""

import selectors
import socket
import threading


class StallingProxy:
    def __init__(self, target_port, after_bytes):
        self._target = ("127.0.0.1", target_port)
        self._left = after_bytes
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.stalled = threading.Event()  # set when the last byte of the budget has gone
        self._wake, self._waker = socket.socketpair()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._waker.send(b"x")
        self._thread.join(10)
        assert not self._thread.is_alive(), "the proxy did not end"

    def _run(self):
        peers = {}  # socket -> (other side, True if towards the client)
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._wake, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    if key.fileobj is self._wake:
                        for sock in [*peers, self._listener, self._wake, self._waker]:
                            sock.close()
                        return
                    if key.fileobj is self._listener:
                        self._accept(selector, peers)
                    elif key.fileobj in peers:
                        self._forward(selector, peers, key.fileobj)

    def _accept(self, selector, peers):
        client, _ = self._listener.accept()
        try:
            server = socket.create_connection(self._target, timeout=10)
        except OSError:
            client.close()
            return
        peers[client], peers[server] = (server, False), (client, True)
        selector.register(client, selectors.EVENT_READ)
        selector.register(server, selectors.EVENT_READ)

    def _forward(self, selector, peers, sock):
        other, is_towards_client = peers[sock]
        if is_towards_client and self._left == 0:
            selector.unregister(sock)  # silence: neither bytes nor FIN
            return
        try:
            data = sock.recv(min(4096, self._left) if is_towards_client else 4096)
            other.sendall(data)
        except OSError:
            data = b""
        if is_towards_client:
            self._left -= len(data)
            if self._left == 0:
                self.stalled.set()
        if not data:
            for end in (sock, other):
                peers.pop(end)
                if end.fileno() in selector.get_map():
                    selector.unregister(end)
                end.close()
