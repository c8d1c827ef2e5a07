"""Payloads that cross between two drivers as SYNC_FD, and which of the two is at fault where one does not arrive.

The descriptor tells: what it is signaled with, and when, is its exporter's; what a wait makes of that is the importer's.
"""

import time
from contextlib import contextmanager
from dataclasses import dataclass, field

from fixtures.testbed.bench import FOUND
from fixtures.testbed.claims import EXPORTABLE, IMPORTABLE, unclaimed
from fixtures.testbed.devices import Device, Submission
from fixtures.testbed.gates import FIRST_SECONDS, Proof, shown
from fixtures.testbed.kinds import BINARY_SYNC
from fixtures.vulkan.outcomes import Broken, too_late, unsupported, warn
from suites.neighbours.sync_files import is_ready
from suites.steps.exports import succeeded
from suites.steps.signals import signal_behind_work

MUCH = 64
"""How much work, as for `shown`, is over when an export returns only where that waits for it."""
OVER = "the work was over when its payload was exported: the export may wait for it"


def neighbour_of(config, info):
    """The DeviceInfo of a device with SYNC_FD, of another driver than `info`'s; if there is none, of another device of it."""
    found = config.stash[FOUND]
    able = [one for one in found.devices + found.neighbours if not unclaimed(BINARY_SYNC, one, EXPORTABLE | IMPORTABLE)]
    others = [one for one in able if (one.manifest, one.device_uuid) != (info.manifest, info.device_uuid)]
    if not others:
        unsupported("no second device with SYNC_FD, of this driver or another one, is installed")
    return min(others, key=lambda one: one.manifest == info.manifest)


@contextmanager
def judged(is_judged, who):
    """Within it, what breaks makes the test `unsupported`, unless it `is_judged`: that is for the tests of `who`."""
    try:
        yield
    except Broken as problem:
        if is_judged:
            raise
        unsupported(f"{who}, which is not judged here: {problem}")


@dataclass
class Pair:
    """Two devices, of which one exports what the other imports, and one is judged; `sent` is (exporter, descriptor)s."""

    exporting: Device
    importing: Device
    judged: Device
    sent: list = field(default_factory=list)

    def __str__(self):
        return f"{self.exporting} signals, {self.importing} waits"

    def acts(self, device):
        """Within it something is done on the device: what breaks is `unsupported` if it is the neighbour's."""
        return judged(device.info == self.judged.info, device)

    def semaphore(self, device):
        """A semaphore of the device that exports as SYNC_FD."""
        with self.acts(device):
            return device.semaphore(BINARY_SYNC, export=True)

    def exported(self, semaphore, such=succeeded):
        """The descriptor that `semaphore` exports, `such` as suites/steps/exports.py has it."""
        with self.acts(semaphore.device):
            descriptor = such(semaphore.export_fd())
        self.sent.append((semaphore.device, descriptor))
        return descriptor

    def sent_behind_work(self, factor, such=succeeded):
        """(the exporter's work, the descriptor of a payload that is signaled after it)."""
        semaphore = self.semaphore(self.exporting)
        with self.acts(self.exporting):
            gate = signal_behind_work(semaphore, factor)
        with export_of_pending(gate, factor):
            return gate, self.exported(semaphore, such)

    def taken(self, descriptor, to=None):
        """A semaphore of the device `to`, default the one that imports, that imported a copy of `descriptor`."""
        device = to or self.importing
        with self.acts(device):
            return device.semaphore(BINARY_SYNC).imports(descriptor, temporary=True)

    def passed(self, semaphore, to=None):
        """A semaphore of the device `to`, default the one that imports, that imported what `semaphore` exports."""
        return self.taken(self.exported(semaphore), to)

    def problem(self, arrange):
        """What the judged device did wrong where the wait of `arrange`, as for `shown`, should hold and end; "" if nothing.

        What the other one did is a warning.
        """

        def arranged(factor):
            self.sent.clear()
            made[:] = arrange(factor)
            return made

        made = []
        proof = shown(arranged)
        if proof is Proof.HELD:
            return ""
        gate, wait = made
        guilty = wait.device if has_failed(wait) else at_fault(proof, self.sent, self.importing, gate)
        return self.told(guilty, f"{self}: {proof.value}")

    def told(self, guilty, text):
        """`text` with who is at fault, if that is the judged driver; else "", and the text is a warning."""
        text = f"{text}; {guilty} is at fault"
        if guilty.info == self.judged.info:
            return text
        warn(text)
        return ""


def at_fault(proof, sent, importing, gate=None):
    """Of a wait that ended early or never: the first exporter whose descriptor is signaled early or never; else `importing`."""
    odd = [exporter for exporter, descriptor in sent if is_signaled(descriptor) == (proof is Proof.EARLY)]
    if proof is Proof.EARLY and gate.is_done:
        too_late("the work ended while it was looked at who is at fault")
    return odd[0] if odd else importing


def is_signaled(descriptor):
    """Whether a SYNC_FD is signaled by now; -1 always is."""
    return descriptor.fd == -1 or is_ready(descriptor.fd, 0)


@contextmanager
def export_of_pending(gate, factor):
    """Within it a payload behind work is exported: `unsupported` where the exporter waits until the work is done."""
    start = time.monotonic()
    yield
    if factor >= MUCH and gate.is_done and time.monotonic() - start > FIRST_SECONDS * factor / 4:
        too_late(OVER)


def has_failed(wait):
    """Whether a submission, or the wait for its end, returned an error."""
    return isinstance(wait, Submission) and (wait.result.is_error or wait.seen.is_error)
