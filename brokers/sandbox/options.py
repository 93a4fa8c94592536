"""Command line of the sandbox, shared by the management command and ``python -m brokers.sandbox``."""

from __future__ import annotations

import argparse
from pathlib import Path

from brokers.sandbox.app import VENUES
from brokers.sandbox.host import Options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--venue", choices=sorted(VENUES), default="tradovate")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="venue port; 0 takes a free one")
    parser.add_argument("--control-port", type=int, default=0, help="control port; 0 takes a free one")
    parser.add_argument("--accounts", type=int, default=5, help="logins of one account each")
    parser.add_argument("--seed", type=int, default=1, help="seed of the price feed")
    parser.add_argument("--state-file", type=Path, default=None, help="books are kept here between starts")


def parse_options(parsed: argparse.Namespace) -> Options:
    return Options(
        venue=parsed.venue,
        host=parsed.host,
        port=parsed.port,
        control_port=parsed.control_port,
        accounts=parsed.accounts,
        seed=parsed.seed,
        state_file=parsed.state_file,
    )
