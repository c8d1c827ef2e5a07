"""A test that leaves its process unfit for those after it (../test_isolation.py runs it)."""

from fixtures.vulkan.registry import Result


def _makes_a_semaphore(device):
    semaphore = device.semaphore()
    assert semaphore.handle, "vkCreateSemaphore made none"


def test_neighbour_before(device):
    _makes_a_semaphore(device)


def test_poison(device):
    """From here on nobody makes a semaphore in this process."""
    device.vk.vkCreateSemaphore = lambda *_: (Result.ERROR_OUT_OF_DEVICE_MEMORY, 0)


def test_neighbour_after(device):
    _makes_a_semaphore(device)


def test_neighbour_that_fails_anyway(device):
    semaphore = device.semaphore()
    assert not semaphore.handle, "this one fails"


def test_neighbour_at_the_end(device):
    _makes_a_semaphore(device)
