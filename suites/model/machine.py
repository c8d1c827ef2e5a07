"""The random walk: Hypothesis chooses legal steps, the reference model predicts, the driver's processes take them."""

from dataclasses import dataclass

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from fixtures.drivers import KINDS
from fixtures.payloads import Binary, Payload, Semaphore, Timeline, Wait
from fixtures.registry import FeatureFlag, HandleType, Result, SemaphoreType
from fixtures.strangers import NUMBERS, STRANGERS
from suites.model.players import Difference

MOST = 6
OPAQUE, SYNC = HandleType.OPAQUE_FD, HandleType.SYNC_FD
SHARED = "SPEC-IMPORT-14, SPEC-IMPORT-15"
SURVIVES = "SPEC-IMPORT-23"
one_of = st.integers(0, 11)
FILES = tuple(name for name in STRANGERS if name not in NUMBERS)


@dataclass
class Made:
    """A semaphore of the walk: where it lives, what it was made for, and what the model says about it."""

    number: int
    actor: int
    device: int
    kind: object
    exports: bool
    model: Semaphore

    def __str__(self):
        return f"semaphore{self.number}"

    @property
    def is_binary(self):
        return self.kind.semaphore_type == SemaphoreType.BINARY


@dataclass
class Handle:
    """A descriptor of the walk: whose it is, as what it was exported, and the payload or the wait behind it."""

    number: int
    actor: int
    kind: object
    fd: int
    behind: Payload | Wait

    def __str__(self):
        return f"descriptor{self.number}"


