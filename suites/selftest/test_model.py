"""The reference model against histories written by hand from the specification."""

from fixtures.payloads import Binary, Semaphore, Timeline
from fixtures.registry import HandleType

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
