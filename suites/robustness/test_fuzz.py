"""The driver survives any input: any number as descriptor, any kind of file with any content, any legal chain.

The examples are the same in each run.  An example that crashes or hangs ends its own process; the last call there shows it.
suites/importing judges how foreign descriptors are refused, and what accepted ones do.
"""

import os
import socket
import time
from base64 import b64encode

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from fixtures.testbed import patience
from fixtures.testbed.descriptors import Descriptor
from fixtures.testbed.foreign import STRANGERS
from fixtures.testbed.kinds import KINDS
from fixtures.vulkan.journal import note
from fixtures.vulkan.registry import FeatureFlag, HandleType, SemaphoreType
from suites.ledger import rule
from suites.steps.foreign_imports import exchange, import_in_time

pytestmark = [pytest.mark.isolated(fresh=True), pytest.mark.one_queue, pytest.mark.limit(10)]
EXAMPLES, FIRST = 60, 2
LONGEST = 4.0
"""Seconds, before --patience, that the examples of a test may take."""
LOW = 4096
"""Below it a thread of the driver may open and close descriptors."""


def for_all(check, **strategies):
    """Call `check` with EXAMPLES examples, the same in each run; fewer where they would take longer than LONGEST."""
    start = time.monotonic()
    some_of_all(check, FIRST, strategies)
    took = (time.monotonic() - start) / FIRST
    some_of_all(check, min(EXAMPLES, max(1, int(patience.seconds(LONGEST) / took))), strategies)


def some_of_all(check, count, strategies):
    """Call `check` with the first `count` examples."""
    how = settings(
        max_examples=count, deadline=None, derandomize=True, database=None, phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    how(given(**strategies)(check))()


def permanences(kind):
    """Whether an import of the kind may be temporary (SYNC_FD: always; a timeline: never)."""
    if kind.semaphore_type == SemaphoreType.TIMELINE:
        return st.just(False)
    return st.just(True) if kind.handle_type == HandleType.SYNC_FD else st.booleans()


@rule("SPEC-IMPORT-23", "SPEC-FUND-04")
def test_any_number_is_survived(device, kind):
    """An import of any number that is no open descriptor fails, and the device works on."""
    is_sync = kind.handle_type == HandleType.SYNC_FD

    def check(number, temporary):
        if 0 <= number < LOW:
            return
        semaphore = device.semaphore(kind)
        result = import_in_time(semaphore, number, temporary=temporary)
        semaphore.destroy()
        assert not result.is_success or (is_sync and number < 0), (
            f"the driver imported {number}, which is no descriptor, as {kind}"
        )

    for_all(check, number=st.integers(-(2**31), 2**31 - 1), temporary=permanences(kind))
    exchange(device, kind, "afterwards")


def of_bytes(content):
    """A file in memory."""
    fd = os.memfd_create("fuzz", os.MFD_CLOEXEC)
    os.write(fd, content)
    note("file_of", b64encode(content).decode(), value=fd)
    return fd


def of_kind(which, number):
    """A descriptor without content to read: of the suite's foreign descriptors, a socket, or a file of the system."""
    names = [
        name for name in STRANGERS if name in ("pipe-read", "pipe-write", "epoll", "dev-null", "directory", "o-path")
    ]
    files = ["/proc/self/maps", "/proc/self/mem", "/dev/urandom", "/dev/full", "/sys", "/etc/passwd"]
    sockets = [
        (socket.AF_UNIX, socket.SOCK_DGRAM),
        (socket.AF_UNIX, socket.SOCK_SEQPACKET),
        (socket.AF_INET, socket.SOCK_STREAM),
    ]
    makers = [STRANGERS[name] for name in names]
    makers += [lambda path=path: os.open(path, os.O_RDONLY | os.O_CLOEXEC) for path in files]
    makers += [lambda one=one: socket.socket(*one).detach() for one in sockets]
    makers.append(lambda: os.eventfd(number, os.EFD_CLOEXEC))
    return makers[which % len(makers)]()


def try_to_import(device, kind, fd, temporary):
    """Import a foreign descriptor, and destroy the semaphore unused."""
    with Descriptor(fd, device.vk, "fuzzed file") as stranger:
        semaphore = device.semaphore(kind)
        import_in_time(semaphore, stranger.fd, temporary=temporary)
        semaphore.destroy()


@rule("SPEC-IMPORT-23", "SPEC-FUND-04")
def test_any_content_of_a_file_is_survived(device, kind):
    """An import of a memory file with arbitrary bytes returns, and the device works on."""

    def check(content, temporary):
        try_to_import(device, kind, of_bytes(content), temporary)

    for_all(check, content=st.binary(max_size=5000), temporary=permanences(kind))
    exchange(device, kind, "afterwards")


@rule("SPEC-IMPORT-23", "SPEC-FUND-04")
def test_any_kind_of_file_is_survived(device, kind):
    """An import of a descriptor of any kind returns, and the device works on."""

    def check(which, number, temporary):
        try_to_import(device, kind, of_kind(which, number), temporary)

    for_all(check, which=st.integers(0, 15), number=st.integers(0, 2**32 - 1), temporary=permanences(kind))
    exchange(device, kind, "afterwards")


@rule("SPEC-CREATE-03", "SPEC-CREATE-06", "SPEC-CREATE-08")
def test_any_legal_chain_makes_a_semaphore(device):
    """With any legal chain of type, initial value and exportable types the new semaphore is in the requested state."""
    info = device.info
    types = {semaphore_type: [None, 0] for semaphore_type in SemaphoreType if info.timeline or not semaphore_type}
    for kind in KINDS:
        if info.features(kind) & FeatureFlag.EXPORTABLE:
            types[kind.semaphore_type].append(int(kind.handle_type))
    chains = [(one, export) for one, exports in types.items() for export in exports]

    def check(chain, with_type, value):
        made, export = chain
        wanted = int(made) if made or with_type else None
        answer, handle = device.vk.vkCreateSemaphore(device.handle, export, wanted, value if made else 0)
        assert answer.is_success, f"vkCreateSemaphore({made}, exportable as {export}) returned {answer}"
        assert handle, f"vkCreateSemaphore({made}, exportable as {export}) returned VK_SUCCESS and no handle"
        if made:
            answer, counter = device.vk.vkGetSemaphoreCounterValue(device.handle, handle)
            assert (answer.is_success, counter) == (True, value), (
                f"a timeline made with initialValue {value} has the counter {counter} ({answer})"
            )
        device.vk.vkDestroySemaphore(device.handle, handle)

    for_all(check, chain=st.sampled_from(chains), with_type=st.booleans(), value=st.integers(0, 2**64 - 1))
