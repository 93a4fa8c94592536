"""The reverse proxy of docker-compose.yml: a webhook's sender tries again after a 503, and never after a 504."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from justtrades.environment import ROOT
from justtrades.supervisor.ports import LOOPBACK, any_free_port, is_free
from tests.supervisor.product import until

NGINX = shutil.which("nginx")
pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")


@pytest.fixture
def silent_server() -> Iterator[int]:
    """Takes connections and never answers."""
    with socket.socket() as server:
        server.bind((LOOPBACK, 0))
        server.listen()
        yield server.getsockname()[1]


def _configured(web_port: int, proxy_port: int, directory: Path) -> Path:
    text = (ROOT / "deploy" / "nginx.conf").read_text()
    changes = {
        "listen 80;": f"listen {LOOPBACK}:{proxy_port};",
        "server web:8000": f"server {LOOPBACK}:{web_port}",
        "server live:8001": f"server {LOOPBACK}:{web_port}",
        "/dev/stdout": str(directory / "access.log"),
        "/dev/stderr": str(directory / "error.log"),
    }
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    file = directory / "nginx.conf"
    file.write_text(f"daemon off;\npid {directory}/nginx.pid;\n{text}")
    return file


@pytest.fixture
def proxy_url(silent_server: int, tmp_path: Path) -> Iterator[str]:
    port = any_free_port()
    assert NGINX is not None
    command = [NGINX, "-p", str(tmp_path), "-e", str(tmp_path / "start.log"), "-c"]
    process = subprocess.Popen([*command, str(_configured(silent_server, port, tmp_path))])
    try:
        until(lambda: not is_free(port), "nginx listens", 10)
        yield f"http://{LOOPBACK}:{port}"
    finally:
        process.terminate()
        process.wait(timeout=10)


def test_a_web_process_that_never_answers_is_a_503_before_the_sender_gives_up(proxy_url: str) -> None:
    answer = requests.post(f"{proxy_url}/webhook/{'x' * 43}/", data="{}", timeout=3)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")


def test_the_webhooks_address_stays_out_of_the_proxys_log(proxy_url: str, tmp_path: Path) -> None:
    requests.post(f"{proxy_url}/webhook/{'x' * 43}/", data="{}", timeout=3)
    until(lambda: "/webhook/-" in (tmp_path / "access.log").read_text(), "the log line", 10)
    assert "xxx" not in "".join(log.read_text() for log in tmp_path.glob("*.log"))
