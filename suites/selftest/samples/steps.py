"""Steps that selftests start in another process."""

import ctypes
import os


def hang(channel):
    ctypes.PyDLL(None).sleep(600)


def leave(channel, status):
    os._exit(status)


def answer(channel):
    """Send back what was sent, and the descriptor that came."""
    channel.send(("got", channel.receive(), os.getpid()))
    fd = channel.receive_fd()
    os.write(fd, b"from the step")
    channel.send(os.get_inheritable(fd))
    channel.send_fd(fd)
