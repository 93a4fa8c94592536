"""``python -m brokers.sandbox``: the sandbox without Django around it."""

from __future__ import annotations

import argparse
import asyncio
import sys

from brokers.sandbox.app import run
from brokers.sandbox.options import add_arguments, parse_options


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="sandbox", description=__doc__)
    add_arguments(parser)
    asyncio.run(run(parse_options(parser.parse_args(arguments))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
