"""Writes the suite's own steps between the calls in C; their functions are in `reproducer.c` and `foreign.c`."""

from __future__ import annotations

from base64 import b64decode

from reports.reproduce.c_text import Names, Writer


def _fill(it: Names, command: int, buffer: int, size: int, repeats: int) -> str:
    named, used = it.use("VkCommandBuffer", command), it.use("VkBuffer", buffer)
    return f"fill({it.device_of(command)}, {named}, {used}, {size}, {repeats})"


def _step(function: str, makes: bool = False) -> Writer:
    """A step that a function of the program takes, with descriptors as parameters."""

    def write(it: Names, *fds: int) -> str:
        text = f"{function}({', '.join(it.fd(fd) for fd in fds)})"
        return f"{it.make('int')} = {text}" if makes else text

    return write


def _file_of(it: Names, content: str) -> str:
    """A file in memory with these bytes, as base64."""
    known = b64decode(content)
    escaped = "".join(f"\\{byte:03o}" for byte in known)
    return f'{it.make("int")} = file_of("{escaped}", {len(known)})'


FOREIGN: dict[str, str] = {
    "closed": "closed()",
    "minus-1": "-1",
    "minus-2": "-2",
    "lowest-int": "INT_MIN",
    "beyond-the-limit": "INT_MAX",
    "pipe-read": "pipe_end(0)",
    "pipe-write": "pipe_end(1)",
    "socket": "lone_socket()",
    "eventfd": "eventfd(0, EFD_CLOEXEC)",
    "epoll": "epoll_create1(EPOLL_CLOEXEC)",
    "memfd-empty": "memory_file(0, 0)",
    "memfd-zeros": "memory_file(4096, 0)",
    "memfd-noise": "memory_file(16384, 1)",
    "dev-null": 'open("/dev/null", O_RDWR | O_CLOEXEC)',
    "dev-zero": 'open("/dev/zero", O_RDWR | O_CLOEXEC)',
    "directory": 'open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)',
    "o-path": 'open("/", O_PATH | O_CLOEXEC)',
    "regular-file": "regular_file()",
}
"""How to make a foreign descriptor (one of no semaphore), by the suite's name for it."""

STEPS: dict[str, Writer] = {
    "fill": _fill,
    "stranger": lambda it, name: f"{it.make('int')} = {FOREIGN[name]}",
    "file_of": _file_of,
    "dup": _step("copy", makes=True),
    "receive_fd": _step("receive_fd", makes=True),
    "send_fd": _step("send_fd"),
    "close": _step("close"),
    "is_open": _step("is_open"),
    "closes_on_exec": _step("closes_on_exec"),
    "same_file": _step("same_file"),
    "fill_table": lambda it, room: f"fill_table({room})",
    "empty_table": lambda it: "empty_table()",
}
"""The recorded steps that a program can repeat, by their names in the record."""
