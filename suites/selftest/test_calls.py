"""Recorded calls as people read them, drivers with their versions, and links to the specification."""

import csv
import inspect
import re
from xml.etree import ElementTree

import pytest

from fixtures.testbed.drivers import ROOT
from fixtures.vulkan import registry
from fixtures.vulkan.native_objects import Native
from reports.records.drivers import driver
from reports.records.runs import save
from reports.records.signatures import ENUMERANTS, SIGNATURES, UNKNOWN
from reports.render.calls import tell
from reports.render.specification import links
from suites.selftest.browser import browser
from suites.selftest.records import line_of, made, reports

pytestmark = pytest.mark.limit(60)
RESULTS = {"0": "VK_SUCCESS", "2": "VK_TIMEOUT", "-10": "VK_ERROR_TOO_MANY_OBJECTS"}
MOST = 2**64 - 1
DEVICE, SEMAPHORE, OTHER, QUEUE, FENCE = 94172889054304, 94172889060000, 94172889061000, 94172889062000, 94172889063000


def call(command, *arguments, result=0, **more):
    """A call of a record."""
    return {"command": command, "arguments": list(arguments), "result": result, "ns": 1000, "at": 0, "pid": 1} | more


def texts(*calls):
    """What is told of these calls."""
    return [one.text for one in tell(calls, RESULTS)]


TOLD = {
    "vkImportSemaphoreFdKHR(device 1, semaphore 1, OPAQUE_FD, fd 16, TEMPORARY)": (DEVICE, SEMAPHORE, 1, 16, 1),
    "vkImportSemaphoreFdKHR(device 1, semaphore 1, SYNC_FD, fd -1, flags 0)": (DEVICE, SEMAPHORE, 16, -1, 0),
    "vkImportSemaphoreFdKHR(device 1, semaphore 1, handleType OPAQUE_FD|0x40000000, fd 3, flags TEMPORARY|2)": (
        DEVICE, SEMAPHORE, 0x40000001, 3, 3,
    ),
    "vkCreateSemaphore(device 1)": (DEVICE, None, None, 0),
    "vkCreateSemaphore(device 1, export OPAQUE_FD|SYNC_FD, TIMELINE, initialValue 5)": (DEVICE, 17, 1, 5),
    "vkCreateSemaphore(device 1, semaphoreType 7, unknownFirst)": (DEVICE, None, 7, 0, True),
    "vkCreateSemaphore(device 1, TIMELINE)": (DEVICE, {"semaphore_type": 1}),
    "vkCreateInstance(apiVersion 1.3.0, extensions [VK_KHR_surface])": (4206592, ["VK_KHR_surface"], []),
    "vkCreateDevice(physical device 1, extensions [VK_KHR_synchronization2], queues [2 of family 0])": (
        DEVICE, ["VK_KHR_synchronization2"], [[0, 2]], [],
    ),
    "vkWaitForFences(device 1, [fence 1, fence 2], timeout 2 s)": (DEVICE, [FENCE, OTHER], 2_000_000_000),
    "vkWaitSemaphores(device 1, [semaphore 1 >= 5, semaphore 2 >= UINT64_MAX], timeout UINT64_MAX, waitAny)": (
        DEVICE, [SEMAPHORE, OTHER], [5, MOST], MOST, True,
    ),
    "vkWaitSemaphores(device 1, [semaphore 1, with 2 values: 5, 6], timeout 1.5 ms)": (DEVICE, [SEMAPHORE], [5, 6], 1_500_000),
    "vkQueueSubmit(queue 1, [{wait semaphore 1; run command buffer 1; signal semaphore 2}], fence 1)": (
        QUEUE, [[[SEMAPHORE], [7], [OTHER], None, None]], FENCE,
    ),
    "vkQueueSubmit2(queue 1, [{wait semaphore 1 >= 5, semaphore 2 >= 6}, {signal semaphore 2 = 7}])": (
        QUEUE, [[[SEMAPHORE, OTHER], [], [], [5, 6], []], [[], [], [OTHER], None, [7]]], 0,
    ),
    "vkWaitForFences(device 1, [fence 1], timeout 9223372036854775.806 µs)": (DEVICE, [FENCE], 2**63 - 2),
    "vkWaitForFences(device 1, [fence 1], timeout INT64_MAX)": (DEVICE, [FENCE], 2**63 - 1),
    "vkSignalSemaphore(device 1, semaphore 1, value [2])": (DEVICE, SEMAPHORE, [2]),
    "vkQueueBindSparse(queue 1, [{}])": (QUEUE, [[[], [], [], None, None]], 0),
    "vkCmdPipelineBarrier(command buffer 1, buffer 1, srcQueueFamilyIndex 0, dstQueueFamilyIndex EXTERNAL)": (5, 6, 0, 2**32 - 2),
    "vkAllocateMemory(device 1, 8 MiB, memoryTypeIndex 0, imported OPAQUE_FD fd 59, dedicated buffer 1)": (
        DEVICE, 8 << 20, 0, None, [1, 59], 4,
    ),
}  # fmt: skip
"""What people read, by recorded arguments."""


