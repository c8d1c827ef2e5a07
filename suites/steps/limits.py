"""Time limits of this chapter, in seconds before --patience."""

from typing import Any

from fixtures.running.stacks import watchdog
from fixtures.testbed import patience
from fixtures.testbed.semaphores import Semaphore
from fixtures.vulkan.registry import Result

STRANGER_LIMIT = 1
"""For the import of a stranger: a driver that hangs on one costs this much in each test."""

STALL = 0.5
"""After which a wait for an accepted stranger counts as stalled."""


def import_in_time(target: Semaphore, fd: int, **named: Any) -> Result:
    """What `target.import_fd` gives; where it hangs, it ends this process, which is the test's own."""
    watchdog.move(patience.seconds(STRANGER_LIMIT))
    result = target.import_fd(fd, **named)
    watchdog.move(patience.seconds(patience.TEST))
    return result
