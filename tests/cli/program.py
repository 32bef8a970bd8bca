"""The program in a process of its own, forked so that it need not load torch anew."""

import contextlib
import ctypes
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from seethrough.cli.main import main


@dataclass(frozen=True)
class Program:
    """A process, and the file that takes what it prints."""

    pid: int
    output: Path

    def wait(self) -> tuple[int, str]:
        """Exit code (negative: the signal that killed it) and everything it printed."""
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return code, self.output.read_text()


def started(output: Path, *words: object, before: Callable[[], object] = lambda: None) -> Program:
    """`seethrough` with these words; `before` is called in its process."""

    def work() -> int:
        before()
        return main([str(word) for word in words])

    return forked(output, work)


def forked(output: Path, work: Callable[[], int]) -> Program:
    """A process that does this work, with signals as a shell gives them to a program."""
    pid = os.fork()
    if pid == 0:
        code = 70
        try:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(descriptor, 1)
            os.dup2(descriptor, 2)
            # what pytest put in their place would keep the words to itself
            with (
                open(1, "w", closefd=False) as out,
                contextlib.redirect_stdout(out),
                contextlib.redirect_stderr(out),
            ):
                torch.set_num_threads(1)
                code = work()
        except BaseException as error:  # a child must never go on as a second test run
            os.write(2, f"{type(error).__name__}: {error}".encode())
        os._exit(code)
    return Program(pid, output)


def at_call(
    owner: Any, name: str, number: int, act: Callable[[], object], **wanted: object
) -> None:
    """Do something at the n-th call of a function that has these named arguments, and call it."""
    function, left = getattr(owner, name), [number]

    def wrapped(*arguments: Any, **options: Any) -> Any:
        if all(options.get(each) == value for each, value in wanted.items()):
            left[0] -= 1
            if left[0] == 0:
                act()
        return function(*arguments, **options)

    setattr(owner, name, wrapped)


_NEW_NAMESPACES = 0x00020000  # CLONE_NEWNS
_NEW_USER = 0x10000000  # CLONE_NEWUSER
_PRIVATE = 1 << 18 | 1 << 14  # MS_PRIVATE, MS_REC
_REMOUNT = 32  # MS_REMOUNT
_LIBC = ctypes.CDLL(None, use_errno=True)


def small_disk(folder: Path, size: int, *, is_there: bool = False) -> None:
    """Mount a file system of so many bytes there, for this process alone; or change its size.

    Raises OSError where the system allows it to nobody, or not to this user.
    """
    if not is_there:
        user, group = os.getuid(), os.getgid()
        _checked(_LIBC.unshare(_NEW_NAMESPACES | (_NEW_USER if user else 0)))
        if user:
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"0 {user} 1")
            Path("/proc/self/gid_map").write_text(f"0 {group} 1")
        _checked(_LIBC.mount(b"none", b"/", None, _PRIVATE, None))
    flags = _REMOUNT if is_there else 0
    options = f"size={size}".encode()
    _checked(_LIBC.mount(b"tmpfs", str(folder).encode(), b"tmpfs", flags, options))


def _checked(answer: int) -> None:
    if answer != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
