"""Which port a process gets."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from justtrades.supervisor.ports import LOOPBACK, PortBook, any_free_port


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind((LOOPBACK, 0))
        holder.listen()
        yield holder.getsockname()[1]


def test_the_usual_port_is_taken_when_it_is_free(tmp_path: Path) -> None:
    usual = any_free_port()
    assert PortBook(tmp_path / "ports.json").choose("web", usual) == usual


def test_another_port_is_found_when_the_usual_one_is_in_use(tmp_path: Path, taken_port: int) -> None:
    assert PortBook(tmp_path / "ports.json").choose("web", taken_port) != taken_port


def test_the_next_start_gets_the_same_port(tmp_path: Path, taken_port: int) -> None:
    first = PortBook(tmp_path / "ports.json").choose("web", taken_port)
    assert PortBook(tmp_path / "ports.json").choose("web", taken_port) == first


def test_a_remembered_port_that_is_in_use_is_given_up(tmp_path: Path, taken_port: int) -> None:
    (tmp_path / "ports.json").write_text(f'{{"web": {taken_port}}}')
    assert PortBook(tmp_path / "ports.json").choose("web", any_free_port()) != taken_port


def test_two_processes_never_get_the_same_port(tmp_path: Path) -> None:
    usual = any_free_port()
    ports = PortBook(tmp_path / "ports.json")
    assert ports.choose("web", usual) != ports.choose("live", usual)
