"""`manage.py up` as a newcomer meets it: one command, everything runs, whatever dies comes back."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from justtrades.environment import ROOT
from tests.supervisor.product import Product, until

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """Shared by the tests that leave it running."""
    running = Product(tmp_path_factory.mktemp("state"))
    try:
        running.start()
        yield running
        running.stop()
    finally:
        running.end()


@pytest.fixture
def own_product(tmp_path: Path) -> Iterator[Product]:
    """For the tests that start and stop it."""
    running = Product(tmp_path)
    yield running
    running.end()


def _manage(product: Product, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "manage.py"), *words]
    return subprocess.run(command, env=product.environment, capture_output=True, text=True, check=False, timeout=60)


def test_it_says_where_everything_is(product: Product) -> None:
    demo = product.demo
    assert {"dashboard_url", "email", "password", "webhook_url", "recorder_id", "api_token"} <= demo.keys()
    assert len(demo["sandbox"]["tradovate"]["accounts"]) == 2
    assert product.said(demo["webhook_url"])


def test_files_with_secrets_are_readable_by_us_alone(product: Product) -> None:
    for name in ("demo.json", "secrets.env", "servers.env", "run/addresses.env"):
        assert stat.S_IMODE((product.state_dir / name).stat().st_mode) == 0o600, name


def test_every_process_it_names_is_alive(product: Product) -> None:
    for kind in product.demo["pids"]:
        pid = product.first_pid(kind)
        assert pid is not None and psutil.pid_exists(pid), kind


@pytest.mark.parametrize("kind", ["postgres", "redis", "sandbox", "web", "lanes", "sweeper"])
def test_what_is_killed_comes_back_and_the_product_is_ready_again(product: Product, kind: str) -> None:
    killed = product.first_pid(kind)
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    until(lambda: product.first_pid(kind) not in {None, killed}, f"{kind} is started again")
    until(product.is_ready, f"ready after {kind}")


def test_a_second_one_in_the_same_place_refuses_and_says_why(product: Product) -> None:
    second = _manage(product, "up")
    assert second.returncode == 1
    assert f"already running here: pid {product.process.pid}" in second.stderr


def test_a_command_beside_it_reaches_its_database(product: Product) -> None:
    asked = _manage(
        product, "shell", "-v", "0", "-c", "from accounts.models import User; print(User.objects.get().email)"
    )
    assert asked.stdout.strip() == product.demo["email"]


@pytest.mark.faults
def test_the_next_start_finds_everything_as_it_was(own_product: Product) -> None:
    own_product.start()
    before = own_product.demo
    own_product.stop()
    own_product.start()
    assert {**own_product.demo, "pids": None} == {**before, "pids": None}


@pytest.mark.faults
def test_nothing_outlives_a_killed_supervisor(own_product: Product) -> None:
    own_product.start()
    family = own_product.family()
    own_product.process.kill()
    own_product.process.wait()
    until(lambda: not any(process.is_running() for process in family), "the kernel ends the children")
    own_product.start()
    own_product.stop()


@pytest.mark.faults
def test_web_workers_do_not_outlive_their_master_and_the_supervisor(own_product: Product) -> None:
    own_product.start()
    master, *workers = [psutil.Process(pid) for pid in own_product.demo["pids"]["web"]]
    # So that it cannot be the supervisor who ends them.
    own_product.process.send_signal(signal.SIGSTOP)
    master.kill()
    until(lambda: not any(worker.is_running() for worker in workers), "the kernel ends the workers")
    own_product.process.send_signal(signal.SIGCONT)
