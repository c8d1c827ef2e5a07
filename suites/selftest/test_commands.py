"""What the suite checks at every call on the way: each wrong answer becomes exactly its breach, a right one none."""

import os
from types import SimpleNamespace

import pytest

from fixtures.vulkan import outcomes
from fixtures.vulkan.commands import RESULT_RULES, Commands
from fixtures.vulkan.journal import Journal
from fixtures.vulkan.registry import HandleType, Result, result, results_of

OPAQUE, SYNC = int(HandleType.OPAQUE_FD), int(HandleType.SYNC_FD)
GET, IMPORT = "vkGetSemaphoreFdKHR", "vkImportSemaphoreFdKHR"
ARGUMENTS = {GET: (1, 2, OPAQUE), IMPORT: (1, 2, OPAQUE, -1)}
"""Arguments of the commands that are looked at beyond their result."""


@pytest.fixture
def driver(tmp_path):
    """Makes the watched table of a driver whose commands are the given functions; breaches seen are forgotten."""
    journal = Journal(str(tmp_path / "journal"))
    yield lambda **commands: Commands(SimpleNamespace(**commands), journal)
    outcomes.notes.clear()


@pytest.fixture
def event():
    """An open descriptor, close-on-exec."""
    fd = os.eventfd(0)
    yield fd
    if os.path.exists(f"/proc/self/fd/{fd}"):
        os.close(fd)


def seen():
    """(rule, command) of each breach that was noted."""
    return [(one.rule, one.command) for one in outcomes.notes.breaches]


def exports(driver, *answers, handle_type=OPAQUE):
    """Export once for each answer of a driver; returns the watched table."""
    given = iter(answers)
    vk = driver(vkGetSemaphoreFdKHR=lambda *_: next(given))
    for _ in answers:
        vk.vkGetSemaphoreFdKHR(1, 2, handle_type)
    return vk


def test_a_sound_export_is_no_breach(driver, event):
    """The descriptor is the suite's from then on."""
    vk = exports(driver, (Result.SUCCESS, event))

    assert (seen(), vk.owned) == ([], {event})


@pytest.mark.parametrize("command", RESULT_RULES)
def test_an_unlisted_result_is_a_breach_of_the_commands_rule(driver, command):
    """Every result that the command lists is fine, any other is a breach of its own rule, UNKNOWN aside."""
    listed = results_of(command) - {Result.ERROR_UNKNOWN, Result.SUCCESS}
    given = iter([(one, -1) if command == GET else one for one in (*listed, Result.NOT_READY)])
    call = getattr(driver(**{command: lambda *_: next(given)}), command)
    for _ in listed:
        call(*ARGUMENTS.get(command, ()))
    fine = seen()

    call(*ARGUMENTS.get(command, ()))

    assert fine == []
    assert seen() == [(RESULT_RULES[command], command)]
    assert f"{command} returned VK_NOT_READY" in outcomes.notes.breaches[0].what


@pytest.mark.parametrize("code", [-1000072004, 5, -12345])
def test_a_result_that_the_registry_lacks_is_a_breach(driver, code):
    """Whatever number a driver returns is told."""
    exports(driver, (result(code), -1))

    assert seen() == [("SPEC-RESULT-01", GET)]
    assert str(result(code)) in outcomes.notes.breaches[0].what


def test_unknown_is_worth_a_look_and_no_unlisted_result(driver):
    """VK_ERROR_UNKNOWN may come of every command, but not for valid use."""
    exports(driver, (Result.ERROR_UNKNOWN, -1))

    assert seen() == [("SPEC-FUND-09", GET)]


def test_an_import_may_return_unknown(driver):
    """Whether an import was legal only its test knows: VK_ERROR_UNKNOWN of one that was not breaks no rule on the way."""
    driver(vkImportSemaphoreFdKHR=lambda *_: Result.ERROR_UNKNOWN).vkImportSemaphoreFdKHR(1, 1, 1, -1)

    assert seen() == []


def test_results_that_misuse_allows_are_tolerated_while_it_lasts(driver):
    """`tolerated` results are no breach, and are one again afterwards."""
    vk = driver(vkDeviceWaitIdle=lambda _: Result.ERROR_INITIALIZATION_FAILED)
    vk.tolerated = frozenset({Result.ERROR_INITIALIZATION_FAILED})
    vk.vkDeviceWaitIdle(1)
    during = seen()

    vk.tolerated = frozenset()
    vk.vkDeviceWaitIdle(1)

    assert (during, seen()) == ([], [("SPEC-RESULT-12", "vkDeviceWaitIdle")])


def test_a_descriptor_without_close_on_exec_is_a_breach(driver, event):
    """It is the suite's all the same."""
    os.set_inheritable(event, True)

    vk = exports(driver, (Result.SUCCESS, event))

    assert (seen(), vk.owned) == ([("SPEC-EXPORT-04", GET)], {event})


def test_a_descriptor_that_the_suite_already_owns_is_a_breach(driver, event):
    """Two exports give two descriptors."""
    exports(driver, (Result.SUCCESS, event), (Result.SUCCESS, event))

    assert seen() == [("SPEC-EXPORT-01", GET)]
    assert "already owns" in outcomes.notes.breaches[0].what


