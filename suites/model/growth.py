"""Memory and descriptors of the processes that walk, which may not grow with the number of walks."""

import os

from fixtures.vulkan.outcomes import warn

DESCRIPTORS = 64
"""So many descriptors more than after the first round are a leak: nothing of a walk outlives it."""

MEBIBYTES = 256
"""So much more memory (MiB) than after the first round is a warning."""

PAGE = os.sysconf("SC_PAGE_SIZE")


class Watch:
    """Looks at the processes between two rounds of walks; `str()` gives the last figures."""

    def __init__(self):
        self.first, self.now, self.is_full = {}, {}, False

    def __str__(self):
        return ", ".join(f"process {actor}: {fds} descriptors, {size} MiB" for actor, (fds, size) in self.now.items())

    def look(self, players):
        """The leak that ends the walks, as text; "" if there is none.

        Memory alone is a warning, since the specification does not oblige a driver to release it; `is_full` then ends the walks.
        """
        players.begin()
        pids = {actor: child.pid for actor, child in sorted(players.children.items())}
        self.now = {actor: (descriptors(pid), memory(pid)) for actor, pid in pids.items()}
        for actor, (fds, size) in self.now.items():
            first_fds, first_size = self.first.setdefault(pids[actor], (fds, size))
            if fds - first_fds > DESCRIPTORS:
                return (
                    f"process {actor} has {fds} descriptors, and had {first_fds} after the first walks (SPEC-IMPORT-01)"
                )
            if size - first_size > MEBIBYTES:
                warn(f"process {actor} has {size} MiB, and had {first_size} after the first walks (SPEC-DESTROY-06)")
                self.is_full = True
        return ""


def descriptors(pid):
    """How many descriptors a process has open."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def memory(pid):
    """Resident memory of a process in MiB."""
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * PAGE >> 20
