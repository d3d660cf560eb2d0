"""Starts a server as a child that has few rights and does not outlive its parent.

PostgreSQL refuses to run as root, and Valkey has no reason to. As root both run as ``nobody`` and
own their directories; when those, or the virtual environment, lie below a directory that ``nobody``
may not enter (``/root``, a ``mktemp -d``), the child keeps the one capability that lets it pass.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import stat
import struct
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_LINUX = sys.platform.startswith("linux")
_LIBC = ctypes.CDLL(None, use_errno=True) if _LINUX else None

# linux/prctl.h, linux/securebits.h and linux/capability.h
_PR_SET_PDEATHSIG, _PR_SET_SECUREBITS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 1, 28, 47, 2
_SECBIT_NO_SETUID_FIXUP = 1 << 2
_CAPABILITY_VERSION_3 = 0x20080522
_CAP_DAC_OVERRIDE = 1


class StartError(RuntimeError):
    """A server could not be started; the message says why and where its log is."""


@dataclass(frozen=True, slots=True)
class Account:
    """The user whom a server runs as."""

    uid: int
    gid: int


def server_account() -> Account | None:
    """The unprivileged account for servers, or ``None`` when this process itself has no privileges."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam("nobody")
    return Account(uid=entry.pw_uid, gid=entry.pw_gid)


def private_directory(path: Path, account: Account | None) -> None:
    """Make ``path`` a directory with mode 0700 of the server's account, and refuse anything else there.

    Raises ``StartError`` when the name is taken by a link or by a directory of somebody else, which
    matters below a temporary directory that all users share.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = path.lstat()
    wanted = account.uid if account else os.geteuid()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {wanted, os.geteuid()}:
        raise StartError(f"{path} is not a directory of this user; remove it")
    path.chmod(0o700)
    if account and found.st_uid != account.uid:
        own(path, account)


def own(path: Path, account: Account) -> None:
    """Give ``path`` and all below it to ``account``."""
    os.chown(path, account.uid, account.gid, follow_symlinks=False)
    for directory, names, files in os.walk(path):
        for name in (*names, *files):
            os.chown(os.path.join(directory, name), account.uid, account.gid, follow_symlinks=False)


def spawn(
    argv: Sequence[str | Path],
    *,
    account: Account | None,
    cwd: Path,
    output: int,
    parent_death_signal: signal.Signals,
    needs: Sequence[Path] = (),
    stdin: int = subprocess.DEVNULL,
) -> subprocess.Popen[bytes]:
    """Start ``argv`` as ``account`` in a session of its own.

    ``output`` is the descriptor for both output streams, ``needs`` the paths the child has to reach,
    ``parent_death_signal`` what it gets when this process dies in any way (Linux only).
    """
    keep_override = account is not None and not all(_reachable(p, account) for p in (cwd, *needs))

    def prepare() -> None:
        if account:
            _drop(account, keep_override=keep_override)
        if _LIBC is not None:  # after the change of user, which clears it
            _LIBC.prctl(_PR_SET_PDEATHSIG, int(parent_death_signal), 0, 0, 0)

    return subprocess.Popen(
        [os.fspath(a) for a in argv],
        cwd=cwd,
        stdin=stdin,
        stdout=output,
        stderr=output,
        env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
        start_new_session=True,
        umask=0o077,
        preexec_fn=prepare,  # noqa: PLW1509 - the keeper has a single thread
    )


def _drop(account: Account, *, keep_override: bool) -> None:
    """Become ``account``; runs in the child between fork and exec."""
    if keep_override and _LIBC is not None:
        # Without the fix-up setuid keeps capabilities, and access(2), by which initdb looks for its
        # sibling programs, minds them.
        _LIBC.prctl(_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
    os.setgroups([])
    os.setgid(account.gid)
    os.setuid(account.uid)
    if keep_override and _LIBC is not None:
        header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
        mask = 1 << _CAP_DAC_OVERRIDE
        sets = struct.pack("=6I", mask, mask, mask, 0, 0, 0)  # effective, permitted, inheritable
        _LIBC.capset(header, sets)
        _LIBC.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0)


def _reachable(path: Path, account: Account) -> bool:
    """Whether ``account`` may pass through every directory above ``path``."""
    for directory in path.resolve().parents:
        found = directory.stat()
        if found.st_uid == account.uid:
            allowed = found.st_mode & stat.S_IXUSR
        elif found.st_gid == account.gid:
            allowed = found.st_mode & stat.S_IXGRP
        else:
            allowed = found.st_mode & stat.S_IXOTH
        if not allowed:
            return False
    return True
