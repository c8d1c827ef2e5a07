"""Tests that go wrong in every way, each between neighbours that do not (../test_isolation.py runs them)."""

import ctypes
import os

import pytest

from fixtures.vulkan.outcomes import unsupported, warn
from fixtures.vulkan.registry import HandleType
from suites.ledger import rule


def passes(device):
    importer = device.semaphore()
    answer = importer.import_fd(device.semaphore(export=True).exported().fd)
    assert answer.is_success, f"vkImportSemaphoreFdKHR returned {answer}"


def fails(device):
    descriptor = device.semaphore(export=True).exported()
    assert descriptor.fd < 0, f"this one fails: {descriptor.name}"


def warns(device):
    warn(f"{device} is worth a look")


def lacks(device):
    unsupported(f"{device} lacks something")


def robbed(device):
    """Somebody closes a descriptor that is the suite's to close."""
    os.close(device.semaphore(export=True).exported().fd)


def segfault(device):
    ctypes.string_at(0)


def hang(device):
    """Never come back from native code, with the interpreter's lock held."""
    ctypes.PyDLL(None).sleep(600)


def leave(device):
    ctypes.CDLL(None)._exit(7)


def crash_in_a_command(device):
    device.vk.vkGetSemaphoreFdKHR(device.handle, 0x10, int(HandleType.OPAQUE_FD))


def crash_in_teardown(device):
    device.later(ctypes.string_at, 0)


NEIGHBOURS = {"passes": passes, "fails": fails, "warns": warns, "lacks": lacks, "robbed": robbed}
ALONE = [
    pytest.param(segfault, id="alone-segfault"),
    pytest.param(hang, id="alone-hang"),
    pytest.param(leave, id="alone-leave"),
    pytest.param(crash_in_a_command, id="alone-crash_in_a_command"),
    pytest.param(segfault, id="alone-warning_segfault", marks=rule("SPEC-EXPORT-05")),
    pytest.param(hang, id="alone-warning_hang", marks=rule("SPEC-EXPORT-05")),
]
TOGETHER = [
    pytest.param(act, id=f"together-{act.__name__}")
    for act in (segfault, hang, leave, crash_in_a_command, crash_in_teardown)
]


def neighbours(number):
    return [pytest.param(act, id=f"neighbour-{name}-{number}") for name, act in NEIGHBOURS.items()]


@pytest.mark.isolated
@pytest.mark.limit(1)
@pytest.mark.parametrize("act", ALONE)
def test_alone(device, act):
    act(device)


@pytest.mark.limit(1)
@pytest.mark.parametrize("act", [p for i, trouble in enumerate(TOGETHER) for p in (*neighbours(i), trouble)])
def test_together(device, act):
    act(device)


@pytest.mark.parametrize("act", neighbours("last"))
def test_afterwards(device, act):
    act(device)


@pytest.mark.isolated
@pytest.mark.parametrize("act", neighbours("alone"))
def test_isolated_neighbours(device, act):
    act(device)
