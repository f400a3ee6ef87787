# SPDX-License-Identifier: Apache-2.0
"""The control socket of a running server: who may connect, and what it makes of any line."""

import contextlib
import json
import os
import pathlib
import resource
import signal
import socket
import stat
import subprocess

import pytest

from server import DEADLINE_S, Server, wait_until

LINE_MAX = 65536


@contextlib.contextmanager
def connected(server):
    """A connection to the socket; the folder's path may be too long for an address."""
    folder = os.open(server.data, os.O_PATH)
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.settimeout(DEADLINE_S)
            one.connect(f"/proc/self/fd/{folder}/control.sock")
            yield one
    finally:
        os.close(folder)


def read_line(one):
    line = b""
    while not line.endswith(b"\n"):
        piece = one.recv(1)
        if not piece:
            break
        line += piece
    return line


def ask(server, line):
    with connected(server) as one:
        one.sendall(line)
        return json.loads(read_line(one))


def test_status_says_what_runs(server):
    answer = ask(server, b'{"command": "status"}\n')
    assert answer == {"ok": True, "pid": server.process.pid, "started_ms": answer["started_ms"],
                      "modules": server.modules_port, "modules_tls": server.modules_tls_port,
                      "console": server.console_port}
    assert json.loads(server.cli("status", "--data", str(server.data), "--json").stdout)["pid"] == server.process.pid
    assert f"pid          {server.process.pid}\n" in server.cli("status", "--data", str(server.data)).stdout


def test_the_socket_is_its_owners_alone(server):
    mode = (server.data / "control.sock").stat().st_mode
    assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_another_user_gets_no_answer_even_if_the_modes_were_changed(aloft, tmp_path):
    with Server(aloft, tmp_path) as server:
        (server.data / "control.sock").chmod(0o666)
        with connected(server) as ours:  # root opens the way, the child asks as nobody
            ours.sendall(b'{"command": "status"}\n')
            assert b'"ok":true' in read_line(ours)
        folder = os.open(server.data, os.O_PATH)
        code = (f"import os, socket\nos.fchdir({folder})\nos.setgid(65534)\nos.setuid(65534)\n"
                "s = socket.socket(socket.AF_UNIX)\ns.settimeout(30)\ns.connect('control.sock')\n"
                "try:\n    s.sendall(b'{\"command\": \"status\"}\\n')\n    print(s.recv(99))\n"
                "except (BrokenPipeError, ConnectionResetError):\n    print(b'')\n")
        server.data.chmod(0o755)
        done = subprocess.run(["python3", "-c", code], capture_output=True, text=True, pass_fds=[folder], timeout=60,
                              check=True)
        os.close(folder)
        assert done.stdout == "b''\n"
        wait_until("the log line", lambda: "control.refused" in server.log.read_text())


@pytest.mark.parametrize("line, code, sentence", [
    (b"\n", "SYNTAX", "not a JSON object"),
    (b"[]\n", "SYNTAX", "not a JSON object"),
    (b"{}\n", "SYNTAX", "no 'command'"),
    (b'{"command": 1}\n', "SYNTAX", "no 'command'"),
    (b'{"command": "status", "command": "status"}\n', "SYNTAX", "not a JSON object"),
    (b'{"command": "status"} x\n', "SYNTAX", "not a JSON object"),
    (b'{"command": "\xff"}\n', "SYNTAX", "not a JSON object"),
    (b'{"command": "sta\\u0000tus"}\n', "SYNTAX", "not a JSON object"),
    (b'{"command": "status\x00"}\n', "SYNTAX", "not a JSON object"),
    (b"[" * 60000 + b"\n", "SYNTAX", "not a JSON object"),
    (b'{"command": "launch"}\n', "NOT_FOUND", "knows no command 'launch'"),
    ('{"command": "x' + "\u00e9" * 60 + '"}\n', "NOT_FOUND", "knows no command '...'"),
    (b'{"command": "status", "more": 1}\n', "ARG", "takes no members"),
    (b"x" * LINE_MAX, "TOO_BIG", "more than 65536 bytes"),
])
def test_a_wrong_line_is_answered_with_a_sentence(server, line, code, sentence):
    answer = ask(server, line.encode() if isinstance(line, str) else line)
    assert (answer["ok"], answer["code"]) == (False, code)
    assert sentence in answer["sentence"]
    assert ask(server, b'{"command": "status"}\n')["ok"]


def test_lines_are_answered_in_their_order(server):
    with connected(server) as one:
        one.sendall(b'{"command": "status"}\n{"command": "nothing"}\n{"command": "sta')
        assert json.loads(read_line(one))["ok"] is True
        assert json.loads(read_line(one))["code"] == "NOT_FOUND"
        one.sendall(b'tus"}\n')
        assert json.loads(read_line(one))["ok"] is True


def test_who_hangs_up_or_says_nothing_does_not_keep_it(aloft, tmp_path):
    with Server(aloft, tmp_path) as server:
        for line in (b"", b'{"command"', b'{"command": "status"}\n'):
            with connected(server) as one:
                one.sendall(line)
        assert ask(server, b'{"command": "status"}\n')["ok"]
        with connected(server):  # and the stop does not wait for it
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(DEADLINE_S) == 0
        assert not (server.data / "control.sock").exists()


def test_it_rests_while_descriptors_are_out_and_answers_when_there_are_some(aloft, tmp_path):
    with Server(aloft, tmp_path) as server:
        pid = server.process.pid
        limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, limits[1]))
        with connected(server) as one:
            one.sendall(b'{"command": "status"}\n')
            wait_until("a second look", lambda: server.log.read_text().count("control.accept_paused errno=24") > 1)
            thread = next(path for path in pathlib.Path(f"/proc/{pid}/task").iterdir()
                          if (path / "comm").read_text() == "control\n")
            wait_until("the thread's rest", lambda: " S " in (thread / "stat").read_text())
            resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
            assert json.loads(read_line(one))["pid"] == pid


def test_a_socket_left_by_a_kill_is_replaced_and_long_paths_do(aloft, tmp_path):
    with Server(aloft, tmp_path / ("x" * 120)) as server:
        server.kill()
        assert (server.data / "control.sock").exists()
        done = server.cli("status", "--data", str(server.data), check=False)
        assert (done.returncode, done.stderr) == (
            1, f"aloft: no server runs on '{server.data}': start it with 'aloft serve'\n")
        server.start()
        assert ask(server, b'{"command": "status"}\n')["pid"] == server.process.pid
