"""Several temporary imports before a wait: the newest replaces the others, and the wait restores the permanent payload."""

import pytest

from fixtures.testbed import patience
from fixtures.testbed.gates import Proof, shown
from fixtures.testbed.kinds import BINARY_OPAQUE, BINARY_SYNC
from fixtures.vulkan.outcomes import unsupported, warn
from suites.ledger import rule
from suites.steps.payloads import each_permanent, needs, pending, puts, signaled, target
from suites.steps.signals import first_stuck, signal, signal_behind_work, wait_at, wait_for

OPAQUE, SYNC = BINARY_OPAQUE, BINARY_SYNC
PAIRS = [(OPAQUE, OPAQUE), (OPAQUE, SYNC), (SYNC, OPAQUE), (SYNC, SYNC)]
STACKS = [*PAIRS, (OPAQUE,) * 5, (SYNC,) * 5, (OPAQUE, SYNC, OPAQUE, SYNC), (SYNC, OPAQUE, SYNC, OPAQUE)]


def name(kinds):
    """The imported kinds as text, the oldest first."""
    return "-".join(str(kind.handle_type) for kind in kinds)


each_pair = pytest.mark.parametrize("kinds", PAIRS, ids=map(name, PAIRS))
each_stack = pytest.mark.parametrize("kinds", STACKS, ids=map(name, STACKS))


@rule("SPEC-IMPORT-07", "SPEC-IMPORT-36")
@each_stack
@pytest.mark.parametrize("state", ["signaled", "unsignaled"])
def test_the_newest_temporary_payload_is_waited_for(device, open_device, kinds, state):
    """A wait after several temporary imports holds for the newest payload's signal, although the others are signaled."""
    needs(device, *kinds)
    importing, newest = open_device(), kinds[-1]

    def arrange(factor):
        into = target(device, importing, is_signaled=state == "signaled").semaphore
        for kind in kinds[:-1]:
            puts(signaled(device, kind)[1], into, kind)
        gate, _, descriptor = pending(device, newest, factor)
        return gate, wait_for(puts(descriptor, into, newest))

    proof = shown(arrange)

    assert proof is Proof.HELD, (
        f"a wait after temporary imports of {name(kinds)}, all but the last signaled: {proof.value}"
    )


@rule("SPEC-IMPORT-07", "SPEC-IMPORT-36")
@each_stack
@each_permanent
def test_one_wait_brings_the_permanent_payload_back(device, open_device, kinds, permanent):
    """After any number of temporary imports the second wait is for the permanent payload."""
    needs(device, *kinds)
    into = target(device, open_device(), permanent, is_signaled=True)
    for kind in kinds:
        puts(signaled(device, kind)[1], into.semaphore, kind)

    first = into.waits()
    assert first.finishes(), f"{name(kinds)}: the wait for the newest payload does not end: {first}"
    second = into.waits()

    assert second.finishes(), f"{name(kinds)}: after one wait the permanent payload's signal is lost: {second}"


@rule("SPEC-IMPORT-07", "SPEC-IMPORT-36")
@each_stack
@each_permanent
@pytest.mark.parametrize("state", ["signaled", "unsignaled"])
def test_no_older_temporary_payload_comes_back(device, open_device, kinds, permanent, state):
    """When waits have consumed the newest temporary and the permanent payload, the next wait holds for a new signal."""
    needs(device, *kinds)
    importing = open_device()

    def arrange(factor):
        into = target(device, importing, permanent, state == "signaled")
        for kind in kinds:
            puts(signaled(device, kind)[1], into.semaphore, kind)
        for wait in [into.waits() for _ in range(2 if state == "signaled" else 1)]:
            assert wait.finishes(), f"{name(kinds)}: a wait for an existing signal does not end: {wait}"
        return signal_behind_work(into.below, factor), wait_at(into.semaphore, into.queue)

    proof = shown(arrange)

    assert proof is Proof.HELD, f"{name(kinds)}: a wait with no signal left: {proof.value}"


@rule("SPEC-IMPORT-07", "SPEC-IMPORT-14")
@pytest.mark.isolated
@pytest.mark.parametrize("depth", [2, 5])
def test_replaced_payloads_keep_their_signals(device, open_device, depth):
    """A payload that a second temporary import replaced before any wait stays signaled for the semaphores that share it."""
    needs(device, OPAQUE)
    into = target(device, open_device(), is_signaled=True)
    sources = [signaled(device, OPAQUE) for _ in range(depth)]
    for _, descriptor in sources:
        puts(descriptor, into.semaphore, OPAQUE)

    waits = [into.waits(), into.waits()]

    assert all(wait.finishes() for wait in waits), (
        f"the waits for the newest and the permanent payload do not all end: {waits}"
    )
    for number, (exporter, _) in enumerate(sources[:-1], start=1):
        wait = wait_for(exporter)
        kept = wait.finishes(patience.seconds(patience.SIGNALED))
        assert kept, f"payload {number} of {depth} lost its signal before any wait for it: {wait}"


@rule("SPEC-IMPORT-07", "SPEC-IMPORT-14")
def test_a_replaced_payload_is_not_signaled_any_more(device, open_device):
    """A semaphore's signals go to its newest temporary payload, not to the temporary payload before it."""
    needs(device, OPAQUE)
    importing = open_device()

    def arrange(factor):
        into = target(device, importing).semaphore
        older, newer = (device.semaphore(OPAQUE, export=True) for _ in range(2))
        sharer = importing.semaphore(OPAQUE).imports(older.exported())
        for one in (older, newer):
            puts(one.exported(), into, OPAQUE)
        signal(into)
        wait = wait_for(newer)
        assert wait.finishes(), f"the newer payload does not get the signal: {wait}"
        return signal_behind_work(older, factor), wait_for(sharer)

    proof = shown(arrange)

    assert proof is Proof.HELD, f"a wait through a semaphore that shares the replaced payload: {proof.value}"


