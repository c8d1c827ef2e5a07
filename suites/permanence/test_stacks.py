"""Several temporary imports before a wait: only the newest counts, and nothing but the permanent payload comes back."""

import pytest

from fixtures.testbed import patience
from fixtures.testbed.gates import Proof, shown
from fixtures.testbed.semaphores import BINARY_OPAQUE, BINARY_SYNC
from fixtures.vulkan.outcomes import unsupported, warn
from suites.ledger import rule
from suites.steps.members import signal, signal_behind_work, wait_for
from suites.steps.payloads import each_permanent, needs, pending, puts, signaled, target, wait_at
from suites.steps.queues import first_stuck

OPAQUE, SYNC = BINARY_OPAQUE, BINARY_SYNC
PAIRS = [(OPAQUE, OPAQUE), (OPAQUE, SYNC), (SYNC, OPAQUE), (SYNC, SYNC)]
STACKS = [*PAIRS, (OPAQUE,) * 5, (SYNC,) * 5, (OPAQUE, SYNC, OPAQUE, SYNC), (SYNC, OPAQUE, SYNC, OPAQUE)]


def name(kinds):
    """What was imported, the oldest first."""
    return "-".join(str(kind.handle_type) for kind in kinds)


each_pair = pytest.mark.parametrize("kinds", PAIRS, ids=map(name, PAIRS))
each_stack = pytest.mark.parametrize("kinds", STACKS, ids=map(name, STACKS))


@rule("SPEC-IMPORT-07", "SPEC-IMPORT-36")
@each_pair
@pytest.mark.parametrize("state", ["signaled", "unsignaled"])
def test_the_newest_temporary_payload_is_waited_for(device, open_device, kinds, state):
    """The wait after two temporary imports holds for the second one's signal, though the first one's has happened."""
    needs(device, *kinds)
    importing, (older, newer) = open_device(), kinds

    def arrange(factor):
        into = target(device, importing, is_signaled=state == "signaled").semaphore
        puts(signaled(device, older)[1], into, older)
        gate, _, descriptor = pending(device, newer, factor)
        return gate, wait_for(puts(descriptor, into, newer))

    proof = shown(arrange)

    assert proof is Proof.HELD, f"{name(kinds)} imported, the first one signaled: {proof.value}"


@rule("SPEC-IMPORT-07", "SPEC-IMPORT-36")
@each_stack
@each_permanent
def test_one_wait_brings_the_permanent_payload_back(device, open_device, kinds, permanent):
    """However many temporary imports there were, the second wait is for the signal of the permanent payload."""
    needs(device, *kinds)
    into = target(device, open_device(), permanent, is_signaled=True)
    for kind in kinds:
        puts(signaled(device, kind)[1], into.semaphore, kind)

    first = into.waits()
    assert first.finishes(), f"{name(kinds)}: the wait for the newest payload does not end: {first}"
    second = into.waits()

    assert second.finishes(), f"{name(kinds)}: after one wait the permanent payload's signal is not there: {second}"


@rule("SPEC-IMPORT-07", "SPEC-IMPORT-36")
@each_stack
@each_permanent
@pytest.mark.parametrize("state", ["signaled", "unsignaled"])
def test_no_older_temporary_payload_comes_back(device, open_device, kinds, permanent, state):
    """When the newest temporary payload and the permanent one are used up, a wait holds for a new signal."""
    needs(device, *kinds)
    importing = open_device()

    def arrange(factor):
        into = target(device, importing, permanent, state == "signaled")
        for kind in kinds:
            puts(signaled(device, kind)[1], into.semaphore, kind)
        for wait in [into.waits() for _ in range(2 if state == "signaled" else 1)]:
            assert wait.finishes(), f"{name(kinds)}: a wait before the one in question does not end: {wait}"
        return signal_behind_work(into.below, factor), wait_at(into.semaphore, into.queue)

    proof = shown(arrange)

    assert proof is Proof.HELD, f"{name(kinds)}: with no signal left, {proof.value}"


@rule("SPEC-IMPORT-07", "SPEC-IMPORT-14")
@pytest.mark.isolated
@pytest.mark.parametrize("depth", [2, 5])
def test_replaced_payloads_keep_their_signals(device, open_device, depth):
    """A payload that another temporary import replaced before any wait is still signaled for those who share it."""
    needs(device, OPAQUE)
    into = target(device, open_device(), is_signaled=True)
    sources = [signaled(device, OPAQUE) for _ in range(depth)]
    for _, descriptor in sources:
        puts(descriptor, into.semaphore, OPAQUE)

    waits = [into.waits(), into.waits()]

    assert all(wait.finishes() for wait in waits), f"the waits for the newest and the permanent payload: {waits}"
    for number, (exporter, _) in enumerate(sources[:-1], start=1):
        wait = wait_for(exporter)
        kept = wait.finishes(patience.seconds(patience.SIGNALED))
        assert kept, f"payload {number} of {depth} lost its signal, which nobody waited for: {wait}"


