"""The proof that a wait held, over submissions whose end is known."""

import time
from types import SimpleNamespace

import pytest

from fixtures.testbed import cuda, gates, patience
from fixtures.testbed.devices import Submission
from fixtures.testbed.gates import Proof, shown, watch
from fixtures.vulkan.registry import Result


class Fake:
    """A device with one command."""

    def __init__(self, wait):
        self.handle, self.vk = 1, SimpleNamespace(vkWaitForFences=wait)


def submission(seconds, took=0.0, device=None):
    """A submission that is done `seconds` from now on and took `took` to submit."""
    end = time.monotonic() + seconds

    def wait(device, fences, limit):
        time.sleep(max(0.0, min(end - time.monotonic(), limit / 1e9)))
        return Result.SUCCESS if time.monotonic() >= end else Result.TIMEOUT

    return Submission(device or Fake(wait), "vkQueueSubmit", Result.SUCCESS, 1, took=took)


@pytest.mark.parametrize(
    ("work", "wait", "proof"),
    [
        (0.02, 0.03, Proof.HELD),
        (0.05, 0.02, Proof.EARLY),
        (0.02, 9.0, Proof.NEVER),
        (0.0, 0.0, Proof.NOT_SHOWN),
        (0.083, 0.08, Proof.HELD),
        (0.018, 0.015, Proof.NOT_SHOWN),
        (0.1, 0.08, Proof.EARLY),
    ],
    ids=["held", "early", "never", "not-shown", "late-fence", "late-fence-or-early", "early-by-a-fifth"],
)
def test_a_wait_is_judged_by_its_end(monkeypatch, work, wait, proof):
    """After the work it has held, before it is early, much later never; work that was over at once shows nothing.

    A fence of the work that is seen a little later than the wait is no proof of an early end; after long work it has held.
    """
    monkeypatch.setattr(patience, "factor", 0.1)

    assert watch(submission(work), submission(wait)) is proof


def test_a_wait_within_the_submission_shows_by_its_time():
    """Submissions that take as long as the work before them, thrice, have held."""
    seen = []

    def arrange(factor):
        seen.append(factor)
        return submission(0), submission(0, took=gates.FIRST_SECONDS * factor)

    assert shown(arrange) is Proof.HELD
    assert len(seen) == gates.LOOKS


def test_work_that_is_over_at_once_shows_nothing():
    """A submission that returns at once after such work may have waited or not: nothing is judged."""
    with pytest.raises(pytest.skip.Exception, match="the work was over"):
        shown(lambda factor: (submission(0), submission(0)))


def test_one_slow_submission_is_no_proof():
    """A machine that sleeps during one submission does not make a wait of it."""
    with pytest.raises(pytest.skip.Exception, match="the work was over"):
        shown(lambda factor: (submission(0), submission(0, took=1.0 if factor in (1, 16) else 0.0)))


def test_work_that_was_measured_too_short_is_measured_again(monkeypatch):
    """Where no work outlasts the wait, it is fitted to the device anew, and the wait judged by that."""
    device, fitted = submission(0).device, []
    monkeypatch.setitem(gates._works, device, gates.Work(1, 1, {}))
    monkeypatch.setattr(gates, "_fit", lambda *_: fitted.append(True) or True)

    def arrange(factor):
        return submission(0, device=device), submission(0, took=gates.FIRST_SECONDS * factor if fitted else 0)

    assert shown(arrange) is Proof.HELD
    assert fitted == [True]


def test_work_within_the_submission_is_given_up_soon(monkeypatch):
    """Three sizes of work tell that a driver works within the submission; after three tests of a process one size does."""
    monkeypatch.setattr(gates, "_inside", [])
    seen = []

    def arrange(factor):
        seen.append(factor)
        return submission(0, took=gates.FIRST_SECONDS * factor), submission(0)

    for _ in range(gates.LOOKS + 2):
        with pytest.raises(pytest.skip.Exception, match="within the submission"):
            shown(arrange)

    assert seen == [1, 4, 16] * gates.LOOKS + [1, 1]


def mark(seconds):
    """A point in CUDA's stream that is come past `seconds` from now on."""
    end = time.monotonic() + seconds
    query = lambda event: (cuda.SUCCESS if time.monotonic() >= event else cuda.NOT_READY,)  # noqa: E731
    return cuda.Mark(SimpleNamespace(api=SimpleNamespace(cuEventQuery=query)), end)


@pytest.mark.parametrize(("gate", "waiter"), [(mark, submission), (submission, mark), (mark, mark)])
def test_gate_and_waiter_may_be_of_another_interface(gate, waiter):
    """CUDA's work is no Vulkan submission; before a signal and behind a wait it proves the wait all the same."""
    assert shown(lambda factor: (gate(0.02 * (factor - 1)), waiter(0.025 * (factor - 1)))) is Proof.HELD
    assert watch(gate(0.2), waiter(0.01)) is Proof.EARLY
