"""Semaphores that share one payload by reference behave as one semaphore."""

from itertools import permutations

import pytest

from fixtures.testbed.claims import allow_permanence
from fixtures.testbed.devices import batch_of
from fixtures.testbed.gates import Proof, shown
from fixtures.vulkan.outcomes import unsupported
from suites.ledger import rule
from suites.steps.members import NAMES, device_at, each_place, members, scattered
from suites.steps.queues import beside
from suites.steps.signals import at, needs_binary, signal, signal_behind_work, values, wait_for

ROUNDS = 32

PAIRS = list(permutations(NAMES, 2))
each_pair = pytest.mark.parametrize(("acting", "waiting"), PAIRS, ids=map("-to-".join, PAIRS))
"""Which member signals and which waits."""


@rule("SPEC-IMPORT-14", "SPEC-IMPORT-11", "SPEC-STATE-01", "SPEC-FUND-02", "SPEC-COMPAT-01")
@each_place
@each_pair
def test_a_wait_on_one_member_holds_for_the_signal_of_another(
    device, open_device, opaque_kind, permanence, place, acting, waiting
):
    """A batch that waits on one member starts when another member is signaled, and not before."""
    temporary = allow_permanence(opaque_kind, permanence)
    importing, counter = device_at(place, device, open_device), values(opaque_kind)

    def arrange(factor):
        every, value = members(device, importing, opaque_kind, temporary), next(counter)
        return signal_behind_work(every[acting], factor, value), wait_for(every[waiting], value)

    proof = shown(arrange)

    assert proof is Proof.HELD, f"the {acting} signals, the {waiting} waits ({place}): {proof.value}"


@rule("SPEC-IMPORT-14", "SPEC-FUND-02", "SPEC-COMPAT-01", "SPEC-STATE-01")
@each_place
@pytest.mark.parametrize("acting", NAMES)
def test_a_signal_before_the_import_is_there_after_it(device, open_device, opaque_kind, permanence, place, acting):
    """A payload signaled through one member is signaled for a semaphore that imports it later."""
    temporary = allow_permanence(opaque_kind, permanence)
    importing = device_at(place, device, open_device)
    every = members(device, importing, opaque_kind)
    descriptor = every["exporter"].exported()
    signal(every[acting])

    late = importing.semaphore(opaque_kind).imports(descriptor, temporary)

    wait = wait_for(late)
    assert wait.finishes(), (
        f"a signal of the {acting} does not reach a semaphore that imported afterwards ({place}): {wait}"
    )


@rule("SPEC-SHARE-09", "SPEC-STATE-02", "SPEC-IMPORT-14")
@pytest.mark.parametrize("order", list(permutations(NAMES)), ids="-".join)
def test_a_wait_through_one_handle_uses_the_signal_up_for_all(device, open_device, opaque_kind, order):
    """After a wait through one member a wait through another member holds until a new signal."""
    needs_binary(opaque_kind)
    every = scattered(device, open_device, opaque_kind)
    first, second, third = (every[name] for name in order)
    signal(first)
    used = wait_for(second)
    assert used.finishes(), f"a wait through the {order[1]} for a signal of the {order[0]} does not end: {used}"

    proof = shown(lambda factor: (signal_behind_work(first, factor), wait_for(third)))
    assert proof is Proof.HELD, f"the {order[1]} consumed a signal, then the {order[2]} waits: {proof.value}"

    proof = shown(lambda factor: (signal_behind_work(third, factor), wait_for(first)))
    assert proof is Proof.HELD, f"the {order[2]} consumed a signal, then the {order[0]} waits: {proof.value}"


@rule("SPEC-STATE-02", "SPEC-IMPORT-14", "SPEC-STATE-01")
@each_place
def test_signals_and_waits_go_on_round_after_round(device, open_device, opaque_kind, place):
    """Every wait of one member for a signal of another ends, for all pairs, round after round."""
    every = members(device, device_at(place, device, open_device), opaque_kind)
    counter = values(opaque_kind)

    stuck = []
    for turn in range(ROUNDS):
        acting, waiting = PAIRS[turn % len(PAIRS)]
        value = next(counter)
        signal(every[acting], value)
        wait = wait_for(every[waiting], value)
        if not wait.finishes():
            stuck.append(f"in round {turn} the {acting} signaled, the {waiting} waits: {wait}")
            break

    assert not stuck, stuck[0]


