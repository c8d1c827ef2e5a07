"""Linux sync_files seen from outside Vulkan: what they are, when they are ready, merged."""

import fcntl
import os
import select
import struct

SYNC_IOC_MERGE = 0xC0303E03
SYNC_IOC_FILE_INFO = 0xC0383E04
_MERGE, _INFO = struct.Struct("=32siiII"), struct.Struct("=32siIIIQ")


def link(fd):
    """What /proc says the descriptor is, such as anon_inode:sync_file."""
    return os.readlink(f"/proc/self/fd/{fd}")


def is_ready(fd, seconds):
    """Whether poll() reports the fence signaled within `seconds`."""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return bool(poll.poll(int(seconds * 1000)))


def info(fd):
    """(status, number of fences) by SYNC_IOC_FILE_INFO; OSError where it is no sync_file."""
    answer = fcntl.ioctl(fd, SYNC_IOC_FILE_INFO, bytes(_INFO.size))
    _, status, _, count, *_ = _INFO.unpack(answer)
    return status, count


def merge(one, other):
    """A descriptor that is ready once both are, by SYNC_IOC_MERGE; OSError where one is no sync_file."""
    answer = fcntl.ioctl(one, SYNC_IOC_MERGE, _MERGE.pack(b"merged", other, 0, 0, 0))
    return _MERGE.unpack(answer)[2]
