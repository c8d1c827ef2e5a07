"""The random walk: Hypothesis chooses among the legal steps, the driver's processes take them, the model predicts."""

from itertools import product

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize

from fixtures.reference.payloads import Semaphore, Timeline, Wait
from fixtures.testbed.foreign import NUMBERS, STRANGERS
from fixtures.testbed.kinds import TIMELINE
from fixtures.vulkan.registry import Result
from suites.model.batches import SHARED, Batches
from suites.model.choices import more, pick, steps
from suites.model.idling import Idling
from suites.model.players import Difference
from suites.model.screens import Screens
from suites.model.world import MOST_HANDLES, PLACES, SYNC, Handle, Made, Pending, Work, World

SURVIVES = "SPEC-IMPORT-23"
LACK = (Result.ERROR_OUT_OF_HOST_MEMORY, Result.ERROR_OUT_OF_DEVICE_MEMORY)
AHEAD = "ISSUE-VK_KHR_timeline_semaphore-3"
FILES = tuple(name for name in STRANGERS if name not in NUMBERS)
EARLIEST = 8
"""Steps before a device is destroyed with all that is on it."""

any_value = st.integers(0, 2**40)
stranger = st.sampled_from(FILES) | st.integers(-(2**31), -2) | st.integers(2**24, 2**31 - 1)


def numbered(lines):
    """The steps as a numbered list, one a line."""
    return "\n".join(f"{number:4}. {line}" for number, line in enumerate(lines, 1))