@rule("SPEC-IMPORT-28", "SPEC-IMPORT-06", "SPEC-IMPORT-12")
@each_permanent
def test_minus_1_leaves_the_signal_below(device, open_device, permanent):
    """With -1 imported over a signaled payload, one wait consumes the -1, the next the permanent payload's signal."""
    needs(device, SYNC)
    into = over_minus_1(target(device, open_device(), permanent, is_signaled=True))

    waits = [into.waits(), into.waits()]

    stuck = first_stuck(waits)
    assert not stuck, f"of two waits, for -1 and for the permanent payload's signal, one does not end: {stuck}"


@rule("SPEC-IMPORT-28", "SPEC-IMPORT-06")
@each_permanent
def test_minus_1_is_waited_for_once(device, open_device, permanent):
    """With -1 imported over an unsignaled payload, one wait consumes the -1, the next holds for a signal."""
    needs(device, SYNC)
    into = over_minus_1(target(device, open_device(), permanent))

    first = into.waits()
    assert first.finishes(), f"a wait for the imported -1 does not end: {first}"
    proof = shown(lambda factor: (signal_behind_work(into.below, factor), wait_at(into.semaphore, into.queue)))

    assert proof is Proof.HELD, f"a wait after the imported -1 was consumed: {proof.value}"


def over_minus_1(into):
    """A target whose semaphore has imported -1; `unsupported` where that fails."""
    answer = into.semaphore.import_fd(-1, SYNC.handle_type, temporary=True)
    if not answer.is_success:
        unsupported(f"the import of -1 returned {answer}; SPEC-IMPORT-28 judges that")
    return into


@rule("SPEC-IMPORT-28", "SPEC-IMPORT-36", "SPEC-IMPORT-07")
@each_permanent
def test_minus_1_replaces_a_pending_payload(device, open_device, permanent):
    """-1 imported over an unsignaled temporary payload ends one wait at once, which restores the permanent payload."""
    needs(device, OPAQUE, SYNC)
    into = target(device, open_device(), permanent, is_signaled=True)
    unsignaled = device.semaphore(OPAQUE, export=True)
    puts(unsignaled.exported(), into.semaphore, OPAQUE)

    first = over_minus_1(into).waits()
    assert first.finishes(), f"a wait for the imported -1 does not end: {first}"
    second = into.waits()

    assert second.finishes(), f"after a wait for the imported -1 the permanent payload's signal is lost: {second}"
    signal(unsignaled)
    wait = wait_for(unsignaled)
    assert wait.finishes(), f"a signal of the payload that -1 replaced does not end a wait: {wait}"


@rule("SPEC-IMPORT-07", "SPEC-IMPORT-36")
@pytest.mark.parametrize("newer", [OPAQUE, SYNC], ids=lambda kind: str(kind.handle_type))
def test_a_replaced_payload_need_not_be_signaled(device, open_device, newer):
    """A wait for a signaled temporary payload ends, although the temporary payload that it replaced is never signaled."""
    needs(device, OPAQUE, newer)
    into, unsignaled = target(device, open_device()), device.semaphore(OPAQUE, export=True)
    puts(unsignaled.exported(), into.semaphore, OPAQUE)
    puts(signaled(device, newer)[1], into.semaphore, newer)

    wait = into.waits()

    assert wait.finishes(), f"a wait for a signaled {newer} over an unsignaled temporary payload does not end: {wait}"


@rule("SPEC-IMPORT-07", "SPEC-IMPORT-15")
@each_pair
def test_a_replaced_payload_is_not_waited_for(device, open_device, kinds):
    """A wait for a signaled payload ends; waiting for the work before a replaced payload's signal as well is a warning."""
    needs(device, *kinds)
    importing, (older, newer) = open_device(), kinds

    def arrange(factor):
        into, (_, newest) = target(device, importing).semaphore, signaled(device, newer)
        gate, _, descriptor = pending(device, older, factor)
        for payload, kind in ((descriptor, older), (newest, newer)):
            puts(payload, into, kind)
        return gate, wait_for(into)

    proof = shown(arrange)
    if proof is Proof.HELD:
        proof = shown(lambda factor: arrange(8 * factor))  # on a busy machine it may have come late

    assert proof is not Proof.NEVER, f"{name(kinds)}, the first one pending: the wait for the second does not end"
    if proof is Proof.HELD:
        warn(f"{name(kinds)}, the first one pending: the wait for the second lasted until the first was signaled")


@rule("SPEC-IMPORT-07", "SPEC-IMPORT-36")
@each_pair
def test_the_wait_for_the_newest_payload_does_not_delay_the_next(device, open_device, kinds):
    """After two temporary imports a second wait, submitted while the first still holds, is for the permanent payload."""
    needs(device, *kinds)
    importing, (older, newer) = open_device(), kinds

    def arrange(factor):
        into = target(device, importing, is_signaled=True)
        puts(signaled(device, older)[1], into.semaphore, older)
        gate, _, descriptor = pending(device, newer, factor)
        puts(descriptor, into.semaphore, newer)
        into.waits()
        return gate, into.waits()

    proof = shown(arrange)

    assert proof is Proof.HELD, f"{name(kinds)}: the second of two waits at once: {proof.value}"
