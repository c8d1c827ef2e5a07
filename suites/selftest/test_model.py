"""The reference model against histories written by hand from the specification."""

from types import SimpleNamespace

from fixtures.reference.payloads import Binary, Semaphore, Timeline, Wait
from fixtures.testbed.kinds import KINDS
from fixtures.vulkan.registry import FeatureFlag, HandleType
from suites.model.world import PLACES, Handle, Made, Pending, Work, World

OPAQUE, SYNC = HandleType.OPAQUE_FD, HandleType.SYNC_FD


def signaled():
    """A binary semaphore of its own payload, signaled."""
    made = Semaphore(Binary(OPAQUE | SYNC))
    made.submit_signal().execute()
    return made


def test_a_submitted_wait_brings_the_permanent_payload_back():
    """A temporary payload lasts until the next wait is submitted, whatever was imported in between (SPEC-IMPORT-06, -07)."""
    made = Semaphore(Binary())
    own = made.payload
    made.import_reference(signaled().payload, OPAQUE, temporary=True)
    made.import_reference(signaled().payload, OPAQUE, temporary=True)

    wait = made.submit_wait()

    assert wait.is_satisfied
    assert made.payload is own


def test_a_permanent_import_replaces_both_payloads():
    """After a permanent import over a temporary one no wait restores anything older (SPEC-IMPORT-09)."""
    made, shared = Semaphore(Binary()), signaled().payload
    made.import_reference(Binary(), OPAQUE, temporary=True)
    made.import_reference(shared, OPAQUE, temporary=False)

    wait = made.submit_wait()

    assert wait.is_satisfied
    assert made.payload is shared


def test_a_member_waits_for_what_another_signaled():
    """Semaphores that share a payload behave as one: the signal is consumed for all (SPEC-IMPORT-14)."""
    one, other = Semaphore(Binary(OPAQUE)), Semaphore(Binary())
    other.import_reference(one.export_reference(), OPAQUE, temporary=False)
    one.submit_signal().execute()

    wait = other.submit_wait()

    assert wait.is_satisfied
    assert not one.payload.has_signal


def test_an_export_by_copy_consumes_the_signal():
    """SYNC_FD leaves its source as a wait does, and the importer with the signal (SPEC-IMPORT-15, -17)."""
    source, importer = signaled(), Semaphore(Binary())

    importer.import_copy(source.export_copy())

    assert not source.payload.has_signal
    assert importer.payload.is_signaled
    assert not source.may_export(SYNC, {})


def test_a_shared_timeline_has_one_counter():
    """Every member of a timeline reads what one of them set (SPEC-HOST-09)."""
    one, other = Semaphore(Timeline(OPAQUE, [3, 0, 0])), Semaphore(Timeline())
    other.import_reference(one.export_reference(), OPAQUE, temporary=False)

    other.submit_signal(9).execute()

    assert one.payload.value == 9


# What waits: suites/model/world.py


def walked():
    """A world with everything claimed, and a semaphore of each kind on the first device."""
    info = SimpleNamespace(
        features=lambda kind: FeatureFlag.EXPORTABLE | FeatureFlag.IMPORTABLE,
        claims={kind.claim: [3, 17, 17] for kind in KINDS},
    )
    world = World(info, set())
    made = [
        Made(world.next(), PLACES[0], kind, True, Semaphore(world.new_payload(kind, True, 0))) for kind in world.kinds
    ]
    world.semaphores = made
    return world, made


def held(world, made, gate, value=0):
    """A signal of `made` behind a timeline that is still 0."""
    one = Pending(world.next(), made.place, made, Wait(gate, 1), made.model.submit_signal(value), gate=99)
    world.pending.append(one)
    return one


def test_a_signal_behind_a_gate_is_no_reason_to_wait():
    """Until the gate opens nobody may wait for the signal, export it as SYNC_FD or signal again (-03238, -03254, -00067)."""
    world, (_, _, made) = walked()
    gate = Timeline()
    held(world, made, gate)

    assert not world.waitable()
    assert made not in world.exportable()
    assert not [one for one in world.signalable(held=True) if one is made]

    gate.signal(1)
    ended = list(world.finished())

    assert [one.made for one in ended] == [made]
    assert world.waitable() == [made]
    assert made in world.exportable()


def test_what_is_pending_exports_by_reference():
    """An OPAQUE_FD export needs no state; its importer has the signal once it is executed (SPEC-EXPORT-07, SPEC-IMPORT-33)."""
    world, (made, _, _) = walked()
    gate, importer = Timeline(), Semaphore(Binary())
    held(world, made, gate)

    assert made in world.exportable()
    importer.import_reference(made.model.export_reference(), OPAQUE, temporary=True)
    assert not importer.payload.is_signaled
    gate.signal(1)
    list(world.finished())

    assert importer.payload.is_signaled


def test_a_queue_ends_its_submissions_in_order():
    """The second submission of a queue waits for the first, whatever its own gate does (SPEC-STATE-10)."""
    world, (binary, timeline, _) = walked()
    first, second = Timeline(), Timeline()
    held(world, binary, first)
    held(world, timeline, second, value=5)

    second.signal(1)
    assert not list(world.finished())
    assert [one.made for one in world.releasable()] == [binary], "a gate that is open is not raised again (-03258)"
    assert timeline.model.payload.value == 0
    first.signal(1)

    assert [one.made for one in world.finished()] == [binary, timeline]
    assert timeline.model.payload.value == 5


def test_a_semaphore_in_use_is_left_alone():
    """What a queue works with is neither destroyed nor imported into; another semaphore with its payload is (-01137, -01142)."""
    world, (made, _, _) = walked()
    member = Made(world.next(), PLACES[0], made.kind, True, Semaphore(made.model.payload))
    world.semaphores.append(member)

    held(world, made, Timeline())

    assert world.is_used(made)
    assert made not in world.destroyable() + world.targets(OPAQUE)
    assert member in world.destroyable()
    assert member in world.targets(OPAQUE)


def test_a_copy_of_a_signal_behind_work_waits_for_that_work():
    """A SYNC_FD that was exported while work ran signals its importer after that work (SPEC-IMPORT-33)."""
    world, (_, _, made) = walked()
    importer = Made(world.next(), PLACES[1], made.kind, False, Semaphore(Binary()))
    made.model.submit_signal().execute()
    work = world.works[made.model.payload] = Work(world.next(), made)
    handle = Handle(world.next(), 0, made.kind, 7, world.export(made))
    world.handles.append(handle)

    world.import_(handle, importer, temporary=True)

    assert world.works[importer.model.payload] is work
    assert made not in world.signalable(), "its first signal has not been executed yet"
    world.forget(work)
    assert made in world.signalable()


def test_an_export_by_reference_leaves_a_temporary_payload_unsettled():
    """Whether it ends the temporary payload is open (SPEC-IMPORT-18): walks let the semaphore be until an import settles it."""
    world, made = walked()
    made = made[0]
    world.semaphores = [made]
    made.model.import_reference(signaled().payload, OPAQUE, temporary=True)
    before = world.waitable(), world.exportable()

    made.model.export_reference()
    between = world.waitable(), world.signalable(), world.exportable(), world.destroyable()
    made.model.import_reference(signaled().payload, OPAQUE, temporary=True)

    assert before == ([made], [made])
    assert between == ([], [], [], [made])
    assert world.waitable() == [made]


def test_an_export_of_a_semaphores_own_payload_settles_all():
    """Without a temporary payload an export by reference changes nothing."""
    made = signaled()

    made.export_reference()

    assert not made.is_unsettled
