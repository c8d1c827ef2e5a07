"""Several threads at once: each handle and queue is synchronized by the application, a shared payload by the driver."""

import time
from concurrent.futures import ThreadPoolExecutor
from queue import Queue
from threading import Barrier, Event, Lock

import pytest

from fixtures.testbed import patience
from fixtures.testbed.claims import allow_permanence
from fixtures.testbed.descriptors import is_open
from fixtures.testbed.kinds import BINARY_OPAQUE, TIMELINE
from fixtures.vulkan.outcomes import unsupported
from fixtures.vulkan.registry import Result
from suites.ledger import rule
from suites.steps.members import members
from suites.steps.payloads import needs
from suites.steps.queues import COMMANDS, queue_for
from suites.steps.signals import at, first_stuck, is_timeline, signal, wait_for
from suites.steps.timelines import needs_timelines

THREADS = 4
MADE = 8
EXPORTS = 24
ROUNDS = 48
BESIDE = 0.005
"""Seconds until a thread that was told to wait is waiting."""


def together(jobs):
    """Run each job in a thread of its own, all from the same moment on; returns what they return."""
    barrier = Barrier(len(jobs))

    def run(job):
        barrier.wait()
        return job()

    with ThreadPoolExecutor(len(jobs)) as threads:
        return [started.result() for started in [threads.submit(run, job) for job in jobs]]


def signal_and_wait(signaler, waiter):
    """Signal and wait round after round; the first wait that does not end, as text."""
    for value in range(1, ROUNDS):
        signal(signaler, value)
        wait = wait_for(waiter, value)
        if not wait.finishes():
            return f"wait {value}: {wait}"
    return ""


@rule("SPEC-THREAD-03", "SPEC-THREAD-09")
@pytest.mark.isolated
def test_threads_export_one_semaphore_at_once(device, opaque_kind):
    """Concurrent exports of one semaphore all succeed and give a descriptor each."""
    exporter = device.semaphore(opaque_kind, export=True)

    lists = together([lambda: [exporter.export_fd() for _ in range(EXPORTS)]] * THREADS)

    answers = [answer for one in lists for answer, _ in one]
    numbers = [descriptor.fd for one in lists for _, descriptor in one]
    assert set(answers) == {Result.SUCCESS}, f"concurrent exports of one semaphore returned {set(map(str, answers))}"
    assert len(set(numbers)) == len(numbers), f"{len(numbers)} concurrent exports gave {len(set(numbers))} descriptors"
    assert all(map(is_open, numbers)), "some of the exported descriptors are not open"


@rule("SPEC-THREAD-03", "SPEC-IMPORT-14")
@pytest.mark.isolated
def test_descriptors_of_concurrent_exports_share_the_payload(device, open_device, opaque_kind):
    """Descriptors that several threads exported from one semaphore all import its payload."""
    exporter, importing = device.semaphore(opaque_kind, export=True), open_device()
    lists = together([lambda: [exporter.exported() for _ in range(4)]] * THREADS)

    importers = [importing.semaphore(opaque_kind).imports(descriptor) for one in lists for descriptor in one]

    for value, importer in enumerate(importers, start=1):
        signal(exporter, value)
        wait = wait_for(importer, value)
        assert wait.finishes(), f"the exporter's signal does not reach importer {value} of {len(importers)}: {wait}"


@rule("SPEC-SHARE-01", "SPEC-THREAD-09")
@pytest.mark.isolated
def test_members_come_and_go_while_others_work(device, open_device, opaque_kind):
    """One thread imports a payload and destroys the importers while another signals and waits through its own semaphores."""
    exporter, importer, _ = members(device, open_device(), opaque_kind).values()
    descriptor, busy = exporter.exported(), open_device()

    def come_and_go():
        answers = set()
        for _ in range(ROUNDS):
            member = busy.semaphore(opaque_kind)
            answers.add(member.import_fd(descriptor.dup().fd))
            member.destroy()
        return answers

    answers, problem = together([come_and_go, lambda: signal_and_wait(exporter, importer)])

    assert answers == {Result.SUCCESS}, f"imports during signals and waits returned {set(map(str, answers))}"
    assert not problem, (
        f"a wait does not end while another thread imports the payload and destroys importers: {problem}"
    )