class Walk(RuleBasedStateMachine):
    """One walk; `players` are the processes, `known` the names of steps that are known to go wrong and are not taken."""

    def __init__(self, players, known):
        super().__init__()
        self.players, self.known, self.told = players, known, []
        self.info = players.info
        self.semaphores, self.handles, self.count = [], [], 0
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
            self.differ(
                f"descriptors {gone} are the application's and no longer open", "SPEC-EXPORT-02, SPEC-IMPORT-03"
            )
        return came

    def differ(self, what, rules):
        """End the walk: the driver did what the model does not."""
        steps = "; ".join(f"{number}. {line}" for number, line in enumerate(self.told, 1))
        self.players.failed()
        raise Difference(f"{what} ({rules}) after {steps}")

    def next(self):
        self.count += 1
        return self.count

    @staticmethod
    def pick(index, candidates):
        """One of the candidates, None if there is none."""
        return candidates[index % len(candidates)] if candidates else None

    def claims(self, kind, feature):
        return bool(self.info.features(kind) & feature)

    # Life

    @initialize()
    def first(self):
        """No walk begins with nothing."""
        self.make(0, True, 0, 0, False)

    @precondition(lambda walk: len(walk.semaphores) < MOST)
    @rule(
        index=one_of, export=st.booleans(), device=st.integers(0, 1), value=st.integers(0, 2**31), other=st.booleans()
    )
    def create(self, index, export, device, value, other):
        """A semaphore on one of the devices of one of the processes."""
        self.make(index, export, device, value, other)

    def make(self, index, export, device, value, other):
        """A semaphore of a kind that the device exports and imports."""
        both = FeatureFlag.EXPORTABLE | FeatureFlag.IMPORTABLE
        kinds = [k for k in KINDS if (k.handle_type in (OPAQUE, SYNC)) and self.info.features(k) & both == both]
        kind = self.pick(index, [k for k in kinds if k.handle_type == OPAQUE or not k.semaphore_type])
        if kind is None or len(self.semaphores) >= MOST:
            return
        types = int(kind.handle_type) if export else 0
        timeline = kind.semaphore_type == SemaphoreType.TIMELINE
        payload = Timeline(types, [value, 0, 0]) if timeline else Binary(types)
        made = Made(self.next(), int(other), device, kind, export, Semaphore(payload))
        text = (
            f"{made} = vkCreateSemaphore(device{device}, {kind}, exportable={export}, initialValue={value * timeline})"
        )
        self.tell(
            made.actor, text, "create", made.number, device, kind, export, value * timeline, rules="SPEC-CREATE-10"
        )
        self.semaphores.append(made)

    @rule(index=one_of)
    def destroy(self, index):
        made = self.pick(index, self.semaphores)
        if made:
            self.tell(made.actor, f"vkDestroySemaphore({made})", "destroy", made.number, rules="SPEC-DESTROY-03")
            self.semaphores.remove(made)

    @rule(chance=st.integers(0, 40), device=st.integers(0, 1), actor=st.integers(0, 1))
    def reopen(self, chance, device, actor):
        """Destroy a device and its instance now and then; descriptors stay."""
        if chance == 7:
            text = f"destroy all semaphores of device{device}, the device and its instance; open another"
            self.tell(actor, text, "reopen", device, rules="SPEC-DESTROY-02, SPEC-HANDLE-04")
            self.semaphores = [s for s in self.semaphores if (s.actor, s.device) != (actor, device)]

    # Descriptors

    def may_export(self, made):
        kind = made.kind
        if kind.handle_type == OPAQUE and self.goes_wrong_exporting(made):
            return False
        from_imported = {kind.handle_type: self.info.claims[kind.claim][2]}
        return made.model.may_export(kind.handle_type, from_imported)

    def goes_wrong_exporting(self, made):
        """Whether this export is known to go wrong."""
        plain = "reexport-not-made-for-export" in self.known and not made.exports
        return plain or ("export-of-temporary" in self.known and made.model.temporary is not None)

    @rule(index=one_of)
    def export(self, index):
        made = self.pick(index, [s for s in self.semaphores if len(self.handles) < MOST and self.may_export(s)])
        if made is None:
            return
        number, kind = self.next(), made.kind
        text = f"descriptor{number} = vkGetSemaphoreFdKHR({made}, {kind.handle_type})"
        asked = ("export", made.number, number, kind.handle_type)
        answer, fd = self.tell(made.actor, text, *asked, rules="SPEC-EXPORT-07")
        if answer != Result.SUCCESS:
            self.differ(f"vkGetSemaphoreFdKHR returned {answer} for a legal export", "SPEC-CAPS-03")
        behind = made.model.export_reference() if kind.handle_type == OPAQUE else made.model.export_copy()
        self.handles.append(Handle(number, made.actor, kind, fd, behind))

    @precondition(lambda walk: walk.handles)
    @rule(index=one_of, onto=one_of, temporary=st.booleans(), minus=st.booleans())
    def import_descriptor(self, index, onto, temporary, minus):
        handle = self.pick(index, self.handles)
        if handle is None:
            return
        kind = handle.kind
        made = self.pick(onto, [s for s in self.semaphores if s.actor == handle.actor and s.kind == kind])
        temporary = (temporary or kind.handle_type == SYNC) and kind.semaphore_type == SemaphoreType.BINARY
        if made is None or self.goes_wrong(made, temporary):
            return
        flags = ", TEMPORARY" if temporary else ""
        if kind.handle_type == SYNC and minus:
            text, asked = "-1", ("import_number", made.number, -1, kind.handle_type, temporary)
        else:
            text, asked = str(handle), ("import_", made.number, handle.number, kind.handle_type, temporary)
        answer = self.tell(
            made.actor,
            f"vkImportSemaphoreFdKHR({made}, {kind.handle_type}, {text}{flags})",
            *asked,
            rules="SPEC-IMPORT-01",
        )
        if answer != Result.SUCCESS:
            self.differ(f"vkImportSemaphoreFdKHR returned {answer} for a legal import", "SPEC-CAPS-04")
        if kind.handle_type == SYNC:
            made.model.import_copy(None if text == "-1" else handle.behind, int(kind.handle_type) * made.exports)
        else:
            made.model.import_reference(handle.behind, kind.handle_type, temporary)
        if text != "-1":
            self.handles.remove(handle)

    def goes_wrong(self, made, temporary):
        over = made.model.temporary is not None
        return over and ("temporary-over-temporary" if temporary else "permanent-over-temporary") in self.known

    @precondition(lambda walk: walk.handles)
    @rule(index=one_of, is_copy=st.booleans())
    def dup_or_close(self, index, is_copy):
        handle = self.pick(index, self.handles)
        if handle is None:
            return
        if is_copy and len(self.handles) < MOST:
            copy = Handle(self.next(), handle.actor, handle.kind, handle.fd, handle.behind)
            self.tell(
                handle.actor, f"{copy} = dup({handle})", "dup", handle.number, copy.number, rules="SPEC-HANDLE-02"
            )
            self.handles.append(copy)
        elif not is_copy:
            problem = self.tell(handle.actor, f"close({handle})", "close", handle.number, rules="SPEC-EXPORT-02")
            if problem:
                self.differ(f"close failed with errno {problem}", "SPEC-EXPORT-02")
            self.handles.remove(handle)

    @precondition(lambda walk: walk.handles)
    @rule(index=one_of)
    def send(self, index):
        """A copy of a descriptor goes to the other process."""
        handle = self.pick(index, [h for h in self.handles if h.fd >= 0 and len(self.handles) < MOST])
        if handle is None:
            return
        copy = Handle(self.next(), 1 - handle.actor, handle.kind, handle.fd, handle.behind)
        text = f"{copy} = {handle}, sent to process {copy.actor} over a socket"
        self.tell(handle.actor, text, "pass", handle.number, copy.actor, copy.number, rules="SPEC-HANDLE-03")
        self.handles.append(copy)

    # Strangers

    @precondition(lambda walk: "strangers" not in walk.known)
    @rule(onto=one_of, temporary=st.booleans(), name=st.sampled_from(FILES))
    def import_file(self, onto, temporary, name):
        """A descriptor of something else."""
        self.stranger(onto, temporary, name, "import_stranger", name)

    @precondition(lambda walk: "strangers" not in walk.known)
    @rule(onto=one_of, temporary=st.booleans(), number=st.integers(-(2**31), -2) | st.integers(2**24, 2**31 - 1))
    def import_number(self, onto, temporary, number):
        """A number that is no descriptor."""
        self.stranger(onto, temporary, number, "import_number", number)

    def stranger(self, onto, temporary, what, step, given):
        """The driver may take it or not, and has to survive; a semaphore that took it has an unknown payload and goes."""
        made = self.pick(onto, [] if "strangers" in self.known else self.semaphores)
        if made is None:
            return
        handle_type = made.kind.handle_type
        temporary = (temporary or handle_type == SYNC) and made.is_binary
        text = f"vkImportSemaphoreFdKHR({made}, {handle_type}, {what}{', TEMPORARY' * temporary})"
        answer = self.tell(made.actor, text, step, made.number, given, handle_type, temporary, rules=SURVIVES)
        if answer == Result.SUCCESS:
            self.tell(made.actor, f"vkDestroySemaphore({made})", "destroy", made.number, rules=SURVIVES)
            self.semaphores.remove(made)

    # Payloads

    @rule(index=one_of)
    def signal(self, index):
        made = self.pick(index, [s for s in self.semaphores if s.is_binary and not s.model.payload.has_signal])
        if made:
            asked = ("submit", made.number, False, None, self.players.seconds)
            if problem := self.tell(made.actor, f"vkQueueSubmit(signal {made})", *asked, rules="SPEC-STATE-01"):
                self.differ(f"the signal does not end: {problem}", "SPEC-STATE-01")
            made.model.submit_signal().execute()

    @rule(index=one_of)
    def wait(self, index):
        """A wait that may be submitted has to end: a signal was submitted, and nobody waits for it yet."""
        made = self.pick(index, [s for s in self.semaphores if s.is_binary and s.model.payload.has_signal])
        if made:
            asked = ("submit", made.number, True, None, self.players.seconds)
            if problem := self.tell(made.actor, f"vkQueueSubmit(wait {made})", *asked, rules=SHARED):
                self.differ(f"the wait does not end: {problem}", SHARED)
            made.model.submit_wait()

    def timeline(self, index):
        return self.pick(index, [s for s in self.semaphores if not s.is_binary])

    @precondition(lambda walk: walk.timeline(0))
    @rule(index=one_of, more=st.integers(1, 1000), on_queue=st.booleans())
    def raise_timeline(self, index, more, on_queue):
        """A timeline grows, by the host or by a queue."""
        made = self.timeline(index)
        if made is None:
            return
        value = made.model.payload.value + more
        if on_queue:
            asked = ("submit", made.number, False, value, self.players.seconds)
            problem = self.tell(made.actor, f"vkQueueSubmit(signal {made} = {value})", *asked, rules="SPEC-STATE-01")
        else:
            answer = self.tell(
                made.actor,
                f"vkSignalSemaphore({made}, {value})",
                "host_signal",
                made.number,
                value,
                rules="SPEC-HOST-09",
            )
            problem = "" if answer == Result.SUCCESS else f"vkSignalSemaphore returned {answer}"
        if problem:
            self.differ(problem, "SPEC-HOST-09, SPEC-STATE-01")
        made.model.submit_signal(value).execute()

    @precondition(lambda walk: walk.timeline(0))
    @rule(index=one_of, less=st.integers(0, 1000), on_queue=st.booleans())
    def wait_timeline(self, index, less, on_queue):
        """A wait for what the timeline has reached ends."""
        made = self.timeline(index)
        if made is None:
            return
        value = max(0, made.model.payload.value - less)
        if on_queue:
            asked = ("submit", made.number, True, value, self.players.seconds)
            problem = self.tell(made.actor, f"vkQueueSubmit(wait {made} >= {value})", *asked, rules=SHARED)
        else:
            asked = ("host_wait", made.number, value, self.players.seconds)
            answer = self.tell(made.actor, f"vkWaitSemaphores({made}, {value})", *asked, rules="SPEC-HOST-09")
            problem = "" if answer == Result.SUCCESS else f"vkWaitSemaphores returned {answer}"
        if problem:
            self.differ(problem, "SPEC-HOST-09, " + SHARED)

    @precondition(lambda walk: walk.timeline(0))
    @rule(index=one_of)
    def read(self, index):
        """The counter is what the model counts, through whichever member."""
        made = self.timeline(index)
        if made:
            text = f"vkGetSemaphoreCounterValue({made})"
            value = self.tell(made.actor, text, "counter", made.number, rules="SPEC-HOST-09")
            if value != made.model.payload.value:
                self.differ(
                    f"the counter is {value} instead of {made.model.payload.value}", "SPEC-IMPORT-14, SPEC-HOST-09"
                )
