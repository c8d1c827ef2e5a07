"""The suite's table of results and of what each command may return, against what the ledger says of the registry."""

import pytest

from fixtures.vulkan.native import load_binding
from fixtures.vulkan.registry import ALIASES, PROTOTYPES, Result, result, results_of
from suites.ledger import rule

RESULTS = {
    "VK_ERROR_INVALID_EXTERNAL_HANDLE": -1000072003,
    "VK_ERROR_TOO_MANY_OBJECTS": -10,
    "VK_ERROR_OUT_OF_HOST_MEMORY": -1,
    "VK_ERROR_INITIALIZATION_FAILED": -3,
    "VK_ERROR_DEVICE_LOST": -4,
    "VK_ERROR_UNKNOWN": -13,
    "VK_ERROR_VALIDATION_FAILED": -1000011001,
    "VK_TIMEOUT": 2,
}
MEMORY = {Result.ERROR_OUT_OF_HOST_MEMORY, Result.ERROR_OUT_OF_DEVICE_MEMORY}
QUEUE = {Result.SUCCESS, Result.ERROR_DEVICE_LOST, *MEMORY}
RETURNS = {
    "vkGetSemaphoreFdKHR": {Result.SUCCESS, Result.ERROR_TOO_MANY_OBJECTS, Result.ERROR_OUT_OF_HOST_MEMORY},
    "vkImportSemaphoreFdKHR": {
        Result.SUCCESS,
        Result.ERROR_OUT_OF_HOST_MEMORY,
        Result.ERROR_INVALID_EXTERNAL_HANDLE,
    },
    "vkCreateSemaphore": {Result.SUCCESS, *MEMORY},
    "vkSignalSemaphore": {Result.SUCCESS, *MEMORY},
    "vkQueueSubmit": QUEUE,
    "vkQueueSubmit2": QUEUE,
    "vkQueueBindSparse": QUEUE,
    "vkQueueWaitIdle": QUEUE,
    "vkDeviceWaitIdle": QUEUE,
    "vkGetSemaphoreCounterValue": QUEUE,
    "vkWaitSemaphores": {*QUEUE, Result.TIMEOUT},
}


@pytest.fixture(scope="module")
def binding():
    """The `vulkan` module."""
    return load_binding()


@rule("SPEC-RESULT-14")
@pytest.mark.parametrize("name", RESULTS)
def test_result_has_the_ledgers_value(binding, name):
    """A result has the same value in the ledger, in our table and in the binding's C enumeration."""
    value = RESULTS[name]

    ours = getattr(Result, name.removeprefix("VK_"))

    theirs = {getattr(binding.lib, name, value), getattr(binding.lib, f"{name}_EXT", value)}
    assert ours == value, f"{name} is {int(ours)} in registry.json, {value} in the ledger"
    assert theirs == {value}, f"{name} is {theirs} in the binding's C enumeration, {value} in the ledger"


@rule("SPEC-RESULT-14")
def test_result_has_the_same_value_by_its_khr_name(binding):
    """VK_ERROR_INVALID_EXTERNAL_HANDLE_KHR is VK_ERROR_INVALID_EXTERNAL_HANDLE."""
    alias = "VK_ERROR_INVALID_EXTERNAL_HANDLE_KHR"

    target, theirs = ALIASES.get(alias), getattr(binding.lib, alias)

    assert target == "VK_ERROR_INVALID_EXTERNAL_HANDLE", f"{alias} stands for {target}"
    assert theirs == Result.ERROR_INVALID_EXTERNAL_HANDLE, f"{alias} is {theirs} in the binding's C enumeration"


def test_python_constants_of_the_binding_still_have_wrong_signs(binding):
    """The binding's Python constants, unlike its C enumeration, are wrong for five errors; the suite uses neither."""
    names = [name for name in dir(Result) if name.startswith("ERROR_")]

    wrong = {name for name in names if getattr(binding, f"VK_{name}", None) == -getattr(Result, name)}

    assert wrong == {
        "ERROR_FRAGMENTATION",
        "ERROR_INVALID_EXTERNAL_HANDLE",
        "ERROR_INVALID_OPAQUE_CAPTURE_ADDRESS",
        "ERROR_OUT_OF_POOL_MEMORY",
        "ERROR_VALIDATION_FAILED",
    }, f"the binding changed: only {wrong} have the wrong sign"
    assert binding.VK_ERROR_INVALID_EXTERNAL_HANDLE_KHR is None, "the binding changed: its KHR aliases have values"


@pytest.mark.parametrize("command", RETURNS)
def test_command_may_return_what_the_ledger_lists(command):
    """A command may return its own results, and UNKNOWN and VALIDATION_FAILED as every command."""
    expected = RETURNS[command] | {Result.ERROR_UNKNOWN, Result.ERROR_VALIDATION_FAILED}

    results = results_of(command)

    assert results == expected, f"registry.json allows {command} {sorted(results)}"


@rule("SPEC-RESULT-04")
def test_destroying_a_semaphore_returns_nothing():
    """vkDestroySemaphore has no result to judge."""
    command = "vkDestroySemaphore"

    results, returned = results_of(command), PROTOTYPES[command][0]

    assert (results, returned) == (frozenset(), "void"), f"{command} returns {returned}, one of {results}"


@rule("SPEC-RESULT-05")
@pytest.mark.parametrize("suffix", ["", "KHR"])
def test_asking_for_semaphore_properties_returns_nothing(suffix):
    """vkGetPhysicalDeviceExternalSemaphoreProperties has no result to judge, by either name."""
    command = "vkGetPhysicalDeviceExternalSemaphoreProperties"

    results, returned = results_of(command + suffix), PROTOTYPES[command][0]

    assert (results, returned) == (frozenset(), "void"), f"{command}{suffix} returns {returned}, one of {results}"


@pytest.mark.parametrize("command", ["vkQueueSubmit2", "vkSignalSemaphore", "vkWaitSemaphores"])
def test_command_may_return_the_same_by_its_khr_name(command):
    """What a command may return does not depend on its spelling."""
    alias = f"{command}KHR"

    results = results_of(alias)

    assert results == results_of(command), f"{alias} may return {sorted(results)}"


def test_asking_for_an_unknown_command_is_an_error():
    """A misspelt command has no results, instead of an empty list that nothing is judged by."""
    misspelt = "vkGetSemaphoreFd"

    with pytest.raises(KeyError, match=misspelt):
        results_of(misspelt)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (0, "VK_SUCCESS"),
        (2, "VK_TIMEOUT"),
        (-1000072003, "VK_ERROR_INVALID_EXTERNAL_HANDLE"),
        (-12345, "VkResult(-12345)"),
    ],
)
def test_result_reads_as_the_registry_spells_it(code, text):
    """A result prints as its C name; a number that the registry lacks prints as that number."""
    one = result(code)

    texts = {str(one), repr(one), f"{one}"}

    assert texts == {text}, f"{code} reads {texts}"


@pytest.mark.parametrize(
    ("code", "is_success", "is_error"), [(0, True, False), (2, False, False), (-4, False, True), (-12345, False, True)]
)
def test_result_is_success_or_error_or_neither(code, is_success, is_error):
    """Only VK_SUCCESS is success, and every negative result is an error."""
    one = result(code)

    judged = (one.is_success, one.is_error)

    assert judged == (is_success, is_error), f"{one}: is_success, is_error are {judged}"
