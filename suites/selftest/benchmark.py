"""What the suite costs, as tables in Markdown; figures to read, not a test.

    .venv/bin/python -m suites.selftest.benchmark [--driver=MANIFEST] [--peer=COMMAND] [-o FILE] [start calls cases ...]

Ratios within one run count, not milliseconds: a call against the same call in C, the start against an empty pytest's.
`--peer` runs another suite beside a whole run of this one, such as
`--peer "deqp-vk --deqp-caselist-file=external-semaphores.txt"`; its cases are counted by the lines that deqp prints before each.
"""

import argparse
import contextlib
import json
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from fixtures.running.processes import Nursery
from fixtures.running.scheduling import CHUNK
from fixtures.testbed import bench, drivers
from fixtures.testbed.drivers import ROOT

SAMPLES = Path(__file__).parent / "samples"
CASES = str(SAMPLES / "cases.py")
ROUNDS = 3
CALLS = 2000
EMPTY = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:hypothesispytest")


def table(title, head, rows):
    """Print one table."""
    print(f"\n{title}\n\n| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for row in rows:
        print(f"| {' | '.join(f'{cell:.3g}' if isinstance(cell, float) else str(cell) for cell in row)} |", flush=True)


def run(*arguments, cwd=ROOT, **variables):
    """(seconds, MiB of the largest process) of a command."""
    start = time.perf_counter()
    environment = os.environ | variables
    done = subprocess.Popen(arguments, cwd=cwd, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(done.pid, 0)
    done.returncode = os.waitstatus_to_exitcode(status)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(arguments)} ended with {done.returncode}")
    return time.perf_counter() - start, used.ru_maxrss / 1024


def suite(manifest, *arguments, **variables):
    """`run` for a run of this suite, its record thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        options = (f"--driver={manifest}", f"--report={folder}")
        return run(sys.executable, "-m", "pytest", *options, *arguments, **variables)


def watch(manifest, *arguments, **variables):
    """Where a run of the suite in one process spends its seconds, as `samples/stopwatch.py` sees it."""
    with tempfile.NamedTemporaryFile() as file:
        plugin = ("-n0", "-p", "suites.selftest.samples.stopwatch")
        suite(manifest, *plugin, *arguments, STOPWATCH=file.name, **variables)
        return json.loads(Path(file.name).read_text())


def start(manifest):
    """From the command line to the first verdict."""
    with tempfile.TemporaryDirectory() as folder:
        python, empty = sys.executable, (*EMPTY, write_empty(folder, 1))
        imports = (
            "import pytest, vulkan, fixtures.running.plugin, fixtures.vulkan.native_objects, "
            "suites.ledger, reports.session.terminal"
        )
        steps = {
            "an empty pytest": lambda: run(python, *empty, cwd=folder),
            "an empty pytest with two workers": lambda: run(python, *empty, "-n2", cwd=folder),
            "Python imports the suite's modules": lambda: run(python, "-c", imports),
            "the drivers are looked at": lambda: run(
                python, "-m", "fixtures.testbed.drivers", str(manifest), VK_DRIVER_FILES=str(manifest)
            ),
            "all tests are collected": lambda: suite(manifest, "--collect-only", "-q", "-n0"),
            "one case is judged": lambda: suite(manifest, f"{CASES}::test_together", "-n0"),
            "one case is judged with two workers": lambda: suite(manifest, f"{CASES}::test_together", "-n2"),
        }
        seconds = {name: min(step()[0] for _ in range(ROUNDS)) for name, step in steps.items()}
    rows = [(name, 1000 * spent, spent / seconds["an empty pytest"]) for name, spent in seconds.items()]
    table("Start", ("until", "ms", "times an empty pytest"), rows)


def calls(manifest):
    """A call through the suite, with checks and journal, against the same call in C."""
    rows = list(call_costs(manifest))
    table("Calls, microseconds", ("call", "in C", "binding", "checks and journal", "more than C"), rows)


def call_costs(manifest):
    """(name, C, binding, checks, binding and checks) of each call, in microseconds."""
    device = bench.open_device(drivers.name_devices(drivers.look([manifest]).devices)[0])
    native, ffi = device.vk.table, device.vk.table.ffi
    loops = compile_loops()
    semaphore, fence = device.semaphore(export=True), device.fence()
    create, get = native.new("VkSemaphoreCreateInfo"), native.new("VkSemaphoreGetFdInfoKHR", handleType=1)
    get.semaphore = native.handle("VkSemaphore", semaphore.handle)

    def pointer(name):
        return loops.cast("void *", int(ffi.cast("uintptr_t", native.of_device(device.handle, name))))

    def at(structure):
        return loops.cast("void *", int(ffi.cast("uintptr_t", structure)))

    def create_and_destroy(vk):
        vk.vkDestroySemaphore(device.handle, vk.vkCreateSemaphore(device.handle)[1])

    def get_and_close(vk):
        fd = vk.vkGetSemaphoreFdKHR(device.handle, semaphore.handle, 1)[1]
        device.vk.disown(fd)
        os.close(fd)

    here, queue = loops.cast("void *", device.handle), loops.cast("void *", device.queue.handle)
    library, rounds = loops.dlopen(str(loops.path)), CALLS
    pairs = {
        "vkGetFenceStatus": (
            lambda: library.status(pointer("vkGetFenceStatus"), here, fence, rounds),
            lambda vk: vk.vkGetFenceStatus(device.handle, fence),
        ),
        "vkCreateSemaphore, vkDestroySemaphore": (
            lambda: library.create_and_destroy(
                pointer("vkCreateSemaphore"), pointer("vkDestroySemaphore"), here, at(create), rounds
            ),
            create_and_destroy,
        ),
        "vkGetSemaphoreFdKHR, close": (
            lambda: library.get_and_close(pointer("vkGetSemaphoreFdKHR"), here, at(get), rounds),
            get_and_close,
        ),
        "vkQueueSubmit of nothing": (
            lambda: library.submit(pointer("vkQueueSubmit"), queue, rounds),
            lambda vk: vk.vkQueueSubmit(device.queue.handle, (), 0),
        ),
    }
    for name, (in_c, in_python) in pairs.items():
        c = min(in_c() for _ in range(ROUNDS)) / 1000
        bare, watched = (min(microseconds(in_python, vk) for _ in range(ROUNDS)) for vk in (native, device.vk))
        yield name, c, bare - c, watched - bare, watched - c
    bench.close_device(device)


def compile_loops():
    """A cffi interface to `samples/loops.c`, compiled now; `path` is the library."""
    from cffi import FFI

    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise SystemExit("the calls are compared with C: a C compiler is needed (package gcc)")
    loops = FFI()
    loops.path = Path(tempfile.mkdtemp(), "loops.so")
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", loops.path, SAMPLES / "loops.c"], check=True)
    loops.cdef("""
        double status(void *get, void *device, uint64_t fence, int rounds);
        double create_and_destroy(void *create, void *destroy, void *device, const void *info, int rounds);
        double get_and_close(void *get, void *device, const void *info, int rounds);
        double submit(void *submit, void *queue, int rounds);
    """)
    return loops


def microseconds(call, vk):
    """What one round takes in the mean."""
    bench.journal().clear()
    begun = time.perf_counter()
    for _ in range(CALLS):
        call(vk)
    return (time.perf_counter() - begun) / CALLS * 1e6


def cases(manifest):
    """A simple case, and the mean of the suite's own, split into who spends it."""
    rows = []
    for name, arguments in {
        "a simple case": (f"{CASES}::test_together",),
        "the suite's, without the isolated": ("-m", "not isolated"),
    }.items():
        spent = watch(manifest, *arguments, CASES="100")
        ours = spent["here"] - spent["driver"] - spent["elsewhere"]
        parts = (spent["driver"], spent["elsewhere"], spent["record"], ours, spent["record"] + ours)
        rows.append((name, spent["cases"], *(1000 * part / spent["cases"] for part in parts)))
    head = ("in the worker", "cases", "driver", "in other processes", "record", "binding, checks, pytest, test", "ours")
    table("Cases, milliseconds each", head, rows)
    spent = watch(manifest, f"{CASES}::test_alone", CASES="100")
    rows = [("a simple case", spent["cases"], 1000 * spent["all"] / spent["cases"])]
    table("Cases in a process of their own, milliseconds each", ("isolated", "cases", "all"), rows)


def nothing(channel):
    """A step that does nothing."""


def opens(channel, info):
    """A step that opens a device."""
    return bench.open_device(info).handle


def processes(manifest):
    """A process of its own from the warm fork server."""
    info = drivers.name_devices(drivers.look([manifest]).devices)[0]
    bench.journal()
    bench.commands()
    begun = time.perf_counter()
    nursery = Nursery(bench.around_step)
    rows = [("fork server", 1000 * (time.perf_counter() - begun))]
    for name, step in {"a process": (nothing,), "a process that opens a device": (opens, info)}.items():
        begun = time.perf_counter()
        for _ in range(50):
            ending = nursery.run(*step)
            assert ending.how == "returned", ending
        rows.append((name, 1000 * (time.perf_counter() - begun) / 50))
    nursery.close()
    table("Processes", ("start of", "ms"), rows)


def write_empty(folder, count):
    """A file of `count` tests that do nothing."""
    file = Path(folder, f"test_{count}.py")
    file.write_text(f"import pytest\n@pytest.mark.parametrize('n', range({count}))\ndef test_empty(n):\n    pass\n")
    return str(file)


def growth(manifest):
    """How time and memory grow with the cases and shrink with workers; an empty pytest's for comparison."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for count in (100, 1000, 10000, 20000):
            seconds, size = run(sys.executable, *EMPTY, write_empty(folder, count), cwd=folder)
            rows.append(("an empty pytest", count, seconds, 1000 * seconds / count, size))
    for workers in (1, 2, 4, 8):
        for count in (100, 1000, 10000, 20000):
            seconds, size = suite(manifest, f"{CASES}::test_together", f"-n{workers}", CASES=str(count))
            rows.append((workers, count, seconds, 1000 * seconds / count, size))
    table("Growth", ("workers", "cases", "seconds", "ms a case", "MiB of the largest process"), rows)


def whole(manifest):
    """Whole runs of the suite: workers, and tests that a worker is told of at once."""
    known = f"--baseline={ROOT / 'reports' / 'baselines' / 'swiftshader.txt'}"
    options = (known,) if manifest == drivers.SWIFTSHADER else ()
    rows = []
    for workers, chunk in [(1, CHUNK), (2, CHUNK // 4), (2, CHUNK), (2, CHUNK * 4), (3, CHUNK), (4, CHUNK)]:
        spent = [suite(manifest, f"-n{workers}", f"--maxschedchunk={chunk}", *options)[0] for _ in range(ROUNDS)]
        rows.append((workers, chunk, sorted(spent)[ROUNDS // 2], max(spent) - min(spent)))
    table("Whole runs", ("workers", "tests at once", f"seconds, median of {ROUNDS}", "spread"), rows)


def peers(manifest, command):
    """A whole run of the suite beside that of another, which `command` starts."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        ours = (sys.executable, "-m", "pytest", "-v", f"--driver={manifest}", f"--report={folder}")
        for name, line, case in (
            ("this suite", ours, r"\[gw\d+\] "),
            ("the peer", shlex.split(command), r"Test case '"),
        ):
            first, count, total = follow(line, re.compile(case))
            rows.append((name, first, count, 1000 * (total - first) / count if count else "none", total))
    table("A whole run beside its peer", ("suite", "s to the first verdict", "cases", "ms a case", "s in all"), rows)


def follow(command, case):
    """(seconds until the first line that matches `case`, number of such lines, seconds in all) of a command."""
    begun, first, count = time.perf_counter(), 0.0, 0
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, errors="replace", env=environment) as running:
        for line in running.stdout:
            if case.match(line):
                count += 1
                first = first or time.perf_counter() - begun
    return first, count, time.perf_counter() - begun


