"""The processes of a walk, seen from the test: steps go out, answers come back, and a process that died is a difference."""

import os
from dataclasses import dataclass

from fixtures.testbed import patience
from suites.model.actor import act

MAKING_SECONDS = 20
"""Seconds that opening devices may take: much on hardware that others use too, and walks do not judge it."""
SHRINKING_SECONDS = 0.5
"""Seconds that a step may take while the shortest walk to a known difference is searched."""


class Difference(AssertionError):
    """The driver and the model disagree; the message names the rule, and the `walk` as a numbered list of calls."""

    def __init__(self, text, walk=()):
        super().__init__(text)
        self.walk = list(walk)


@dataclass(frozen=True)
class Found:
    """The driver and the model disagree: after how many steps that was seen, the shortest `walk`, and all of it as text."""

    steps: int
    walk: list[str]
    text: str


class Players:
    """Two processes with the driver, started when they are needed and again when one died."""

    def __init__(self, nursery, info, spoil=None):
        self.nursery, self.info, self.spoil = nursery, info, spoil
        self.children = {}
        self.seconds = patience.seconds()
        self.steps = self.walks = self.steps_until_found = 0
        self.first = None
        self._have_screens = None

    @property
    def have_screens(self):
        """Whether the devices have swapchains to acquire images from."""
        if self._have_screens is None:
            self.child(0)
        return self._have_screens

    def begin(self):
        """A new walk: what the last one left is destroyed."""
        self.walks += 1
        for actor in list(self.children):
            self.ask(actor, "begin")

    def child(self, actor):
        """The running process `actor`."""
        if actor not in self.children:
            child = self.nursery.start(act, self.info, self.spoil)
            self._have_screens = child.channel.receive(patience.seconds(MAKING_SECONDS))
            self.children[actor] = child
        return self.children[actor]

    def ask(self, actor, name, *arguments):
        """Have `actor` take a step; Difference if the process does not survive it, or takes too long."""
        channel = self.child(actor).channel
        self.steps += 1
        try:
            if name == "pass":
                return self.pass_on(channel, *arguments)
            channel.send((name, arguments))
            return self.answer(channel, patience.seconds(MAKING_SECONDS) if name == "reopen" else None)
        except (TimeoutError, EOFError, OSError) as problem:
            ending = (
                "hangs" if isinstance(problem, TimeoutError) else str(self.children[actor].finish(2.0)).split("\n")[0]
            )
            raise Difference(
                f"the process {ending} (SPEC-IMPORT-24 for foreign descriptors, else SPEC-FUND-09)"
            ) from None
        except RuntimeError:  # the suite's own fault
            self.close()
            raise

    def pass_on(self, channel, descriptor, other, copy):
        """Send a dup of a descriptor from one process to another, as SCM_RIGHTS."""
        channel.send(("give", (descriptor,)))
        fd = channel.receive_fd()
        self.answer(channel)
        receiver = self.child(other).channel
        receiver.send(("take", (copy,)))
        receiver.send_fd(fd)
        os.close(fd)
        return self.answer(receiver)

    def answer(self, channel, seconds=None):
        """The result of a step; raises Gone, which is a difference, if the step raised."""
        return channel.receive(seconds or 2 * self.seconds + 1)

    def failed(self, difference):
        """After a difference: end these processes, and give steps less time from now on."""
        self.first = self.first or difference
        self.steps_until_found = self.steps_until_found or self.steps
        self.seconds = min(self.seconds, SHRINKING_SECONDS * patience.factor)
        self.close()

    def found(self, difference, again):
        """The text about a difference; `again` says how to repeat it."""
        text = f"{difference}\nfound after {self.steps_until_found} steps; {again}"
        return Found(self.steps_until_found, difference.walk, text)

    def close(self):
        """End the processes."""
        while self.children:
            _, child = self.children.popitem()
            if child.status is None:
                child.kill()
