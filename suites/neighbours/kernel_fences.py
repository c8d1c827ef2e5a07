"""Sync_files that no Vulkan driver made, from the kernel's own sources of fences, where this machine has them.

Each source is a context manager that gives (descriptor number, the function that signals it, or None if it is signaled
already); a source that this machine lacks raises OSError.  The numbers come from linux/sync_file.h, dma-buf.h, udmabuf.h,
vgem_drm.h.
"""

import fcntl
import os
import struct
from contextlib import contextmanager
from functools import partial
from glob import glob

from fixtures.testbed import syncobjs
from fixtures.testbed.syncobjs import call

CREATE_FENCE, INCREASE = 0xC0285700, 0x40045701
CREATE_UDMABUF, EXPORT_SYNC_FILE, READ_AND_WRITE = 0x40187542, 0xC0086202, 3
CREATE_DUMB, HANDLE_TO_FD, ATTACH_FENCE, SIGNAL_FENCE = 0xC02064B2, 0xC00C642D, 0xC0106441, 0x40086442


@contextmanager
def opened(path):
    """A device node, open within the context."""
    fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        yield fd
    finally:
        os.close(fd)


@contextmanager
def sw_sync():
    """The kernel's software timeline, in debugfs."""
    with opened("/sys/kernel/debug/sync/sw_sync") as timeline:
        fence = call(timeline, CREATE_FENCE, "=I32si", 1, b"foreign", -1)[2]
        yield fence, partial(call, timeline, INCREASE, "=I", 1)


@contextmanager
def udmabuf():
    """The fences of an unused buffer: there are none, which counts as signaled."""
    memory = os.memfd_create("foreign", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        os.ftruncate(memory, 4096)
        fcntl.fcntl(memory, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK)
        with opened("/dev/udmabuf") as device:
            yield (
                fences_of(fcntl.ioctl(device, CREATE_UDMABUF, bytearray(struct.pack("=IIQQ", memory, 1, 0, 4096)))),
                None,
            )
    finally:
        os.close(memory)


@contextmanager
def vgem():
    """The kernel's virtual GPU: a buffer with a fence that ends when told, or after 10 seconds."""
    with opened(node_of_vgem()) as device:
        handle = call(device, CREATE_DUMB, "=IIIIIIQ", 1, 64, 32, 0, 0, 0, 0)[4]
        fence = call(device, ATTACH_FENCE, "=IIII", handle, 1, 0, 0)[2]
        buffer = call(device, HANDLE_TO_FD, "=IIi", handle, os.O_CLOEXEC, -1)[2]
        yield fences_of(buffer), partial(call, device, SIGNAL_FENCE, "=II", fence, 0)


@contextmanager
def syncobj():
    """A synchronization object of a graphics driver in the kernel, created signaled."""
    yield syncobjs.new(is_signaled=True, as_sync_file=True), None


SOURCES = {"sw_sync": sw_sync, "udmabuf": udmabuf, "vgem": vgem, "syncobj": syncobj}


def fences_of(buffer):
    """The fences of a dma-buf, which is closed, as a sync_file."""
    try:
        return call(buffer, EXPORT_SYNC_FILE, "=Ii", READ_AND_WRITE, -1)[1]
    finally:
        os.close(buffer)


def node_of_vgem():
    """The primary node of the kernel's virtual GPU."""
    for path in sorted(glob("/dev/dri/card*")):
        if "/vgem/" in os.path.realpath(f"/sys/class/drm/{os.path.basename(path)}"):
            return path
    raise FileNotFoundError(2, "no vgem in /dev/dri")
