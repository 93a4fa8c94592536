"""What a child is before it becomes its program: tied to our life and, where the program demands it, no longer root.

PostgreSQL refuses to run as root. A root supervisor gives it the uid of `nobody`; where the checkout lies below a
directory that `nobody` may not enter (/root, a private temporary directory) the child keeps one capability, to walk
through it, instead of having that directory's mode changed behind its owner's back.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

_PR_SET_PDEATHSIG, _PR_SET_KEEPCAPS, _PR_CAPBSET_READ, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 1, 8, 23, 47, 2
_CAPABILITY_VERSION_3 = 0x20080522
_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 1, 2
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Account:
    """A system account to run a server as."""

    uid: int
    gid: int
    may_walk_anywhere: bool = False


def server_account(*paths: Path) -> Account | None:
    """Whom a server that must reach `paths` runs as; None means as ourselves, which only root may not."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    is_walled = not all(_is_open_to_all(path) for path in paths)
    return Account(nobody.pw_uid, nobody.pw_gid, may_walk_anywhere=is_walled and sys.platform == "linux")


def _is_open_to_all(path: Path) -> bool:
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in path.resolve().parents)


def before_exec(account: Account | None, *, dies_by: signal.Signals) -> Callable[[], None]:
    """The step between fork and exec: become `account`, and have the kernel send `dies_by` should our parent die."""

    def step() -> None:
        if account is not None:
            _become(account)
        # Last: a change of uid clears the request.
        die_with_parent(dies_by)

    return step


def die_with_parent(dies_by: signal.Signals) -> None:
    """Have the kernel send `dies_by` to this process when its parent is gone. Linux only; nothing elsewhere."""
    if sys.platform == "linux":
        _prctl(_PR_SET_PDEATHSIG, dies_by)


def run_as(account: Account | None, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run `command` to its end as `account` and keep what it said."""
    return subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        cwd="/",
        preexec_fn=before_exec(account, dies_by=signal.SIGKILL),
    )


def _become(account: Account) -> None:
    os.setgroups([])
    os.setgid(account.gid)
    if not account.may_walk_anywhere:
        os.setuid(account.uid)
        return
    # Containers often withhold the narrower of the two.
    is_held = _libc.prctl(_PR_CAPBSET_READ, _CAP_DAC_READ_SEARCH, 0, 0, 0) == 1
    capability = _CAP_DAC_READ_SEARCH if is_held else _CAP_DAC_OVERRIDE
    _prctl(_PR_SET_KEEPCAPS, 1)
    os.setuid(account.uid)
    _keep_only(capability)
    _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability)


def _keep_only(capability: int) -> None:
    mask = 1 << capability
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    effective_permitted_inheritable = (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)
    _checked(_libc.capset(header, effective_permitted_inheritable))


def _prctl(option: int, argument: int, detail: int = 0) -> None:
    _checked(_libc.prctl(option, argument, detail, 0, 0))


def _checked(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
