"""The size gate: a file fits in one sitting, a function on one screen. Exits 1 naming what does not."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 60
LONG_FUNCTION_LINES = 35
SUFFIXES = frozenset({".py", ".js", ".mjs", ".css", ".html", ".sh"})
# May only shrink: remove a file from here when it fits, never add one.
ALLOWED: frozenset[str] = frozenset()


def main() -> int:
    offences, warnings = [], []
    for file in _our_files():
        offences += _file_offences(file)
        for name, line, length in _functions(file):
            where = f"{file}:{line}: {name} has {length} lines"
            if length > MAX_FUNCTION_LINES:
                offences.append(f"{where}, {MAX_FUNCTION_LINES} at most")
            elif length > LONG_FUNCTION_LINES:
                warnings.append(f"{where}; {LONG_FUNCTION_LINES} would be better")
    for text in [*warnings, *offences]:
        print(text)
    return 1 if offences else 0


def _our_files() -> Iterator[Path]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    for name in sorted(listed.split("\0")):
        path = Path(name)
        is_made = "migrations" in path.parts or name in ALLOWED
        if path.suffix in SUFFIXES and path.is_file() and not is_made:
            yield path


def _file_offences(file: Path) -> list[str]:
    length = len(file.read_text().splitlines())
    return [f"{file}: {length} lines, {MAX_FILE_LINES} at most"] if length > MAX_FILE_LINES else []


def _functions(file: Path) -> Iterator[tuple[str, int, int]]:
    if file.suffix != ".py":
        return
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node.lineno, (node.end_lineno or node.lineno) - node.lineno + 1


if __name__ == "__main__":
    sys.exit(main())