@rule("SPEC-SHARE-01", "SPEC-THREAD-03")
@pytest.mark.isolated
def test_a_payload_is_exported_from_one_handle_while_another_is_used(device, open_device, opaque_kind):
    """One thread exports from one semaphore of a payload while another signals and waits through the others."""
    exporter, signaler, waiter = members(device, open_device(), opaque_kind).values()

    def export():
        return {exporter.export_fd()[0] for _ in range(ROUNDS)}

    answers, problem = together([export, lambda: signal_and_wait(signaler, waiter)])

    assert answers == {Result.SUCCESS}, f"exports during signals and waits returned {set(map(str, answers))}"
    assert not problem, f"a wait does not end while another thread exports the payload: {problem}"


def signal_by_turns(signaler, submitted, used):
    """Signal in every round, a binary payload when its last wait has ended; what went wrong, as text."""
    for value in range(1, ROUNDS + 1):
        submission = signaler.device.queue.submit(signals=[at(signaler, value)])
        submitted.put(submission.result)
        if not is_timeline(signaler.kind) and not used.get():
            return "its wait did not end"
    return "" if submission.finishes() else str(submission)


def wait_by_turns(waiter, submitted, used):
    """Wait in every round, for a binary payload when its signal was submitted; what went wrong, as text."""
    for value in range(1, ROUNDS + 1):
        if not is_timeline(waiter.kind) and not submitted.get().is_success:
            used.put(False)
            return "its signal was refused"
        wait = wait_for(waiter, value)
        used.put(wait.finishes())
        if not wait.finishes(0):
            return f"wait {value}: {wait}"
    return ""


@rule("SPEC-SHARE-02", "SPEC-SHARE-01")
@pytest.mark.isolated
def test_submissions_of_two_devices_meet_on_one_payload(device, open_device, opaque_kind):
    """A thread that signals and a thread that waits, each with its own semaphore, device and queue, both finish.

    A timeline's waiter needs no turns; a binary one takes turns with its signaler, as no other order would be valid.
    """
    exporter, importer, _ = members(device, open_device(), opaque_kind).values()
    turns = Queue(), Queue()

    problems = together([lambda: signal_by_turns(exporter, *turns), lambda: wait_by_turns(importer, *turns)])
    reached = exporter.counter() if is_timeline(opaque_kind) else ROUNDS

    assert problems == ["", ""], f"{ROUNDS} signals: {problems[0] or 'ended'}; their waits: {problems[1] or 'ended'}"
    assert reached == ROUNDS, (
        f"all signals and waits ended, but the signaler's counter is {reached} instead of {ROUNDS}"
    )