class Walk(Batches, Idling, Screens, RuleBasedStateMachine):
    """One walk; `players` are the processes, `known` the names of steps that are known to go wrong and are not taken."""

    def __init__(self, players, known):
        super().__init__()
        self.players, self.told, self.is_over = players, [], False
        self.has_reopened = self.has_worked = False
        self.world = World(players.info, known)
        self.ways = ["vkQueueSubmit"] + ["vkQueueSubmit2"] * players.info.synchronization2
        self.ways += ["vkQueueBindSparse"] * any(flags & 8 for flags, _ in players.info.families)
        players.begin()

    # What a step is made of

    def tell(self, actor, text, *asked, rules="SPEC-FUND-09"):
        """Write the step down, take it, and compare what every step has to leave alone."""
        self.told.append(f"process {actor}: {text}")
        try:
            came, broken, gone = self.players.ask(actor, *asked)
        except Difference as difference:
            self.differ(str(difference), rules)
        if broken:
            self.differ(broken[0][1], broken[0][0])
        if gone:
            what = f"descriptors {gone} are the application's and no longer open"
            self.differ(what, "SPEC-EXPORT-02, SPEC-IMPORT-03")
        return came

    def differ(self, what, rules):
        """End the walk: the driver differs from the model."""
        self.is_over = True
        difference = Difference(f"{what} ({rules}) at the end of this walk:\n{numbered(self.told)}", self.told)
        self.players.failed(difference)
        raise difference

    @initialize(data=st.data(), kind=st.sampled_from((0, 1, 2, None)), places=st.sampled_from((1, 2, 4)))
    def first(self, data, kind, places):
        """How wide the world of this walk is, and a semaphore in it; one walk in four takes the time for work."""
        self.world.narrow(kind, places, most=data.draw(st.integers(2, 6)))
        self.has_worked = data.draw(st.integers(0, 3)) < 3
        if corners := self.corners():
            self.create(data, pick(data, corners))

    def teardown(self):
        """Signal all that still waits, which has to end; then use every payload once more, so that its state shows."""
        if self.is_over:
            return
        while self.world.pending:
            self.let_go(None, self.world.releasable()[0])
        while self.world.works:
            self.finish(next(iter(self.world.works.values())))
        for made in [one for one in self.world.semaphores if not one.model.is_unsettled]:
            if not made.is_binary:
                self.read(None, made)
                continue
            if not made.model.payload.has_signal:
                self.signal(None, made)
            self.wait(None, made)

    # Life

    @steps
    def life(self):
        return [
            (self.reopen, self.reopenable()),
            (self.destroy, self.world.destroyable()),
            *2 * [(self.create, self.corners())],
        ]

    def corners(self):
        """Where a semaphore of which kind may be made."""
        full = len(self.world.semaphores) >= self.world.most
        return [] if full else list(product(self.world.places, self.world.kinds))

    def create(self, data, corner):
        place, kind = corner
        export = not data.draw(st.booleans())
        initial = data.draw(any_value) if kind.semaphore_type else 0
        payload = self.world.new_payload(kind, export, initial)
        made = Made(self.world.next(), place, kind, export, Semaphore(payload))
        exports = f", exportable as {kind.handle_type}" if export else ""
        starts = f", initialValue {initial}" if kind.semaphore_type else ""
        text = f"{made} = vkCreateSemaphore(device{place[1]}, {kind.semaphore_type}{exports}{starts})"
        asked = ("create", made.number, place[1], kind, export, initial)
        if not self.tell(place[0], text, *asked, rules="SPEC-CREATE-10"):
            self.differ("vkCreateSemaphore succeeded with VK_NULL_HANDLE", "SPEC-CREATE-08")
        self.world.semaphores.append(made)

    def destroy(self, data, made):
        self.tell(made.place[0], f"vkDestroySemaphore({made})", "destroy", made.number, rules="SPEC-DESTROY-03")
        self.world.semaphores.remove(made)

    def reopenable(self):
        """Places whose device may be destroyed: nothing runs there; once a walk, since some drivers take long."""
        if self.has_reopened or len(self.told) < EARLIEST:
            return []
        return self.world.unused_places()

    def reopen(self, data, place):
        """Destroy a device with its instance and all that is on it; descriptors stay."""
        text = f"vkDestroySemaphore of all on device{place[1]}, vkDestroyDevice, vkDestroyInstance; then both anew"
        self.tell(place[0], text, "reopen", place[1], rules="SPEC-DESTROY-02, SPEC-HANDLE-04")
        self.world.semaphores = [one for one in self.world.semaphores if one.place != place]
        self.world.acquired.discard(place)
        self.has_reopened = True

    # Descriptors

    @steps
    def exchange(self):
        exportable, handles, imports = self.world.exportable(), self.world.handles, self.world.imports()
        covering = [one for one in imports if one[1].model.temporary is not None]
        room = len(handles) < MOST_HANDLES
        far = room and len(self.world.places) == len(PLACES)
        return [
            (self.import_stranger, [] if "strangers" in self.world.known else self.world.destroyable()),
            (self.close, handles),
            (self.dup, handles if room else []),
            (self.send, [one for one in handles if one.fd >= 0] if far else []),
            (self.import_signaled, self.world.targets(SYNC)),
            *2 * [(self.import_, imports), (self.import_, covering)],
            (self.export, exportable),
            *3 * [(self.share, self.world.shareable())],
        ]

    def share(self, data, made):
        """Export, after a signal where it needs one, and import the descriptor or a dup: shared payloads find most."""
        if made not in self.world.exportable():
            self.signal(None, made)
        self.export(data, made)
        if len(self.world.handles) < MOST_HANDLES and data.draw(st.booleans()):
            self.dup(data, self.world.handles[-1])
        if last := self.imports_of_newest():
            self.import_(data, pick(data, last))

    def imports_of_newest(self):
        """The imports that the newest descriptor may go into."""
        return [one for one in self.world.imports() if one[0] is self.world.handles[-1]]

    def export(self, data, made):
        number, handle_type = self.world.next(), made.kind.handle_type
        text = f"descriptor{number} = vkGetSemaphoreFdKHR({made}, {handle_type})"
        asked = ("export", made.number, number, handle_type)
        answer, fd = self.tell(made.place[0], text, *asked, rules="SPEC-EXPORT-07")
        if answer != Result.SUCCESS:
            self.differ(f"vkGetSemaphoreFdKHR returned {answer} for a legal export", "SPEC-CAPS-03")
        self.world.handles.append(Handle(number, made.place[0], made.kind, fd, self.world.export(made)))

    def import_(self, data, chosen):
        handle, made, temporary = chosen
        self.imports(made, str(handle), temporary, "import_", handle.number)
        self.world.import_(handle, made, temporary)

    def import_signaled(self, data, made):
        """-1 stands for a signaled SYNC_FD; the specification does not say what it may be exported as (SPEC-IMPORT-22)."""
        self.imports(made, "-1", True, "import_number", -1)
        made.model.import_copy(None)

    def imports(self, made, what, temporary, step, given):
        """An import that has to succeed."""
        handle_type = made.kind.handle_type
        text = f"vkImportSemaphoreFdKHR({made}, {handle_type}, {what}{', TEMPORARY' * temporary})"
        asked = (step, made.number, given, handle_type, temporary)
        answer = self.tell(made.place[0], text, *asked, rules="SPEC-IMPORT-01")
        if answer != Result.SUCCESS:
            self.differ(f"vkImportSemaphoreFdKHR returned {answer} for a legal import", "SPEC-CAPS-04")

    def dup(self, data, handle):
        copy = self.world.copy(handle, handle.actor)
        self.tell(handle.actor, f"{copy} = dup({handle})", "dup", handle.number, copy.number, rules="SPEC-HANDLE-02")

    def send(self, data, handle):
        """Send a dup of a descriptor to the other process."""
        copy = self.world.copy(handle, 1 - handle.actor)
        text = f"{copy} = {handle}, sent to process {copy.actor} over a socket"
        self.tell(handle.actor, text, "pass", handle.number, copy.actor, copy.number, rules="SPEC-HANDLE-03")

    def close(self, data, handle):
        problem = self.tell(handle.actor, f"close({handle})", "close", handle.number, rules="SPEC-EXPORT-02")
        if problem:
            self.differ(f"close failed with errno {problem}", "SPEC-EXPORT-02")
        self.world.handles.remove(handle)

    def import_stranger(self, data, made):
        """Import a foreign descriptor, which the driver may accept or refuse.

        The state of the semaphore is then known only after a lack of memory (SPEC-IMPORT-30); else it is destroyed.
        """
        what, handle_type = data.draw(stranger), made.kind.handle_type
        temporary = made.is_binary and (handle_type == SYNC or data.draw(st.booleans()))
        step, name = ("import_stranger", f"a descriptor of: {what}") if what in FILES else ("import_number", what)
        text = f"vkImportSemaphoreFdKHR({made}, {handle_type}, {name}{', TEMPORARY' * temporary})"
        answer = self.tell(made.place[0], text, step, made.number, what, handle_type, temporary, rules=SURVIVES)
        if answer not in LACK:
            self.destroy(data, made)

    # Binary payloads

    @steps
    def binary(self):
        signalable = [one for one in self.world.signalable() if one.is_binary]
        return [
            *3 * [(self.work, signalable if self.may_work() else [])],
            (self.let_work_end, list(self.world.works.values())),
            (self.submit_several, self.idle_places()),
            (self.acquire, self.acquirable()),
            (self.present, self.presentable()),
            (self.signal, signalable),
            (self.wait, self.world.waitable()),
        ]

    def signal(self, data, made):
        self.submit_one(data, made, None, False, "SPEC-STATE-01")
        made.model.submit_signal().execute()

    def wait(self, data, made):
        """Submit a legal wait, which has to end, and not before the work that its signal comes after."""
        self.submit_one(data, made, None, True, SHARED)
        work = self.world.works.get(made.model.payload)
        made.model.submit_wait()
        if work and self.finish(work):
            self.differ("the wait ended before the work that comes before its signal", "SPEC-IMPORT-33, SPEC-STATE-09")

    def work(self, data, made):
        """A signal behind work of some milliseconds; once a walk, since it takes its time."""
        number, self.has_worked = self.world.next(), True
        text = f"vkQueueSubmit(some ms of vkCmdFillBuffer), vkQueueSubmit(signal {made}): work{number}"
        self.tell(made.place[0], text, "work", number, made.number)
        made.model.submit_signal().execute()
        self.world.works[made.model.payload] = Work(number, made)
        if made in self.world.exportable() and data.draw(st.booleans()):
            self.export(data, made)
            if elsewhere := [one for one in self.imports_of_newest() if one[1].place != made.place]:
                chosen = pick(data, elsewhere)
                self.import_(data, chosen)
                if chosen[1] in self.world.waitable():  # while it lasts
                    self.wait(data, chosen[1])

    def may_work(self):
        """Whether work is worth its time: others could see it through semaphores on another device."""
        return not self.has_worked and len({one.place for one in self.world.semaphores}) > 1

    def let_work_end(self, data, work):
        self.finish(work)

    def finish(self, work):
        """Wait for the work; whether it still ran."""
        text, asked = f"vkWaitForFences(of work{work.number})", ("finish_work", work.number, self.players.seconds)
        was_running, problem = self.tell(work.made.place[0], text, *asked, rules="SPEC-STATE-01")
        if problem:
            self.differ(f"work{work.number} does not end: {problem}", "SPEC-STATE-01")
        self.world.forget(work)
        return was_running

    # Timelines

    @steps
    def timeline(self):
        timelines = self.world.timelines()
        return [
            (self.wait_for_value, timelines),
            (self.read, timelines),
            (self.raise_, [one for one in timelines if not self.world.will_be_signaled(one.model.payload)]),
        ]

    def raise_(self, data, made):
        """Signal a timeline, by the host or by a queue."""
        value = made.model.payload.value + data.draw(more)
        if self.world.is_idle(made.place) and data.draw(st.booleans()):
            self.submit_one(data, made, value, False, "SPEC-STATE-01")
        else:
            self.host_signal(made.place[0], made.number, value)
        made.model.submit_signal(value).execute()
        self.progress()

    def host_signal(self, actor, number, value):
        text = f"vkSignalSemaphore(semaphore{number}, {value})"
        answer = self.tell(actor, text, "host_signal", number, value, rules="SPEC-HOST-09")
        if answer != Result.SUCCESS:
            self.differ(f"vkSignalSemaphore returned {answer}", "SPEC-HOST-09")

    def wait_for_value(self, data, made):
        """Wait on the host for a reached value, which has to end."""
        value = self.draw_reached(data, made)
        if self.world.is_idle(made.place) and data.draw(st.booleans()):
            self.submit_one(data, made, value, True, SHARED)
            return
        text, asked = f"vkWaitSemaphores({made}, {value})", ("host_wait", made.number, value, self.players.seconds)
        answer = self.tell(made.place[0], text, *asked, rules="SPEC-HOST-09")
        if answer != Result.SUCCESS:
            self.differ(f"vkWaitSemaphores returned {answer} for a value that is reached", "SPEC-HOST-09, " + SHARED)

    def read(self, data, made):
        """Read the counter through any member, which has to be the model's."""
        text, expected = f"vkGetSemaphoreCounterValue({made})", made.model.payload.value
        value = self.tell(made.place[0], text, "counter", made.number, rules="SPEC-HOST-09")
        if value != expected:
            self.differ(f"the counter is {value} instead of {expected}", "SPEC-IMPORT-14, SPEC-HOST-09")

    # What waits

    @steps
    def pending(self):
        held = self.world.signalable(held=True) if self.players.info.timeline else []
        return [
            (self.look, self.world.pending),
            (self.idle, self.world.busy_places()),
            (self.let_go, self.world.releasable()),
            (self.hold, held),
            (self.wait_ahead, [one for one in self.world.timelines() if self.world.may_hold(one.place)]),
        ]

    def hold(self, data, made):
        """A signal behind a timeline that the host raises later."""
        gate, number, place = self.world.next(), self.world.next(), made.place
        text = f"semaphore{gate} = vkCreateSemaphore(device{place[1]}, timeline, initialValue 0)"
        if not self.tell(place[0], text, "create", gate, place[1], TIMELINE, False, 0):
            self.differ("vkCreateSemaphore succeeded with VK_NULL_HANDLE", "SPEC-CREATE-08")
        value = None if made.is_binary else made.model.payload.value + data.draw(more)
        what = str(made) if value is None else f"{made} = {value}"
        text = f"submission{number} = vkQueueSubmit(wait for semaphore{gate} >= 1, signal {what})"
        self.tell(place[0], text, "hold", number, gate, 1, made.number, value)
        signal = made.model.submit_signal(value or 0)
        self.world.pending.append(Pending(number, place, made, Wait(Timeline(), 1), signal, gate))

    def wait_ahead(self, data, made):
        """Submit a wait for a value that a timeline has not reached."""
        number, value = self.world.next(), made.model.payload.value + data.draw(more)
        text = f"submission{number} = vkQueueSubmit(wait for {made} >= {value})"
        self.tell(made.place[0], text, "hold", number, made.number, value, None, None)
        self.world.pending.append(Pending(number, made.place, made, Wait(made.model.payload, value)))

    def let_go(self, data, one):
        """Signal from the host the value that a submission waits for."""
        self.host_signal(one.place[0], one.gate or one.made.number, one.wait.number)
        one.wait.payload.signal(one.wait.number)
        self.progress()

    def progress(self):
        """Wait for a submission whose wait is satisfied, which has to end."""
        for one in self.world.finished():
            gone = f", vkDestroySemaphore(semaphore{one.gate})" if one.gate else ""
            text = f"vkWaitForFences(the fence of submission{one.number}){gone}"
            asked = ("finish", one.number, one.gate, self.players.seconds)
            if problem := self.tell(one.place[0], text, *asked, rules=AHEAD):
                self.differ(
                    f"submission{one.number} does not end although all that it waits for is signaled: {problem}", AHEAD
                )

    def look(self, data, one):
        """Check that a submission that still waits is not done."""
        text = f"vkWaitForFences(the fence of submission{one.number}, 0 s)"
        if self.tell(one.place[0], text, "is_done", one.number, rules=AHEAD):
            self.differ(
                f"submission{one.number} is done although the value that it waits for is not signaled", "SPEC-STATE-01"
            )
