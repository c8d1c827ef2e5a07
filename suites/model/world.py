"""The state of a walk: semaphores, descriptors and submissions that still wait, and which steps are legal now.

This file calls no driver.  A submission that waits for a timeline value is pending until a legal step signals that value;
a binary signal after it allows no wait and no export as SYNC_FD yet, since what it depends on was not submitted (-03238 and
-03254).  Work of the device ends by itself: a signal after it counts as executed, and a wait for that has to end later.
"""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from itertools import product

from fixtures.reference.payloads import Binary, Payload, Semaphore, Signal, Timeline, Wait
from fixtures.testbed.kinds import KINDS, Kind
from fixtures.vulkan.registry import FeatureFlag, HandleType, SemaphoreType

MOST, MOST_HANDLES = 6, 4
MOST_PENDING = 4
OPAQUE, SYNC = HandleType.OPAQUE_FD, HandleType.SYNC_FD
PLACES = list(product((0, 1), (0, 1)))
"""Each device of each process, as (process, device): its queue runs one submission after the other."""


@dataclass(eq=False)
class Made:
    """A semaphore: its place, the handle types that it was made for, and its state in the model."""

    number: int
    place: tuple[int, int]
    kind: Kind
    exports: bool
    model: Semaphore

    def __str__(self) -> str:
        return f"semaphore{self.number}"

    @property
    def is_binary(self) -> bool:
        return self.kind.semaphore_type == SemaphoreType.BINARY


@dataclass(eq=False)
class Handle:
    """A descriptor: the process that has it, its handle type, and the payload or the wait behind it."""

    number: int
    actor: int
    kind: Kind
    fd: int
    behind: Payload | Wait

    def __str__(self) -> str:
        return f"descriptor{self.number}"


@dataclass(eq=False)
class Pending:
    """A submission that waits for a timeline and then signals `made`; without `signal` it is `made` that it waits for.

    `gate` is the timeline that only the host signals, None where it waits for a timeline that others share.
    """

    number: int
    place: tuple[int, int]
    made: Made
    wait: Wait
    signal: Signal | None = None
    gate: int | None = None


@dataclass(eq=False)
class Work:
    """Work that a device does by itself, with a signal of `made` submitted behind it."""

    number: int
    made: Made


def shareable(info) -> list[Kind]:
    """The kinds of payload that a device both exports and imports."""
    both = FeatureFlag.EXPORTABLE | FeatureFlag.IMPORTABLE
    kinds = [kind for kind in KINDS if info.features(kind) & both == both]
    return [kind for kind in kinds if kind.handle_type == OPAQUE or not kind.semaphore_type]