@rule("SPEC-IMPORT-14", "SPEC-STATE-02", "SPEC-STATE-01")
@each_place
def test_two_payloads_hand_work_to_and_fro(device, open_device, opaque_kind, place):
    """Batches of two queues that each wait for the other's last signal, all submitted at once, run by turns."""
    importing = device_at(place, device, open_device)
    ping, _, ping_there = members(device, importing, opaque_kind).values()
    pong, pong_there, _ = members(device, importing, opaque_kind).values()
    answering = beside(importing) if importing is device else importing.queue
    counted, calls = values(opaque_kind), []

    def arrange(factor):
        value = next(counted)
        gate = signal_behind_work(ping, factor, value)
        for _ in range(1, ROUNDS):  # no payload is ever waited for by two queues
            calls.append(answering.submit(waits=[at(ping_there, value)], signals=[at(pong_there, value)]))
            calls.append(device.queue.submit(waits=[at(pong, value)], signals=[at(ping, value := next(counted))]))
        calls.append(answering.submit(waits=[at(ping_there, value)]))
        return gate, calls[-1]

    proof = shown(arrange)

    done = [call.is_done for call in calls].count(True)
    assert proof is Proof.HELD, f"the last of {len(calls)} batches that take turns ({done} ended): {proof.value}"


@rule("SPEC-STATE-02", "SPEC-STATE-01")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("calls", ["one-call", "a-call-each"])
def test_a_batch_waits_for_and_signals_one_member(device, open_device, opaque_kind, name, calls):
    """A batch may wait on a member and signal it; the next wait through another member holds for that batch."""
    every = members(device, open_device(), opaque_kind)
    one, queue = every[name], every[name].device.queue
    signal(one)
    batches = [batch_of([at(one, n)], [at(one, n + 1)]) for n in range(1, ROUNDS)]

    groups = [batches] if calls == "one-call" else [[batch] for batch in batches]
    submissions = [queue.submit_batches(group) for group in groups]

    ended, done = submissions[-1].finishes(), [submission.is_done for submission in submissions].count(True)
    assert ended, f"only {done} of {len(groups)} calls with batches that wait for and signal the {name} ended"
    wait = wait_for(every[NAMES[(NAMES.index(name) + 1) % 3]], ROUNDS)
    assert wait.finishes(), f"the signal of the last batch does not reach another member: {wait}"


@rule("SPEC-IMPORT-14", "SPEC-STATE-01", "SPEC-STATE-02")
def test_batches_of_one_call_act_through_any_member(device, opaque_kind):
    """Each batch of a call waits through another member than the one through which the batch before it signals."""
    every = list(members(device, device, opaque_kind).values())
    signal(every[0])
    batches = [batch_of([at(every[n % 3], n)], [at(every[n % 3], n + 1)]) for n in range(1, ROUNDS)]

    call = device.queue.submit_batches(batches)
    last = device.queue.submit(waits=[at(every[ROUNDS % 3], ROUNDS)])

    assert call.finishes(), f"{ROUNDS - 1} batches of one call that wait for each other by turns did not end: {call}"
    assert last.finishes(), f"a wait through the next member, after the batches of one call, did not end: {last}"


@rule("SPEC-IMPORT-14", "SPEC-COMPAT-01", "SPEC-FUND-02")
def test_importers_of_an_importer_are_members_too(device, open_device, opaque_kind):
    """A payload exported from an importer, and again from that one's importer, is still the first exporter's payload."""
    allowed = device.info.claims[opaque_kind.claim][2] & opaque_kind.handle_type
    if not allowed:
        unsupported("OPAQUE_FD is not in the exportFromImportedHandleTypes of OPAQUE_FD")
    first = device.semaphore(opaque_kind, export=True)
    second = open_device().semaphore(opaque_kind, export=True).imports(first.exported())
    third = open_device().semaphore(opaque_kind).imports(second.exported())

    signal(first)
    forth = wait_for(third)
    assert forth.finishes(), f"a signal of the first exporter does not reach the last importer: {forth}"

    proof = shown(lambda n: (signal_behind_work(first, n, n + 1), wait_for(third, n + 1)))
    assert proof is Proof.HELD, f"the first exporter signals, the last importer waits: {proof.value}"
