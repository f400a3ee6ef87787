# SPDX-License-Identifier: Apache-2.0
"""TCP proxies on loopback between a module and its server: networks that die, or break off."""

import contextlib
import selectors
import socket
import threading


class StallingProxy:
    """Goes silent after a number of bytes towards the client."""

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


class CuttingProxy:
    """Closes the n-th connection after `cuts[n]` bytes towards the client; those after the last pass whole."""

    def __init__(self, target_port, cuts):
        self._target = ("127.0.0.1", target_port)
        self._cuts = list(cuts)
        self.n_connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)

    def _run(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            left = self._cuts.pop(0) if self._cuts else None
            self.n_connections += 1
            with client, socket.create_connection(self._target, timeout=10) as server:
                with contextlib.suppress(OSError):
                    self._talk(client, server, left)

    @staticmethod
    def _talk(client, server, left):
        """A request, then its answer, up to `left` bytes."""
        head = b""
        while not head.endswith(b"\r\n\r\n") and (data := client.recv(4096)):
            head += data
        server.sendall(head)
        while (left is None or left > 0) and (data := server.recv(4096 if left is None else min(4096, left))):
            client.sendall(data)
            left = left if left is None else left - len(data)