@pytest.mark.parametrize("text", TOLD)
def test_arguments_have_names(text):
    """Enumerants, versions, times, sizes, batches: nothing is left as a bare number that has a name."""
    command = text.partition("(")[0]

    assert texts(call(command, *TOLD[text])) == [f"{text} = VK_SUCCESS"]


OUTPUTS = {
    "vkGetSemaphoreFdKHR(device 1, semaphore 1, OPAQUE_FD) = VK_SUCCESS -> fd 16": {"value": 16},
    "vkGetSemaphoreFdKHR(device 1, semaphore 1, OPAQUE_FD) = VK_ERROR_TOO_MANY_OBJECTS": {"value": -12345, "result": -10},
    "vkGetSemaphoreFdKHR(device 1, semaphore 1, OPAQUE_FD) = VK_ERROR_TOO_MANY_OBJECTS -> fd 16": {"value": 16, "result": -10},
    "vkGetSemaphoreFdKHR(device 1, semaphore 1, OPAQUE_FD) = -777": {"result": -777},
    "vkGetSemaphoreFdKHR(device 1, semaphore 1, OPAQUE_FD) did not return": {"ns": None, "result": None},
    "vkGetSemaphoreFdKHR(device 1, semaphore 1, OPAQUE_FD) = VK_TIMEOUT (604 times)": {"result": 2, "times": 604},
}  # fmt: skip


@pytest.mark.parametrize("text", OUTPUTS)
def test_outcomes_have_names(text):
    """Results by name, what was given, what a failed call wrote nevertheless, and that a call did not return."""
    (told,) = tell([call("vkGetSemaphoreFdKHR", DEVICE, SEMAPHORE, 1, **OUTPUTS[text])], RESULTS)

    assert told.text == text
    assert told.is_bad == ("ERROR" in text or "-777" in text or "return" in text)


def test_steps_of_the_suite_are_told_too():
    """Descriptors of its own, and what stands between the calls."""
    steps = [
        call("dup", 16, result=None, value=17), call("is_open", 16, result=None, value=0), call("kill", 99, 9, result=None),
        call("file_of", "AAECAw==", result=None, value=18), call("at_stages", [4096, 1 << 35], 65536, result=None),
        call("breach", "SPEC-EXPORT-04", "vkX", "vkX broke it", result=None), call("teardown", result=None), {"dropped": 12},
    ]  # fmt: skip

    assert texts(*steps) == [
        "dup(fd 16) -> fd 17", "is_open(fd 16) -> false", "kill(pid 99, SIGKILL)", "file_of(4 bytes) -> fd 18",
        "at_stages(waits [ALL_TRANSFER, CLEAR], signals ALL_COMMANDS)", "violation: vkX broke it", "the test is over",
        "12 calls are left out",
    ]  # fmt: skip


def create(number, **more):
    return call("vkCreateSemaphore", DEVICE, None, None, 0, value=number, **more)


def destroy(number, **more):
    return call("vkDestroySemaphore", DEVICE, number, result=None, **more)


def named(*calls):
    """The semaphores of the calls that are told, one for each."""
    return [re.search(r"semaphore \d+( \(destroyed\))?", text)[0] for text in texts(*calls) if "semaphore" in text]


def test_a_handle_used_again_is_another_object():
    """A number that a later object has again, and one that is used although it is destroyed."""
    wait = call("vkGetSemaphoreCounterValue", DEVICE, SEMAPHORE)

    assert named(create(SEMAPHORE), destroy(SEMAPHORE), create(SEMAPHORE), wait, destroy(SEMAPHORE), wait) == [
        "semaphore 1", "semaphore 1", "semaphore 2", "semaphore 2", "semaphore 2", "semaphore 2 (destroyed)",
    ]  # fmt: skip
    assert named(create(SEMAPHORE), destroy(SEMAPHORE), {"dropped": 5}, wait) == [
        "semaphore 1",
        "semaphore 1",
        "semaphore 2",
    ]


