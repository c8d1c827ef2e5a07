"""Linux sync_files without Vulkan: ask what they are, poll them, merge them."""

import ctypes
import fcntl
import os
import select
import struct

from fixtures.testbed import bench
from fixtures.testbed.descriptors import Descriptor
from fixtures.vulkan.outcomes import unsupported

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


def fences(fd):
    """(driver's name, status) of each fence by SYNC_IOC_FILE_INFO; OSError where it is no sync_file."""
    count = info(fd)[1]
    found = bytearray(count * _FENCE.size)
    place = (ctypes.c_char * len(found)).from_buffer(found)
    fcntl.ioctl(fd, SYNC_IOC_FILE_INFO, _INFO.pack(b"", 0, 0, count, 0, ctypes.addressof(place)))
    return [(driver.split(b"\0")[0].decode(), status) for _, driver, status, *_ in _FENCE.iter_unpack(bytes(found))]


def merge(one, other):
    """The number of a sync_file that is ready once both are, by SYNC_IOC_MERGE; OSError where one is no sync_file."""
    answer = fcntl.ioctl(one, SYNC_IOC_MERGE, _MERGE.pack(b"merged", other, 0, 0, 0))
    return _MERGE.unpack(answer)[2]


def merge_sync_files(one, other):
    """The Descriptor of two sync_files merged; `unsupported` where they cannot be merged."""
    try:
        return Descriptor(merge(one.fd, other.fd), bench.commands(), "merged sync_file")
    except OSError as problem:
        unsupported(f"SYNC_IOC_MERGE failed with {problem.strerror}; SPEC-HANDLE-06 judges that")
