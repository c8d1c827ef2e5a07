"""What the machine says after a run: the kernel's log, and whether the devices still answer."""

import os
from dataclasses import replace
from types import SimpleNamespace

from fixtures.testbed import drivers, health
from fixtures.testbed.bench import FOUND
from fixtures.testbed.drivers import Found


def test_only_complaints_about_graphics_are_told():
    """Of the kernel's new lines those of a graphics driver in trouble, each without its head; without a log none."""
    reading, writing = os.pipe2(os.O_NONBLOCK)
    told = []
    for line in ("6,1,1,-;NVRM: Xid (PCI:0000:00:06): 31, pid=7\n SUBSYSTEM=pci", "6,2,2,-;usb 1-1: new device"):
        os.write(writing, line.encode())
        told += [one for one in health.new_lines(reading) if health.COMPLAINT.search(one)]

    assert told == ["NVRM: Xid (PCI:0000:00:06): 31, pid=7"]
    assert list(health.new_lines(-1)) == []


def test_a_device_that_is_gone_is_told():
    """Devices are looked for again; one that its driver no longer shows has a sentence, one that it shows has none."""
    (there,) = drivers.look([drivers.SWIFTSHADER]).devices
    gone = replace(there, device_uuid="00" * 16)

    told = health.lost(SimpleNamespace(stash={FOUND: Found([there, gone])}))

    assert told == [f"{gone.name} ({gone.device_uuid}) is gone"]