def test_another_thread_may_get_the_number_before_it_is_told():
    """A destruction that begins while another thread creates is of the older object."""
    calls = [create(SEMAPHORE), create(SEMAPHORE, at=10_000, ns=9000), destroy(SEMAPHORE, at=12_000)]
    wait = call("vkGetSemaphoreCounterValue", DEVICE, SEMAPHORE, at=20_000)

    assert named(*calls, wait) == ["semaphore 1", "semaphore 2", "semaphore 1", "semaphore 2"]


def test_processes_have_handles_of_their_own():
    """The same number in two processes is two objects; a queue that is asked for twice is one."""
    queue = call("vkGetDeviceQueue", DEVICE, 0, 0, result=None, value=QUEUE)

    assert named(create(SEMAPHORE), create(SEMAPHORE, pid=2)) == ["semaphore 1", "semaphore 2"]
    assert [text.split(" -> ")[1] for text in texts(queue, queue)] == ["queue 1", "queue 1"]


def test_a_binary_semaphore_has_no_value():
    """The 0 that stands for it in a list of values is left out; a timeline's is shown."""
    timeline = call("vkCreateSemaphore", DEVICE, None, 1, 0, value=OTHER)
    submit = call("vkQueueSubmit", QUEUE, [[[SEMAPHORE, OTHER], [], [], [0, 0], []]], 0)

    assert "wait semaphore 1, semaphore 2 >= 0}" in texts(create(SEMAPHORE), timeline, submit)[-1]


ODD = [
    call("vkUnheardOf", DEVICE, "a", [1, None]), call("vkQueueSubmit"), call("vkQueueSubmit", QUEUE, 5, FENCE),
    call("vkQueueSubmit", QUEUE, [[1]]), call("vkWaitSemaphores", DEVICE, 3, [1], -5), call("vkWaitSemaphores", DEVICE),
    call("vkImportSemaphoreFdKHR", "device", None, [], {"a": 1}, 1, "more"), call("vkImportSemaphoreFdKHR", DEVICE, {"fd": 5}),
    call("vkCreateDevice", 1, "VK_x", [1], 3.5), call("vkDestroySemaphore"), call("vkDestroySemaphore", DEVICE, [1]),
    call("kill", "x", -4), call("vkCreateSemaphore", value=7), call("vkCreateSemaphore", "dev", value="x"),
    call("vkCreateFence", "6000 bytes of arguments"), call("breach"), call("dup", 2**80),
    call("vkAllocateMemory", DEVICE, -1, 0.5),
    call("vkGetFenceStatus", arguments="none"), {"command": "vkGetFenceStatus", "ns": 5},
    call("vkCreateInstance", 1, value=2, at="x"),
    call("vkDestroySemaphore", DEVICE, 1, pid=[1], at=None), call("file_of", 3), call("at_stages", -1, 1e99), {"dropped": "x"},
]  # fmt: skip
"""Calls of other versions of the suite, or of none."""


def test_what_is_not_understood_is_shown_as_it_is():
    """No record is refused: what has no known meaning stands there as JSON."""
    told = texts(*ODD)

    assert len(told) == len(ODD)
    assert told[0] == f'vkUnheardOf({DEVICE}, "a", [1, null]) = VK_SUCCESS'
    assert told[2] == "vkQueueSubmit(queue 1, batches 5, fence 1) = VK_SUCCESS"
    assert told[6].startswith('vkImportSemaphoreFdKHR(device "device", semaphore null, handleType []')
    assert told[7] == "vkImportSemaphoreFdKHR(device 1, fd 5) = VK_SUCCESS"


