"""Drivers that are installed beside a named one: they exchange SYNC_FDs with it, and what they do wrong is not its fault."""

import argparse
import os
from types import SimpleNamespace

import pytest

from fixtures.running import selection
from fixtures.testbed.drivers import ROOT, SWIFTSHADER
from fixtures.testbed.gates import Proof
from suites.neighbours.two_drivers import at_fault

MOCK = ROOT / ".vulkan" / "mock" / "mock_icd.json"
"""A driver that claims everything."""


@pytest.fixture
def found(monkeypatch):
    """What is found where SwiftShader and the mock driver are installed and one of them is named, `device` as --device."""

    def find(*named, device=None):
        monkeypatch.setenv("VK_DRIVER_FILES", f"{SWIFTSHADER}:{MOCK}")
        options = {"reference": False, "driver": [str(one) for one in named], "device": device, "require": None}
        return selection.find(argparse.Namespace(**options), ROOT)

    return find


def names(devices):
    """What each device is called."""
    return [one.slug for one in devices]


def test_the_others_are_neighbours_of_a_driver_with_sync_fd(found):
    """Where --driver names a driver with SYNC_FD, the others that are installed are neighbours, under names of their own."""
    here = found(MOCK)

    assert names(here.devices) != names(here.neighbours)
    assert names(here.neighbours) == ["swiftshader"], f"{here} of a driver with SYNC_FD"


def test_a_driver_without_sync_fd_has_no_neighbours(found):
    """Nobody looks at other drivers where there is nothing to exchange, or where all are judged."""
    assert not found(SWIFTSHADER).neighbours
    assert not found().neighbours


def test_what_device_leaves_out_is_a_neighbour(found):
    """A device that --device does not mean may still exchange SYNC_FDs with the one that it means."""
    here = found(SWIFTSHADER, MOCK, device=["swiftshader"])

    assert names(here.devices) == ["swiftshader"]
    assert len(here.neighbours) == 1, f"{here} with --device=swiftshader"


@pytest.mark.parametrize(
    ("proof", "signaled", "guilty"),
    [
        (Proof.EARLY, True, "exporter"),
        (Proof.EARLY, False, "importer"),
        (Proof.NEVER, False, "exporter"),
        (Proof.NEVER, True, "importer"),
    ],
)
def test_the_descriptor_tells_who_is_at_fault(proof, signaled, guilty):
    """A wait that ends early or never is the fault of the exporter whose descriptor is signaled so, else of the importer."""
    reader, writer = os.pipe()
    os.write(writer, b"x" * signaled)

    told = at_fault(proof, [("exporter", SimpleNamespace(fd=reader))], "importer", SimpleNamespace(is_done=False))

    os.close(reader), os.close(writer)
    assert told == guilty
