"""Does `make hub` say in a sentence why it cannot start, and lay out what it needs once?"""

import os
import socket
import subprocess
import sys

import pytest
from support.hub import free_ports
from support.project import FEW_SHEETS, PROJECT

START = PROJECT / "hub" / "start.py"


@pytest.fixture
def started(tmp_path, monkeypatch):
    """Run hub/start.py in a copy of its place, where everything seems to be installed."""
    project = tmp_path / "project"
    (project / "hub").mkdir(parents=True)
    (project / "hub" / "start.py").write_text(START.read_text(encoding="utf-8"))
    (project / ".cache" / "hub" / "venv" / "bin").mkdir(parents=True)
    (project / ".cache" / "hub" / "proxy" / "node_modules" / ".bin").mkdir(parents=True)
    program = project / ".cache" / "hub" / "venv" / "bin" / "jupyterhub"
    program.write_text("")

    def run(port):
        words = [sys.executable, str(project / "hub" / "start.py"), "--port", str(port)]
        return subprocess.run(words, capture_output=True, text=True, timeout=60)

    return program, run


@pytest.mark.parametrize("which", range(3))
def test_is_a_port_in_use_named(started, which):
    _, run = started
    port = free_ports(3)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port + which))
        taken.listen()
        ended = run(port)
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert f"Port {port + which} of this machine cannot be had" in ended.stderr
    assert f"make hub PORT={port + 1000}" in ended.stderr


def test_is_a_hub_that_is_not_installed_named(started):
    program, run = started
    program.unlink()
    ended = run(free_ports(3))
    assert ended.returncode == 1
    assert "run «make hub»" in ended.stderr


def test_does_a_trial_keep_what_its_users_did(tmp_path):
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); import start; from pathlib import Path;"
        "start.lay_out(Path(sys.argv[2]), sys.argv[3:])"
    )
    words = [sys.executable, "-c", program, str(START.parent), str(tmp_path), FEW_SHEETS[0]]
    env = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run(words, check=True, env=env)
    config = tmp_path / "course" / "nbgrader_config.py"
    assert [p.name for p in (tmp_path / "course" / "release").iterdir()] == [FEW_SHEETS[0]]
    config.write_text("c = get_config()\n")
    (tmp_path / "home" / "ada" / "mine").write_text("mine")
    subprocess.run(words, check=True, env=env)
    assert config.read_text() == "c = get_config()\n"
    assert (tmp_path / "home" / "ada" / "mine").read_text() == "mine"