def test_page_and_junit_tell_the_same(tmp_path):
    """The text of a call is on the page and in JUnit's failure, without the number of any handle."""
    calls = [create(SEMAPHORE), call("vkImportSemaphoreFdKHR", DEVICE, SEMAPHORE, 1, 16, 1, result=-10)]
    rule = {"id": "SPEC-IMPORT-03", "source": "synchronization.adoc#vkImportSemaphoreFdKHR"}
    run = made({}, head={"results": RESULTS, "ledger": [rule]})
    run.tests.append(line_of("suites/test_one.py::test_one", "fail", differs="new", calls=calls))
    save(run, tmp_path)
    assert reports("page", tmp_path).returncode == 0
    with browser() as page:
        page.show(tmp_path / "index.html")
        page.js("document.querySelector('#list details').open = true")
        page.js("new Promise((done) => setTimeout(done, 100))")
        rows = page.js(
            "[...document.querySelectorAll('.trace tbody tr')].map((row) => [row.cells[2].textContent, row.className])"
        )
        address = page.js("document.querySelector('#list details a').href")

    wanted = "vkImportSemaphoreFdKHR(device 1, semaphore 1, OPAQUE_FD, fd 16, TEMPORARY) = VK_ERROR_TOO_MANY_OBJECTS"
    assert rows == [["vkCreateSemaphore(device 1) = VK_SUCCESS -> semaphore 1", ""], [wanted, "bad"]]
    assert wanted in ElementTree.parse(tmp_path / "junit.xml").find(".//failure").text
    assert address == "https://docs.vulkan.org/spec/latest/chapters/synchronization.html#vkImportSemaphoreFdKHR"


def test_the_signatures_are_those_of_the_command_table():
    """Each command that can be recorded has as many parameters as the suite's own function."""
    commands = {name: function for name, function in inspect.getmembers(Native) if re.match("vk[A-Z]", name)}
    counts = {name: len(inspect.signature(function).parameters) - 1 for name, function in commands.items()}

    differing = {
        name: count for name, count in counts.items() if len(SIGNATURES.get(name, UNKNOWN).parameters) != count
    }
    assert counts
    assert not differing


def test_the_enumerants_are_the_registrys():
    """Handle types, import flags and semaphore types have the names that the fixtures know."""
    for name, known in {
        "VkExternalSemaphoreHandleTypeFlagBits": registry.HandleType,
        "VkExternalFenceHandleTypeFlagBits": registry.FenceHandleType,
        "VkSemaphoreImportFlagBits": registry.ImportFlag,
        "VkSemaphoreType": registry.SemaphoreType,
    }.items():
        assert ENUMERANTS[name] == {int(one): one.name for one in known}


DRIVERS = {
    "SwiftShader driver 5.0.0": ("SwiftShader driver", "", 10, 20971520),
    "NVIDIA 580.159.03": ("NVIDIA", "580.159.03", 4, 580 << 22 | 159 << 14 | 3 << 6),
    "NVIDIA 580.159.3.0": ("NVIDIA", "", 4, 580 << 22 | 159 << 14 | 3 << 6),
    "llvmpipe Mesa 26.2.0-devel (LLVM 19.1.7)": ("llvmpipe", "Mesa 26.2.0-devel (LLVM 19.1.7)", 13, 26 << 22 | 2 << 12),
    "a layer 1.4": ("a layer", "", 0, "1.4"),
}


@pytest.mark.parametrize("text", DRIVERS)
def test_a_driver_has_its_vendors_version(text):
    """In the layout of the vendor, and once."""
    names = ("driver_name", "driver_info", "driver_id", "driver_version")

    assert driver(dict(zip(names, DRIVERS[text], strict=True))) == text


def test_every_rule_has_a_link():
    """To its paragraph, to the page of its command, structure or extension, or to the registry."""
    with (ROOT / "suites/rules.tsv").open() as file:
        rules = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    found = {rule["id"]: link for rule, link in zip(rules, links(rules), strict=True)}

    spec = r"docs\.vulkan\.org/(spec/latest/(chapters|appendices)/\w+|refpages/latest/refpages/source/[Vv][Kk]\w+)(/wsi)?\.html"
    others = r"docs\.nvidia\.com/cuda/\S+|github\.com/KhronosGroup/Vulkan-Docs/blob/main/xml/vk\.xml"
    known = rf"https://({spec}|{others})(#[\w-]+)?"
    assert not {rule: link for rule, link in found.items() if not re.fullmatch(known, link)}
    assert all(rule in link for rule, link in found.items() if rule.startswith("VUID"))
    assert found["ISSUE-VK_KHR_external_semaphore_fd-1"].endswith("/VK_KHR_external_semaphore_fd.html")
    assert found["SPEC-RESULT-01"].endswith("/vkGetSemaphoreFdKHR.html")
    assert found["SPEC-IMPORT-31"].endswith("#VUID-vkImportSemaphoreFdKHR-semaphore-01142")
