"""What another process returned or exported, as the test sees it."""

from contextlib import contextmanager

from fixtures.testbed.descriptors import Descriptor
from fixtures.vulkan.outcomes import Broken, too_late
from fixtures.vulkan.registry import result


def said(ending):
    """What a step returned; of a step that raised, died or hung, a sentence that says so."""
    return ending.value if ending.how == "returned" else f"the other process ended with {ending}"


def from_child(child, commands):
    """(number in the child, descriptor here) of the descriptor that a child exports and sends; `unsupported` where it is -1."""
    answer = result(child.channel.receive())
    if not answer.is_success:
        raise Broken(f"vkGetSemaphoreFdKHR in another process returned {answer} (SPEC-CAPS-03)")
    number = child.channel.receive()
    if number == -1:
        too_late("the driver returned -1: there is no descriptor")
    return number, Descriptor(child.channel.receive_fd(), commands, "received descriptor")


@contextmanager
def ended(child):
    """Within it a step runs; if it was not finished by the end, as where the test fails, its process is killed."""
    try:
        yield child
    finally:
        if child.channel.last is None and child.status is None:
            child.kill()
