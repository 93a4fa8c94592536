"""Refusals of the sandbox's own doors."""

from __future__ import annotations


class BadFieldError(Exception):
    """Control input that cannot be used; ``field`` names the offending one."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem
