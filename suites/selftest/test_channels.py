"""The conversation between a test and its step in another process: values, descriptors, and how either ends early."""

import contextlib
import os

import pytest

from fixtures.testbed import bench
from fixtures.vulkan import outcomes
from suites.selftest.samples.steps import answer, hang, leave


def cannot(channel):
    outcomes.unsupported("the driver shows no second device")


def never_return(channel):
    bench.journal().begin("vkQueueSubmit", ())
    hang(channel)


def test_values_and_descriptors_go_both_ways(processes):
    """A channel carries values and descriptors to a step and back, the latter close-on-exec."""
    child = processes.start(answer)
    reader, writer = os.pipe()

    child.channel.send({"number": 1})
    got = child.channel.receive()
    child.channel.send_fd(writer)
    inheritable, back = child.channel.receive(), child.channel.receive_fd()
    child.finish()
    os.write(back, b", from here")
    said, also = os.read(reader, 100), os.get_inheritable(back)
    for fd in (reader, writer, back):
        os.close(fd)

    assert got == ("got", {"number": 1}, child.pid)
    assert (inheritable, also) == (False, False), "a received descriptor is not close-on-exec"
    assert said == b"from the step, from here"


def test_silence_and_death_are_told_apart(processes):
    """Receiving from a step that says nothing times out; from one that is gone it is the end."""
    silent, gone = processes.start(hang, limit=5), processes.start(leave, 0)

    with pytest.raises(TimeoutError):
        silent.channel.receive(0.05)
    with pytest.raises((EOFError, ConnectionResetError)):
        gone.channel.receive()
    silent.kill()
    ending = gone.finish()

    assert ending.how == "exit"


def test_silence_within_a_call_is_the_drivers(processes):
    """A step that sends nothing since a Vulkan call of its process has not returned fails the driver, not the suite."""
    child = processes.start(never_return, limit=5)

    with pytest.raises(AssertionError, match=r"vkQueueSubmit in another process has not returned after 0\.2 s"):
        child.channel.receive(0.2)
    child.kill()


@pytest.mark.parametrize("part", ["receives", "finishes"])
def test_a_step_that_is_unsupported_makes_its_test_so(processes, part):
    """What another process cannot judge is a fault neither of the driver nor of the suite, wherever the test waits for it."""
    child = processes.start(cannot)

    with pytest.raises(pytest.skip.Exception, match=r"^the driver shows no second device"):
        child.channel.receive_fd() if part == "receives" else child.finish()
    with contextlib.suppress(pytest.skip.Exception):
        child.finish()