class World:
    """The state of a walk; `known` are the names of steps that are known to fail, which the walk does not take."""

    def __init__(self, info, known):
        self.info, self.known = info, known
        self.semaphores: list[Made] = []
        self.handles: list[Handle] = []
        self.pending: list[Pending] = []
        self.works: dict[Payload, Work] = {}
        self.acquired: set[tuple[int, int]] = set()
        self.count = 0
        self.kinds = shareable(info)
        self.places, self.most = PLACES, MOST

    def copy(self, handle, actor) -> Handle:
        """Another descriptor of the same payload, in a process."""
        self.handles.append(Handle(self.next(), actor, handle.kind, handle.fd, handle.behind))
        return self.handles[-1]

    def copy_of_all(self):
        """The same state, independent of what happens to this one."""
        return deepcopy(self, {id(self.info): self.info})

    def narrow(self, kind, places, most) -> None:
        """Use one kind (None: all), the first `places` and so many semaphores: in a narrow world steps meet more often."""
        self.kinds = [self.kinds[kind % len(self.kinds)]] if self.kinds and kind is not None else self.kinds
        self.places, self.most = PLACES[:places], most

    def next(self) -> int:
        """A new number for a semaphore, a descriptor or a submission."""
        self.count += 1
        return self.count

    # What waits

    def is_idle(self, place) -> bool:
        """Whether nothing waits on the queue there: what is submitted now ends by itself."""
        return all(one.place != place for one in self.pending)

    def running(self) -> list[Work]:
        """The work that was not seen to end."""
        return list({one.number: one for one in self.works.values()}.values())

    def busy_places(self) -> list[tuple[int, int]]:
        """Places where something runs, or waits for what the host alone signals."""
        waiting = {one.place for one in self.pending if one.gate is None}
        busy = {one.place for one in self.pending} | {one.made.place for one in self.running()}
        return [place for place in self.places if place in busy - waiting]

    def unused_places(self) -> list[tuple[int, int]]:
        """Devices where nothing runs or waits."""
        used = {one.made.place for one in (*self.pending, *self.works.values())}
        if "destroy-device-beside-what-waits" in self.known:
            used |= {(one.place[0], device) for one in self.pending for device in (0, 1)}
        return [place for place in self.places if place not in used]

    def may_hold(self, place) -> bool:
        """Whether a submission that waits may be added: nothing follows a wait that others than the host have to end."""
        here = [one for one in self.pending if one.place == place]
        return len(self.pending) < MOST_PENDING and all(one.gate is not None for one in here)

    def is_used(self, made) -> bool:
        """Whether a queue still works with the semaphore: it may be neither destroyed nor imported into (-01137, -01142)."""
        return any(one.made is made for one in (*self.pending, *self.works.values()))

    def will_be_signaled(self, payload) -> bool:
        """Whether a signal of a timeline is pending: no other signal of it may be submitted then (-03259, -03242)."""
        return any(one.signal is not None and one.signal.payload is payload for one in self.pending)

    def finished(self) -> Iterator[Pending]:
        """Submissions whose turn has come, in order, each with its signal executed: the driver has to end them."""
        while True:
            first = {one.place: one for one in reversed(self.pending)}.values()
            ready = next((one for one in first if one.wait.is_satisfied), None)
            if ready is None:
                return
            self.pending.remove(ready)
            if ready.signal:
                ready.signal.execute()
            yield ready

    def releasable(self) -> list[Pending]:
        """Submissions whose wait the host may end now: what a timeline has reached it is not raised to again (-03258)."""
        waiting = [one for one in self.pending if not one.wait.is_satisfied]
        return [one for one in waiting if one.gate or not self.will_be_signaled(one.wait.payload)]

    def forget(self, work) -> None:
        """The work is done."""
        self.works = {payload: one for payload, one in self.works.items() if one is not work}

    # Which steps are legal

    def destroyable(self) -> list[Made]:
        return [one for one in self.semaphores if not self.is_used(one)]

    def exportable(self) -> list[Made]:
        return [one for one in self.semaphores if len(self.handles) < MOST_HANDLES and self._may_export(one)]

    def shareable(self) -> list[Made]:
        """Semaphores that may be exported, now or once they are signaled."""
        unsignaled = [one for one in self.signalable() if one.kind.handle_type == SYNC and self._allows(one)]
        return self.exportable() + (unsignaled if len(self.handles) < MOST_HANDLES else [])

    def _allows(self, made) -> bool:
        """Whether payload, import and claims allow the export of a SYNC_FD, whatever its state."""
        model, from_imported = made.model, self.info.claims[made.kind.claim][2]
        return bool(model.payload.handle_types & SYNC) and (model.imported_as is None or bool(from_imported & SYNC))

    def _may_export(self, made) -> bool:
        kind, model = made.kind, made.model
        blocks = "export-beside-what-waits" in self.known and not self.is_idle(made.place)
        if kind.handle_type == SYNC and (blocks or not model.payload.is_signaled):
            return False
        plain = "reexport-not-made-for-export" in self.known and not made.exports
        temporary = "export-of-temporary" in self.known and model.temporary is not None
        if model.is_unsettled or (kind.handle_type == OPAQUE and (plain or temporary)):
            return False
        return model.may_export(kind.handle_type, {kind.handle_type: self.info.claims[kind.claim][2]})

    def imports(self) -> list[tuple[Handle, Made, bool]]:
        """(descriptor, semaphore, whether temporarily) of each import that has to succeed."""
        return [
            (handle, made, temporary)
            for handle in self.handles
            for made in self.targets(handle.kind.handle_type)
            if made.kind == handle.kind and made.place[0] == handle.actor
            for temporary in (False, True)
            if self._may_import(made, temporary)
        ]

    def targets(self, handle_type) -> list[Made]:
        """Semaphores into which a payload of that type may be imported now."""
        return [one for one in self.semaphores if one.kind.handle_type == handle_type and not self.is_used(one)]

    def _may_import(self, made, temporary) -> bool:
        over = made.model.temporary is not None
        if over and ("temporary-over-temporary" if temporary else "permanent-over-temporary") in self.known:
            return False
        return made.is_binary if temporary else made.kind.handle_type == OPAQUE

    def signalable(self, held=False) -> list[Made]:
        """Semaphores that a queue may signal now, or, `held`, behind a wait."""
        there = self.may_hold if held else self.is_idle
        settled = [one for one in self.semaphores if not one.model.is_unsettled]
        return [one for one in settled if there(one.place) and self._may_signal(one.model.payload)]

    def _may_signal(self, payload) -> bool:
        if isinstance(payload, Timeline):
            return not self.will_be_signaled(payload)
        return not payload.has_signal and payload not in self.works

    def waitable(self) -> list[Made]:
        """Binary semaphores for which a queue may wait now: the signal is there, and all that it depends on."""
        settled = [one for one in self.semaphores if one.is_binary and not one.model.is_unsettled]
        return [one for one in settled if self.is_idle(one.place) and one.model.payload.is_signaled]

    def timelines(self) -> list[Made]:
        return [one for one in self.semaphores if not one.is_binary]

    # What steps do

    def export(self, made) -> Payload | Wait:
        """What the descriptor of an export stands for."""
        return made.model.export_reference() if made.kind.handle_type == OPAQUE else made.model.export_copy()

    def import_(self, handle, made, temporary) -> None:
        """The import of a descriptor has succeeded."""
        self.handles.remove(handle)
        if made.kind.handle_type == OPAQUE:
            made.model.import_reference(handle.behind, OPAQUE, temporary)
            return
        made.model.import_copy(handle.behind, int(SYNC) * (made.exports and handle.fd >= 0))
        if work := self.works.get(handle.behind.payload):
            self.works[made.model.temporary] = work

    def new_payload(self, kind, export, value) -> Payload:
        """The payload of a new semaphore."""
        types = int(kind.handle_type) if export else 0
        return Timeline(types, [value, 0, 0]) if kind.semaphore_type else Binary(types)
