"""Ways to break the reference driver in a process of a walk (../test_walks.py): what a walk has to survive, and to see."""

import os
import signal
import time

from fixtures.faults.injection import replace
from fixtures.vulkan.registry import HandleType, ImportFlag


def kills(table):
    """A temporary import of an OPAQUE_FD kills the process."""
    _when_temporary(table, lambda: os.kill(os.getpid(), signal.SIGSEGV))


def hangs(table):
    """A temporary import of an OPAQUE_FD never returns."""
    _when_temporary(table, lambda: time.sleep(1000))


def leaks(table):
    """Every import leaves a descriptor open."""

    def imports(*arguments):
        os.open("/dev/null", os.O_RDONLY)
        return original(*arguments)

    original = replace(table, "vkImportSemaphoreFdKHR", imports)


def _when_temporary(table, then):
    def imports(device, semaphore, handle_type, fd, flags=0):
        answer = original(device, semaphore, handle_type, fd, flags)
        if handle_type == HandleType.OPAQUE_FD and flags & ImportFlag.TEMPORARY and answer.is_success:
            then()
        return answer

    original = replace(table, "vkImportSemaphoreFdKHR", imports)