def machine():
    """Processor, number of its cores that may be used, and Python's version."""
    found = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    cores = len(os.sched_getaffinity(0))
    return f"{found[1] if found else platform.machine()}, {cores} cores, Python {platform.python_version()}"


def main():
    """Print the tables that the command line names, all by default; that of a peer where it names one."""
    parts = {part.__name__: part for part in (start, calls, cases, processes, growth, whole)}
    parser = argparse.ArgumentParser(prog="python -m suites.selftest.benchmark")
    parser.add_argument("--driver", type=Path, default=drivers.SWIFTSHADER, metavar="MANIFEST")
    parser.add_argument("--peer", metavar="COMMAND", help="another suite, to run beside this one")
    parser.add_argument(
        "-o", dest="file", type=argparse.FileType("w"), metavar="FILE", help="for the tables (default: printed)"
    )
    parser.add_argument("parts", nargs="*", choices=[*parts, []], metavar="part")
    options = parser.parse_args()
    with contextlib.redirect_stdout(options.file or sys.stdout):
        print(f"{options.driver.stem} on {machine()}, {time.strftime('%Y-%m-%d')}")
        for part in options.parts or ([] if options.peer else parts):
            parts[part](options.driver.absolute())
        if options.peer:
            peers(options.driver.absolute(), options.peer)


if __name__ == "__main__":
    main()
