# SPDX-License-Identifier: Apache-2.0
"""The settings of `aloft serve` from outside: file, flags, variables, --check-config and the manual."""

import os
import pathlib
import subprocess

from server import Server

ROOT = pathlib.Path(__file__).resolve().parents[2]


def serve(aloft, *words, variables=None):
    env = {k: v for k, v in os.environ.items() if not k.startswith("ALOFT_")} | (variables or {})
    return subprocess.run([aloft, "serve", *map(str, words)], capture_output=True, text=True, env=env, timeout=60,
                          check=False)


def rows(text):
    """name: (value, source) of --check-config."""
    return {row[0]: (row[1], row[2]) for row in map(str.split, text.splitlines()) if row[0] != "#"}


def test_the_manual_is_what_the_program_prints(aloft):
    done = serve(aloft, "--print-manual")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (ROOT / "docs/guide/configuration.md").read_text(), \
        "renew it: aloft serve --print-manual > docs/guide/configuration.md"


def test_every_setting_is_in_help_check_and_manual(aloft, tmp_path):
    shown = rows(serve(aloft, "--check-config", "--data", tmp_path).stdout)
    help_page, manual = serve(aloft, "--help").stdout, serve(aloft, "--print-manual").stdout
    assert len(shown) >= 22
    for key in shown:
        assert f"  --{key.replace('_', '-')} " in help_page
        assert f"| `{key}`<br>`--{key.replace('_', '-')}`<br>`ALOFT_{key.upper()}` |" in manual


def test_check_config_shows_where_each_value_comes_from(aloft, tmp_path):
    (tmp_path / "aloft.conf").write_text("# ours\njoin = closed\nthreads = 3\nstop_seconds = 1\n")
    done = serve(aloft, "--check-config", "--stop-seconds", "4", variables={
        "ALOFT_DATA": str(tmp_path), "ALOFT_THREADS": "2", "ALOFT_STOP_SECONDS": "5", "ALOFT_JOIN": ""})
    assert (done.returncode, done.stderr) == (0, "")
    shown = rows(done.stdout)
    assert shown["data"] == (str(tmp_path), "ALOFT_DATA")
    assert shown["join"] == ("closed", "aloft.conf:2")
    assert shown["threads"] == ("2", "ALOFT_THREADS")
    assert shown["stop_seconds"] == ("4", "--stop-seconds")
    assert shown["session_hours"] == ("12", "default")
    assert os.listdir(tmp_path) == ["aloft.conf"]  # nothing was made


def test_check_config_says_file_line_and_remedy(aloft, tmp_path):
    conf = tmp_path / "my.conf"
    conf.write_text("data = d\n\njoin = everybody\n")
    done = serve(aloft, "--config", conf, "--check-config")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[0] == f"aloft: {conf}:3: join: 'everybody' is none of open|invitation|closed"
    done = serve(aloft, "--config", tmp_path / "none.conf", "--check-config")
    assert done.returncode == 2
    assert "none.conf': No such file" in done.stderr.splitlines()[0]
    os.mkfifo(tmp_path / "pipe")  # nobody ever writes to it
    done = serve(aloft, "--config", tmp_path / "pipe", "--check-config")
    assert done.returncode == 2
    assert "pipe' is not a regular file" in done.stderr.splitlines()[0]


def test_a_server_runs_by_its_file_alone(aloft, tmp_path):
    """The flags of the support class are beaten by nothing, so the file shows in what they leave out."""
    (tmp_path / "data").mkdir(mode=0o700)
    (tmp_path / "data" / "aloft.conf").write_text("threads = 1\nlog_contacts = none\n")
    with Server(aloft, tmp_path) as server:
        names = [pathlib.Path(task, "comm").read_text().strip()
                 for task in pathlib.Path(f"/proc/{server.process.pid}/task").iterdir()]
        assert names.count("wire") == 1


def test_the_guide_and_the_unit_use_settings_that_exist(aloft, tmp_path):
    """The config lines of operation.md pass --check-config; the unit's command line names flags there are."""
    guide = (ROOT / "docs/guide/operation.md").read_text()
    lines = [line for block in guide.split("```")[1::2] for line in block.splitlines() if " = " in line]
    assert len(lines) >= 5
    (tmp_path / "aloft.conf").write_text("\n".join(lines) + "\n")
    done = serve(aloft, "--data", tmp_path, "--check-config")
    assert (done.returncode, done.stderr) == (0, "")
    unit = (ROOT / "docs/systemd/aloft.service").read_text()
    start = next(line for line in unit.splitlines() if line.startswith("ExecStart="))
    words = start.partition("=")[2].replace("${STATE_DIRECTORY}", str(tmp_path)).split()
    assert words[0] == "/usr/local/bin/aloft" and serve(aloft, *words[2:], "--check-config").returncode == 0
