"""What the suite says of descriptors: whether one is open, what it refers to, and whose it is."""

import os

import pytest

from fixtures.testbed import bench
from fixtures.testbed.descriptors import Descriptor, is_open, open_descriptors, same_file
from fixtures.vulkan.commands import Commands
from fixtures.vulkan.journal import Journal
from fixtures.vulkan.outcomes import unsupported


@pytest.fixture
def commands(tmp_path):
    """A watched command table without commands."""
    return Commands(object(), Journal(str(tmp_path / "journal")))


@pytest.fixture
def event(commands):
    """A descriptor that the suite owns."""
    with Descriptor(os.eventfd(0), commands, "event") as made:
        yield made


def test_copies_refer_to_the_same_file(event):
    """A dup is the same open file; another eventfd is not, though the inode is."""
    copy, other = event.dup(), os.eventfd(0)
    same, different = same_file(event.fd, copy.fd), same_file(event.fd, other)
    alike = os.fstat(event.fd).st_ino == os.fstat(other).st_ino
    os.close(other)
    copy.close()

    if same is None:
        unsupported("the kernel does not allow kcmp here")
    assert (same, different) == (True, False)
    assert alike, "inode numbers would do"


def test_a_file_opened_twice_is_two(tmp_path):
    """Two open() calls on one path give two open files."""
    path = tmp_path / "file"
    path.touch()
    with path.open() as one, path.open() as other:
        same = same_file(one.fileno(), other.fileno())

    if same is None:
        unsupported("the kernel does not allow kcmp here")
    assert same is False


def test_a_closed_number_is_the_same_as_nothing(event):
    """Comparing with a closed number says no, it does not fail."""
    copy = event.dup()
    number = copy.fd
    copy.close()

    assert same_file(event.fd, number) in (False, None)
    assert not is_open(number)


def test_a_copy_closes_on_exec(event):
    """`dup` sets close-on-exec, and both are seen as they are."""
    copy = event.dup()
    os.set_inheritable(event.fd, True)

    assert copy.closes_on_exec
    assert not event.closes_on_exec
    copy.close()


def test_closing_ends_ownership(event, commands):
    """A descriptor is owned from its making to its close, which closes it once."""
    owned = event.is_owned

    answers = [event.close(), event.close()]

    assert (owned, event.is_owned, event.is_open, answers) == (True, False, False, [0, 0])


def test_what_a_driver_took_is_not_closed(event, commands):
    """After an import the number is the driver's: closing the descriptor leaves it open."""
    commands.disown(event.fd)

    event.close()

    assert event.is_open, "the suite closed a descriptor that a driver owns"
    os.close(event.fd)


def test_a_number_that_is_no_descriptor_is_never_owned(commands):
    """-1 is neither owned nor open, and duplicates to itself."""
    nothing = Descriptor(-1, commands)

    assert (nothing.is_owned, nothing.is_open, nothing.dup().fd, nothing.close()) == (False, False, -1, 0)


def test_what_a_test_leaves_open_is_closed(commands, monkeypatch):
    """Descriptors that are still owned when a test ends are closed, those that a driver took or closed are not."""
    left, taken, robbed = (Descriptor(os.eventfd(0), commands) for _ in range(3))
    commands.disown(taken.fd)
    os.close(robbed.fd)
    monkeypatch.setattr(bench, "_commands", {"": commands})

    bench.close_descriptors()

    assert (left.is_open, taken.is_open, commands.owned) == (False, True, set())
    os.close(taken.fd)


def test_open_descriptors_are_those_that_are_open():
    """The numbers of this process, without the one used to look."""
    before = open_descriptors()
    made = os.eventfd(0)
    during = open_descriptors()
    os.close(made)

    assert during - before == {made}
    assert open_descriptors() == before
