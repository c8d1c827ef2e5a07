"""Linux sync_files without Vulkan: ask what they are, poll them, merge them."""

import ctypes
import fcntl
import os
import select
import struct
from typing import NamedTuple

from fixtures.testbed import bench
from fixtures.testbed.descriptors import Descriptor
from fixtures.vulkan.outcomes import declined

SYNC_IOC_MERGE = 0xC0303E03
SYNC_IOC_FILE_INFO = 0xC0383E04
_MERGE, _INFO, _FENCE = struct.Struct("=32siiII"), struct.Struct("=32siIIIQ"), struct.Struct("=32s32siIQ")


def link(fd):
    """The name of the descriptor in /proc, such as anon_inode:sync_file."""
    return os.readlink(f"/proc/self/fd/{fd}")


def is_ready(fd, seconds):
    """Whether poll() reports the fence signaled within `seconds`."""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return bool(poll.poll(int(seconds * 1000)))


def tells_epoll(fd, seconds):
    """Whether epoll reports the fence signaled within `seconds`."""
    with select.epoll() as epoll:
        epoll.register(fd, select.EPOLLIN)
        return bool(epoll.poll(seconds))


def info(fd):
    """(status, number of fences) by SYNC_IOC_FILE_INFO; OSError where it is no sync_file."""
    answer = fcntl.ioctl(fd, SYNC_IOC_FILE_INFO, bytes(_INFO.size))
    _, status, _, count, *_ = _INFO.unpack(answer)
    return status, count


class Told(NamedTuple):
    """What SYNC_IOC_FILE_INFO tells of a fence: `status` 0 pending, 1 signaled, below 0 an error; `nanoseconds` when."""

    driver: str
    timeline: str
    status: int
    nanoseconds: int


def fences(fd):
    """What the kernel tells of each fence of a sync_file; OSError where it is none."""
    count = info(fd)[1]
    found = bytearray(count * _FENCE.size)
    place = (ctypes.c_char * len(found)).from_buffer(found)
    fcntl.ioctl(fd, SYNC_IOC_FILE_INFO, _INFO.pack(b"", 0, 0, count, 0, ctypes.addressof(place)))
    names = [[text.split(b"\0")[0].decode() for text in one[:2]] for one in _FENCE.iter_unpack(bytes(found))]
    numbers = [(status, time) for *_, status, _, time in _FENCE.iter_unpack(bytes(found))]
    return [Told(driver, timeline, *both) for (timeline, driver), both in zip(names, numbers, strict=True)]


def merge(one, other):
    """The number of a sync_file that is ready once both are, by SYNC_IOC_MERGE; OSError where one is no sync_file."""
    answer = fcntl.ioctl(one, SYNC_IOC_MERGE, _MERGE.pack(b"merged", other, 0, 0, 0))
    return _MERGE.unpack(answer)[2]


def merge_sync_files(one, other):
    """The Descriptor of two sync_files merged; `unsupported` where they cannot be merged."""
    try:
        return Descriptor(merge(one.fd, other.fd), bench.commands(), "merged sync_file")
    except OSError as problem:
        declined(f"SYNC_IOC_MERGE failed with {problem.strerror}; SPEC-HANDLE-06 judges that")


class Fence:
    """A sync_file as the gate of `shown`: real work of another process, which cannot be asked."""

    def __init__(self, descriptor):
        self.fd = descriptor.fd

    @property
    def is_done(self):
        """Whether it is signaled by now."""
        return self.finishes(0)

    def finishes(self, seconds):
        """Whether it is signaled within `seconds`."""
        return is_ready(self.fd, seconds)