def test_a_number_may_come_again_once_it_is_given_up(driver, event):
    """After a close, or an import, the same number is a new descriptor."""
    vk = driver(vkGetSemaphoreFdKHR=lambda *_: (Result.SUCCESS, event))
    vk.vkGetSemaphoreFdKHR(1, 2, OPAQUE)
    vk.disown(event)

    vk.vkGetSemaphoreFdKHR(1, 2, OPAQUE)

    assert seen() == []


@pytest.mark.parametrize(
    ("number", "handle_type"), [(-1, OPAQUE), (-2, OPAQUE), (-2, SYNC), (9999, OPAQUE), (9999, SYNC)]
)
def test_a_number_that_is_not_open_is_a_breach(driver, number, handle_type):
    """Success with no open descriptor; the suite does not own it."""
    vk = exports(driver, (Result.SUCCESS, number), handle_type=handle_type)

    assert (seen(), vk.owned) == ([("SPEC-EXPORT-01", GET)], set())


def test_minus_one_of_a_sync_fd_is_no_breach(driver):
    """-1 stands for a payload that is already signaled."""
    vk = exports(driver, (Result.SUCCESS, -1), handle_type=SYNC)

    assert (seen(), vk.owned) == ([], set())


def test_a_failed_export_brings_no_descriptor(driver, event):
    """Whatever number a failed export leaves behind is not looked at."""
    vk = exports(driver, (Result.ERROR_TOO_MANY_OBJECTS, event))

    assert (seen(), vk.owned) == ([], set())


def imports(driver, fd, answer, closes):
    """Import an owned descriptor into a driver that answers so, and closes it or not; returns the watched table."""

    def command(device, semaphore, handle_type, number, flags=0):
        if closes:
            os.close(number)
        return answer

    vk = driver(vkImportSemaphoreFdKHR=command)
    vk.own(fd)
    vk.vkImportSemaphoreFdKHR(1, 2, OPAQUE, fd)
    return vk


@pytest.mark.parametrize("closes", [True, False])
def test_a_successful_import_takes_the_descriptor(driver, event, closes):
    """The driver owns it, and may close it at once."""
    vk = imports(driver, event, Result.SUCCESS, closes)

    assert (seen(), vk.owned) == ([], set())


def test_a_number_is_nobodys_while_it_is_imported(driver, event):
    """A driver may close it at once, and another thread's export may bring the same number before the import returns."""
    during = []
    vk = driver(vkImportSemaphoreFdKHR=lambda *_: during.append(set(vk.owned)) or Result.ERROR_OUT_OF_HOST_MEMORY)
    vk.own(event)

    vk.vkImportSemaphoreFdKHR(1, 2, OPAQUE, event)

    assert (during, vk.owned, seen()) == ([set()], {event}, [])


def test_tables_of_one_process_know_each_others_descriptors(driver, event):
    """What one table exported another may import."""
    vk = exports(driver, (Result.SUCCESS, event))
    importing = SimpleNamespace(vkImportSemaphoreFdKHR=lambda *_: Result.SUCCESS)

    Commands(importing, vk._journal, beside=vk).vkImportSemaphoreFdKHR(1, 2, OPAQUE, event)

    assert (vk.owned, seen()) == (set(), [])


def test_a_failed_import_leaves_the_descriptor(driver, event):
    """It is still the suite's, and open."""
    vk = imports(driver, event, Result.ERROR_INVALID_EXTERNAL_HANDLE, False)

    assert (seen(), vk.owned) == ([], {event})


def test_a_failed_import_that_closes_the_descriptor_is_a_breach(driver, event):
    """The number is nobody's from then on: the suite does not close it a second time."""
    vk = imports(driver, event, Result.ERROR_INVALID_EXTERNAL_HANDLE, True)

    assert (seen(), vk.owned) == ([("SPEC-IMPORT-03", IMPORT)], set())


@pytest.mark.parametrize("closes", [True, False])
def test_a_destruction_that_closes_a_descriptor_is_a_breach(driver, event, closes):
    """What the suite owns is open after a semaphore is destroyed; a number that was closed is told once."""
    closing = iter([event] * closes)
    vk = driver(vkDestroySemaphore=lambda *_: [os.close(fd) for fd in closing] and None)
    vk.own(event)

    for _ in range(2):
        vk.vkDestroySemaphore(1, 2)

    assert seen() == [("SPEC-EXPORT-02", "vkDestroySemaphore")] * closes


def test_one_call_can_break_several_rules(driver, event):
    """Each is told by itself."""
    imports(driver, event, Result.ERROR_INITIALIZATION_FAILED, True)

    assert sorted(seen()) == [("SPEC-IMPORT-03", IMPORT), ("SPEC-RESULT-02", IMPORT)]


def test_every_call_is_journalled_before_its_answer_is_judged(driver):
    """Command, arguments and result of a call stand in the journal."""
    vk = driver(vkGetSemaphoreCounterValue=lambda *_: (Result.SUCCESS, 3), vkDestroySemaphore=lambda *_: None)
    vk.vkGetSemaphoreCounterValue(1, 2)
    vk.vkDestroySemaphore(1, 2)

    calls = [(call["command"], call["arguments"], call["result"]) for call in vk._journal.calls()]
    assert calls == [("vkGetSemaphoreCounterValue", [1, 2], 0), ("vkDestroySemaphore", [1, 2], None)]