@rule("SPEC-IMPORT-07", "SPEC-IMPORT-14")
def test_a_replaced_payload_is_not_signaled_any_more(device, open_device):
    """Signals of a semaphore go to its newest temporary payload, not to the one that this replaced."""
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

    assert proof is Proof.HELD, f"the semaphore was signaled; who shares the payload that was replaced: {proof.value}"


@rule("SPEC-IMPORT-28", "SPEC-IMPORT-06", "SPEC-IMPORT-12")
@each_permanent
def test_minus_1_leaves_the_signal_below(device, open_device, permanent):
    """Over a signaled payload -1 is waited for once; then the permanent payload is back, signaled."""
    needs(device, SYNC)
    into = over_minus_1(target(device, open_device(), permanent, is_signaled=True))

    waits = [into.waits(), into.waits()]

    stuck = first_stuck(waits)
    assert not stuck, f"of two waits, for -1 and for the signal below, one does not end: {stuck}"


@rule("SPEC-IMPORT-28", "SPEC-IMPORT-06")
@each_permanent
def test_minus_1_is_waited_for_once(device, open_device, permanent):
    """Over an unsignaled payload -1 is waited for once; then a wait holds for a signal."""
    needs(device, SYNC)
    into = over_minus_1(target(device, open_device(), permanent))

    first = into.waits()
    assert first.finishes(), f"a wait for the imported -1 does not end: {first}"
    proof = shown(lambda factor: (signal_behind_work(into.below, factor), wait_at(into.semaphore, into.queue)))

    assert proof is Proof.HELD, f"-1 is used up: {proof.value}"


def over_minus_1(into):
    """A target whose semaphore has imported -1; `unsupported` where that fails."""
    answer = into.semaphore.import_fd(-1, SYNC.handle_type, temporary=True)
    if not answer.is_success:
        unsupported(f"the import of -1 returned {answer}; SPEC-IMPORT-28 judges that")
    return into


@rule("SPEC-IMPORT-28", "SPEC-IMPORT-36", "SPEC-IMPORT-07")
@each_permanent
def test_minus_1_replaces_a_pending_payload(device, open_device, permanent):
    """A signaled payload imported as -1 over one that is unsignaled is waited for at once; then the permanent one is back."""
    needs(device, OPAQUE, SYNC)
    into = target(device, open_device(), permanent, is_signaled=True)
    unsignaled = device.semaphore(OPAQUE, export=True)
    puts(unsignaled.exported(), into.semaphore, OPAQUE)

    first = over_minus_1(into).waits()
    assert first.finishes(), f"a wait for the imported -1 does not end: {first}"
    second = into.waits()

    assert second.finishes(), f"after it the permanent payload's signal is not there: {second}"
    signal(unsignaled)
    wait = wait_for(unsignaled)
    assert wait.finishes(), f"the payload that -1 replaced can no longer be used: {wait}"


@rule("SPEC-IMPORT-07", "SPEC-IMPORT-36")
@pytest.mark.parametrize("newer", [OPAQUE, SYNC], ids=lambda kind: str(kind.handle_type))
def test_a_replaced_payload_need_not_be_signaled(device, open_device, newer):
    """The wait for a payload that is signaled ends, though the one that it replaced never is."""
    needs(device, OPAQUE, newer)
    into, unsignaled = target(device, open_device()), device.semaphore(OPAQUE, export=True)
    puts(unsignaled.exported(), into.semaphore, OPAQUE)
    puts(signaled(device, newer)[1], into.semaphore, newer)

    wait = into.waits()

    assert wait.finishes(), f"{newer} signaled, over a payload that is not: {wait}"


@rule("SPEC-IMPORT-07", "SPEC-IMPORT-15")
@each_pair
def test_a_replaced_payload_is_not_waited_for(device, open_device, kinds):
    """The wait for a signaled payload ends before the work behind the one it replaced; no sentence says how soon: a warning."""
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
    """With two temporary payloads a second wait, submitted while the first holds, is for the permanent payload."""
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

    assert proof is Proof.HELD, f"{name(kinds)}: two waits at once: {proof.value}"