def live_on(user, kind, lock):
    """Create, export, import, signal, wait and destroy, again and again; what does not end, as text."""
    for number in range(ROUNDS // 4):
        exporter, importer, _ = members(user, user, kind).values()
        with lock:  # a queue is one thread's at a time
            submissions = [user.queue.submit(signals=[at(exporter)]), user.queue.submit(waits=[at(importer)])]
        if stuck := first_stuck(submissions):
            return f"round {number}: {stuck}"
        exporter.destroy()
        importer.destroy()
    return ""


@rule("SPEC-THREAD-09", "SPEC-IMPORT-14")
@pytest.mark.isolated
@pytest.mark.parametrize("devices", ["one-device", "a-device-each"])
def test_threads_share_payloads_of_their_own(device, open_device, opaque_kind, devices):
    """Several threads create, export, import, signal, wait and destroy at once, each with its own semaphores."""
    users = [device if devices == "one-device" else open_device() for _ in range(THREADS)]
    locks = {user.handle: Lock() for user in users}

    told = together([lambda user=user: live_on(user, opaque_kind, locks[user.handle]) for user in users])

    problems = [problem for problem in told if problem]
    assert not problems, f"in {len(problems)} of {THREADS} threads signals or waits did not end: {problems[0]}"


@rule("SPEC-THREAD-09")
@pytest.mark.isolated
def test_timelines_that_threads_create_at_once_are_their_own(device):
    """Each timeline that concurrent threads created has the initial value that its thread gave it."""
    needs_timelines(device)

    def create(first):
        return [device.semaphore(TIMELINE, initial_value=value) for value in range(first, first + MADE)]

    lists = together([lambda first=first: create(first) for first in range(0, THREADS * MADE, MADE)])

    counters = [one.counter() for made in lists for one in made]
    assert counters == list(range(THREADS * MADE)), (
        f"timelines created with 0 to {THREADS * MADE - 1} have the counters {counters}"
    )


@rule("SPEC-THREAD-09")
@pytest.mark.isolated
def test_binary_semaphores_that_threads_create_at_once_are_their_own(device):
    """Each binary semaphore that concurrent threads created is signaled and waited for by itself."""
    lists = together([lambda: [device.semaphore() for _ in range(MADE)]] * THREADS)
    made = [one for row in lists for one in row]

    used = [device.queue.submit(signals=[one]) for one in made] + [device.queue.submit(waits=[one]) for one in made]

    stuck = first_stuck(used)
    assert not stuck, f"of {len(made)} semaphores, each signaled and waited for once, one is stuck: {stuck}"


@rule("SPEC-THREAD-09", "SPEC-SHARE-01")
@pytest.mark.isolated
def test_one_payload_is_imported_by_several_threads_at_once(device, open_device, opaque_kind, permanence):
    """Concurrent imports of one payload into semaphores of several devices all succeed, and signals reach each."""
    temporary = allow_permanence(opaque_kind, permanence)
    exporter = device.semaphore(opaque_kind, export=True)
    descriptor, devices = exporter.exported(), [open_device() for _ in range(THREADS)]

    def imports(importing):
        return [importing.semaphore(opaque_kind).imports(descriptor, temporary) for _ in range(4)]

    lists = together([lambda one=one: imports(one) for one in devices])

    for value, importer in enumerate([one for row in lists for one in row], start=1):
        signal(exporter, value)
        wait = wait_for(importer, value)
        assert wait.finishes(), f"the signal does not reach importer {value} of several concurrent ones: {wait}"


def live(device):
    """Create two semaphores, export one and import it into the other, and destroy both."""
    needs(device, BINARY_OPAQUE)
    for one in members(device, device, BINARY_OPAQUE).values():
        one.destroy()


def count(device):
    """Signal a timeline by the host, wait for it, read it and destroy it."""
    other = device.semaphore(TIMELINE)
    assert other.host_signal(1).is_success, "vkSignalSemaphore failed (SPEC-HOST-08)"
    assert other.host_wait(other.counter()).is_success, "vkWaitSemaphores for the counter's value failed (SPEC-HOST-03)"
    other.destroy()


def submit(device, through):
    """Submit nothing but a fence, and wait for that."""
    assert queue_for(device, through).submit(through=through).finishes(), f"an empty {through} failed (SPEC-FUND-09)"


@rule("SPEC-THREAD-09")
@pytest.mark.isolated
@pytest.mark.parametrize("what", [live, count, *COMMANDS], ids=lambda one: getattr(one, "__name__", one))
def test_commands_go_on_beside_a_host_wait(device, what):
    """While one thread waits for a timeline, other commands return; the signal then ends the wait."""
    needs_timelines(device)
    waited, begun = device.semaphore(TIMELINE), Event()

    with ThreadPoolExecutor(1) as thread:
        wait = thread.submit(lambda: (begun.set(), waited.host_wait(1))[1])
        begun.wait()
        time.sleep(BESIDE)
        what(device) if callable(what) else submit(device, what)
        is_over = wait.done()
        signaled = waited.host_signal(1)
        answer = wait.result()

    assert not is_over, f"{what} returned only after the wait of another thread had ended with {answer}"
    assert signaled.is_success, f"vkSignalSemaphore during a wait of another thread returned {signaled}"
    assert answer.is_success, f"a wait during other commands returned {answer}"


def wait_for_all(semaphore):
    """Wait on the host for every value that is signaled; what went wrong."""
    for value in range(1, ROUNDS + 1):
        answer = semaphore.host_wait(value)
        if not answer.is_success:
            return {f"a wait for {value}: {answer}"}
    return set()


def read_all(semaphore):
    """Read the counter again and again; what went wrong."""
    seen = [semaphore.counter() for _ in range(ROUNDS)]
    return set() if seen == sorted(seen) else {f"the counter went back: {seen}"}


@rule("SPEC-THREAD-06", "SPEC-SHARE-01")
@pytest.mark.isolated
def test_host_operations_of_several_threads_meet_on_one_payload(device, open_device, opaque_kind):
    """Threads that wait for and read a timeline through any member all reach the values that one thread signals."""
    if not is_timeline(opaque_kind):
        unsupported("binary semaphores have no host operations")
    every = list(members(device, open_device(), opaque_kind).values())

    signals = [lambda: {every[0].host_signal(value) for value in range(1, ROUNDS + 1)}]
    others = [lambda s=s, job=job: job(s) for s in every for job in (wait_for_all, wait_for_all, read_all)]
    problems = set().union(*together(signals + others)) - {Result.SUCCESS}

    assert not problems, f"concurrent host operations on one payload failed: {', '.join(map(str, problems))}"
    counters = [semaphore.counter() for semaphore in every]
    assert counters == [ROUNDS] * 3, f"after signals up to {ROUNDS} the counters are {counters}"


LONG = 5.0
"""Seconds for which a thread may block while others export and import."""

BLOCKING = {
    "vkWaitForFences": lambda timeline, batch: batch.end(patience.seconds(LONG)),
    "vkWaitSemaphores": lambda timeline, batch: timeline.host_wait(1, patience.seconds(LONG)),
    "vkQueueWaitIdle": lambda timeline, batch: timeline.device.vk.vkQueueWaitIdle(timeline.device.queue.handle),
    "vkDeviceWaitIdle": lambda timeline, batch: timeline.device.vk.vkDeviceWaitIdle(timeline.device.handle),
}
"""Calls that block until a timeline is signaled, which a batch waits for."""


@rule("SPEC-THREAD-09")
@pytest.mark.isolated
@pytest.mark.parametrize("each", [1, 2], ids=["one-fence", "overlapping"])
def test_threads_wait_for_one_fence_at_once(device, timeline, each):
    """Threads that block in vkWaitForFences for the same fences, or for some of them, all return when those are signaled."""
    fences = [device.queue.submit(waits=[(timeline, 1)]).fence for _ in range(THREADS + 1)]
    lists = [tuple(fences[number * (each - 1) :][:each]) for number in range(THREADS)]

    def wait(waited):
        return device.vk.vkWaitForFences(device.handle, waited, patience.nanoseconds(LONG))

    with ThreadPoolExecutor(THREADS) as threads:
        waiting = [threads.submit(wait, one) for one in lists]
        time.sleep(BESIDE)
        early = [one.result() for one in waiting if one.done()]
        timeline.host_signal(1)
        answers = [one.result() for one in waiting]

    assert not early, f"of {THREADS} threads that wait for fences, some returned before these were signaled: {early}"
    assert answers == [Result.SUCCESS] * THREADS, f"{THREADS} threads waited for fences at once, and returned {answers}"


@rule("SPEC-THREAD-09")
@pytest.mark.isolated
@pytest.mark.parametrize("call", BLOCKING)
def test_exports_and_imports_return_beside_a_thread_that_blocks(device, opaque_kind, timeline, call):
    """While a thread blocks in a call, another one makes semaphores, exports, imports, and signals what the first waits for."""
    exporter, batch = device.semaphore(opaque_kind, export=True), device.queue.submit(waits=[(timeline, 1)])

    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(BLOCKING[call], timeline, batch)
        time.sleep(BESIDE)
        device.semaphore(opaque_kind).imports(exporter.exported())
        early = waiting.done()
        timeline.host_signal(1)
        answer = waiting.result()

    assert not early, f"an export and an import did not return before {call} of another thread did, with {answer}"
    assert answer.is_success, f"{call}, while another thread exported, imported and signaled, returned {answer}"
