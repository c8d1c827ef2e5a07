"""A payload outlives the members of its set: those that are left signal and wait as before."""

from itertools import permutations

import pytest

from fixtures.testbed import bench
from fixtures.testbed.claims import allow_permanence
from fixtures.testbed.gates import Proof, shown
from suites.ledger import rule
from suites.steps.members import NAMES, close, device_at, each_place, members, scattered
from suites.steps.signals import signal, signal_behind_work, values, wait_for

each_order = pytest.mark.parametrize("order", list(permutations(NAMES)), ids="-".join)
"""Which member is destroyed first, which next, and which stays."""


@rule("SPEC-DESTROY-03", "SPEC-IMPORT-14")
@each_place
@each_order
def test_a_signal_stays_when_its_signaler_is_destroyed(device, open_device, opaque_kind, place, order):
    """The signal of a member that is then destroyed reaches the members that are left."""
    every = members(device, device_at(place, device, open_device), opaque_kind)

    for value in (1, 2):
        name = order[value - 1]
        signal(every[name], value)
        every[name].destroy()
        wait = wait_for(every[order[value]], value)
        assert wait.finishes(), f"the {name} signaled and was destroyed; the {order[value]} waits: {wait}"


@rule("SPEC-DESTROY-03", "SPEC-IMPORT-14", "SPEC-STATE-02")
@each_place
@each_order
def test_the_members_that_are_left_signal_and_wait(device, open_device, opaque_kind, place, order):
    """After each destruction the other members signal and wait as before, down to the last one."""
    every = members(device, device_at(place, device, open_device), opaque_kind)
    counter = values(opaque_kind)

    for gone in (1, 2):
        every[order[gone - 1]].destroy()
        for acting, waiting in [(a, w) for a in order[gone:] for w in order[gone:]]:
            value = next(counter)
            signal(every[acting], value)
            wait = wait_for(every[waiting], value)
            assert wait.finishes(), f"after {order[:gone]} were destroyed the {acting} signaled, the {waiting}: {wait}"


@rule("SPEC-DESTROY-03", "SPEC-IMPORT-14")
@each_order
def test_a_wait_still_holds_when_a_member_is_destroyed(device, open_device, opaque_kind, order):
    """A wait on one member holds for another's signal, also while a third member is destroyed."""
    gone, acting, waiting = order
    counter = values(opaque_kind)
    importing, elsewhere = open_device(), open_device()

    def arrange(factor):
        every, value = members(device, importing, opaque_kind), next(counter)
        descriptor = every["exporter"].exported()
        every[waiting] = elsewhere.semaphore(opaque_kind).imports(descriptor)
        gate, wait = signal_behind_work(every[acting], factor, value), wait_for(every[waiting], value)
        every[gone].destroy()
        return gate, wait

    proof = shown(arrange)

    assert proof is Proof.HELD, f"the {acting} signals, another waits, the {gone} is destroyed: {proof.value}"


@rule("SPEC-DESTROY-03", "SPEC-IMPORT-14")
@pytest.mark.parametrize("gone", NAMES)
def test_a_new_member_joins_after_one_was_destroyed(device, open_device, opaque_kind, gone):
    """After a member was destroyed the payload imports again, and a wait on the new member holds for signals of the others."""
    every = scattered(device, open_device, opaque_kind)
    descriptor = every["exporter"].exported()
    newcomer, left = open_device(), [name for name in NAMES if name != gone]
    every[gone].destroy()

    joined = newcomer.semaphore(opaque_kind).imports(descriptor)

    for turn, name in enumerate(left):
        acting, base = every[name], 1000 * turn
        proof = shown(lambda n, a=acting, b=base: (signal_behind_work(a, n, b + n), wait_for(joined, b + n)))
        assert proof is Proof.HELD, f"the {gone} was destroyed; the {name} signals, a new member waits: {proof.value}"


@rule("SPEC-DESTROY-03")
def test_destroying_under_a_temporary_import_leaves_both_payloads(device, open_device, opaque_kind):
    """Destroying a semaphore with a temporary payload over a permanent one leaves both payloads signaled for other semaphores."""
    allow_permanence(opaque_kind, "temporary")
    below, above = (device.semaphore(opaque_kind, export=True) for _ in range(2))
    gone = open_device().semaphore(opaque_kind).imports(below.exported()).imports(above.exported(), temporary=True)
    signal(below)
    signal(above)

    gone.destroy()

    waits = {"permanent": wait_for(below), "temporary": wait_for(above)}
    lost = {name: str(wait) for name, wait in waits.items() if not wait.finishes()}
    assert not lost, f"destroying a semaphore with two imported payloads lost the signal of one: {lost}"


@rule("SPEC-DESTROY-03", "SPEC-IMPORT-14")
@pytest.mark.parametrize("gone", ["device", "instance"])
@pytest.mark.parametrize("state", ["signaled", "unsignaled"])
def test_importers_work_on_without_the_exporters_device(device, open_device, opaque_kind, gone, state):
    """Importers keep the payload and its state when the exporter's device or instance is destroyed."""
    exporting, importing = open_device(), open_device()
    exporter, _, importer = members(exporting, importing, opaque_kind).values()
    other = device.semaphore(opaque_kind).imports(exporter.exported())
    if state == "signaled":
        signal(exporter)

    close(exporting, gone, device)

    if state == "signaled":
        wait = wait_for(importer)
        assert wait.finishes(), f"destroying the exporter's {gone} lost its signal: {wait}"
    proof = shown(lambda n: (signal_behind_work(other, n, n + 1), wait_for(importer, n + 1)))
    assert proof is Proof.HELD, f"the exporter's {gone} was destroyed; its importers signal and wait: {proof.value}"


@rule("SPEC-DESTROY-03")
def test_destroying_the_importers_device_leaves_the_exporter(device, open_device, opaque_kind):
    """The exporter keeps its payload and its state when an importer is destroyed with its device and instance."""
    importing, elsewhere = open_device(), open_device()
    exporter, importer, _ = members(device, importing, opaque_kind).values()
    other = elsewhere.semaphore(opaque_kind).imports(exporter.exported())
    signal(importer)

    bench.close_device(importing)

    wait = wait_for(exporter)
    assert wait.finishes(), f"destroying the importer's instance lost its signal: {wait}"
    proof = shown(lambda n: (signal_behind_work(exporter, n, n + 1), wait_for(other, n + 1)))
    assert proof is Proof.HELD, f"an importer's instance was destroyed; the others signal and wait: {proof.value}"
