"""What the system does to a process that has a device: POSIX signals, a stop, a fork."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import threading
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

from fixtures.running.processes import Child, die_with_parent
from fixtures.testbed import patience
from fixtures.vulkan.journal import note
from fixtures.vulkan.outcomes import unsupported

SIGNAL = signal.SIGUSR1
"""Neither the watchdog's SIGALRM nor one that a driver is known to use."""
EVERY = 0.002
"""Seconds between two POSIX signals to each thread."""
LONGEST = 0.5
"""Seconds, before --patience, for which they come: a wait may begin to count its timeout anew with each."""
STOPPED = 0.02
"""Seconds for which a process is stopped."""
BEGUN = 0.005
"""Seconds until what was begun elsewhere is under way."""

_LIBC = ctypes.CDLL(None)


@contextlib.contextmanager
def interrupted() -> Iterator[None]:
    """Meanwhile, for LONGEST at most, every thread of this process, the driver's included, gets POSIX signals.

    Their handler does nothing and restarts no system call (no SA_RESTART).  To be called from the main thread.
    """
    over, before = Event(), signal.signal(SIGNAL, lambda *_: None)
    signal.siginterrupt(SIGNAL, True)
    note("posix_signals", SIGNAL.name, EVERY)
    thread = Thread(target=_send_until, args=(over,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        time.sleep(EVERY)  # for the last handlers
        signal.signal(SIGNAL, signal.SIG_IGN)  # the kernel forgets what it has not delivered
        signal.signal(SIGNAL, before)


def _send_until(over: Event) -> None:
    own, end = threading.get_native_id(), time.monotonic() + patience.seconds(LONGEST)
    while not over.wait(EVERY) and time.monotonic() < end:
        for name in os.listdir("/proc/self/task"):
            if int(name) != own:
                _LIBC.tgkill(os.getpid(), int(name), SIGNAL)


def let_begin(child: Child) -> None:
    """Give a process time to begin what it has announced: BEGUN, then until it sleeps, at most ten times that."""
    time.sleep(BEGUN)
    for _ in range(10):
        if _state(child.pid) == "S":
            return
        time.sleep(BEGUN)


@contextlib.contextmanager
def stopped(child: Child, seconds: float | None = None) -> Iterator[None]:
    """The process of a step is stopped meanwhile, for at most so many seconds (default: `patience.WAIT`): SIGSTOP, SIGCONT."""
    note("stop", child.pid)
    os.kill(child.pid, signal.SIGSTOP)
    deadline = time.monotonic() + patience.seconds()
    while _state(child.pid) != "T" and time.monotonic() < deadline:
        time.sleep(0.0005)
    rescue = threading.Timer(patience.seconds() if seconds is None else seconds, go_on, (child,))
    rescue.start()
    try:
        yield
    finally:
        rescue.cancel()
        rescue.join()
        go_on(child)


def go_on(child: Child) -> None:
    """Let a stopped process run again."""
    note("continue", child.pid)
    with contextlib.suppress(ProcessLookupError):
        os.kill(child.pid, signal.SIGCONT)


def _state(pid: int) -> str:
    """The state of a process as /proc has it, such as "T" for stopped; "" once it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


@dataclass
class Fork:
    """A forked process, which waits for `end` and then ends without doing anything."""

    pid: int
    pipe: int

    def end(self) -> int:
        """Let it end; its exit status."""
        os.close(self.pipe)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def inherited(self) -> dict[int, str]:
        """The descriptors of this process, beside the first three, that are open there, too: number to what is behind it."""
        theirs, ours = _descriptors(self.pid), _descriptors(os.getpid())
        return {number: what for number, what in theirs.items() if number > 2 and ours.get(number) == what}


def _descriptors(pid: int) -> dict[int, str]:
    found = {}
    for name in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(OSError):  # closed since
            found[int(name)] = os.readlink(f"/proc/{pid}/fd/{name}")
    return found


def forked(executes: bool) -> Fork:
    """Fork this process; the new one only waits, or `executes` a program that does."""
    program = shutil.which("cat") or unsupported("this machine has no program `cat`")
    theirs, ours = os.pipe()
    note("fork", executes)
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DeprecationWarning
        )  # other threads' locks are nothing to a process that only ends
        pid = os.fork()
    if pid == 0:
        with contextlib.suppress(BaseException):
            _wait(theirs, ours, program if executes else "")
        os._exit(1)
    os.close(theirs)
    deadline = time.monotonic() + patience.seconds()
    while executes and not _runs(pid, program):
        assert time.monotonic() < deadline, f"a forked process did not come to execute {program}"
        time.sleep(0.0005)
    return Fork(pid, ours)


def _runs(pid: int, program: str) -> bool:
    with contextlib.suppress(OSError):  # it may have ended
        return os.path.samefile(f"/proc/{pid}/exe", program)
    return False


def _wait(theirs: int, ours: int, program: str) -> None:
    """In the forked process: until the other end of the pipe is closed, then end."""
    die_with_parent()
    os.close(ours)
    os.dup2(theirs, 0)
    if program:
        os.execv(program, [program])
    os.read(0, 1)
    os._exit(0)
