"""Steps of a walk that submit operations whose signals exist: one operation, or several batches in one call."""

from hypothesis import strategies as st

from suites.model.choices import more, pick

SHARED = "SPEC-IMPORT-14, SPEC-IMPORT-15"
ENDS = ("vkDeviceWaitIdle", "vkQueueWaitIdle", "")
"""What the host waits for; "" for the fence alone."""


class Batches:
    """These steps of a Walk."""

    def idle_places(self):
        """Devices with semaphores where nothing waits."""
        here = {one.place for one in self.world.semaphores}
        return [one for one in self.world.places if one in here and self.world.is_idle(one)]

    def submit_several(self, data, place):
        """Up to three batches in one call; each may use what those before it did.

        The model takes each batch as it is drawn: where Hypothesis ends the walk before the driver takes them, it is put back.
        """
        before = self.world.copy_of_all()
        try:
            batches = [self.draw_batch(data, place) for _ in range(data.draw(st.integers(1, 3)))]
            self.submit(data, place, batches, SHARED + ", SPEC-STATE-09")
        except BaseException:
            self.world = before
            raise
        self.progress()

    def draw_batch(self, data, place):
        """(waits, signals), each payload at most once in either, with the model as it is after them.

        Which payload a batch signals that ends a temporary import of the same semaphore is left open: not both in one.
        """
        waits = self.draw_some(data, place, self.waitable_now() + self.world.timelines())
        ending = {one for one in waits if one.model.temporary is not None}
        waited = [(one, self.draw_reached(data, one)) for one in waits]
        for one, _ in waited:
            one.model.submit_wait()
        signals = self.draw_some(data, place, [one for one in self.world.signalable() if one not in ending])
        signaled = [(one, None if one.is_binary else one.model.payload.value + data.draw(more)) for one in signals]
        for one, value in signaled:
            one.model.submit_signal(value).execute()
        return waited, signaled

    def waitable_now(self):
        """Binary semaphores whose signal no work holds back."""
        return [one for one in self.world.waitable() if one.model.payload not in self.world.works]

    def draw_some(self, data, place, candidates):
        """Up to three semaphores of a place, no two of one payload."""
        there = [one for one in candidates if one.place == place]
        drawn = data.draw(st.lists(st.sampled_from(there), max_size=3)) if there else []
        return list({one.model.payload: one for one in drawn}.values())

    def draw_reached(self, data, made):
        """A value that a timeline has reached; None for a binary semaphore."""
        return None if made.is_binary else max(0, made.model.payload.value - data.draw(more) + 1)

    def submit_one(self, data, made, value, is_wait, rules):
        """A wait or a signal, alone; `data` None: with nothing left to choose."""
        operation = [(made, value)]
        self.submit(data, made.place, [(operation, []) if is_wait else ([], operation)], rules)

    def submit(self, data, place, batches, rules):
        """A submission that has to end by itself."""
        through = pick(data, self.ways[::-1]) if data else self.ways[0]
        end = pick(data, ENDS) if data else ""
        on_device = bool(data) and data.draw(st.booleans())
        what = "; ".join(told(*one) for one in batches) + ", all on device 0 of the group" * on_device
        text = f"{through}({what}), until {f'{end} returns' if end else 'its fence is signaled'}"
        numbers = [[[(one.number, value) for one, value in half] for half in batch] for batch in batches]
        asked = ("submit", place[1], numbers, through, end, on_device, self.players.seconds)
        if problem := self.tell(place[0], text, *asked, rules=rules):
            self.differ(f"a submission does not end: {problem}", rules)


def told(waits, signals):
    """A batch as text."""
    waits = [f"wait for {one}" + ("" if value is None else f" >= {value}") for one, value in waits]
    signals = [f"signal {one}" + ("" if value is None else f" = {value}") for one, value in signals]
    return ", ".join(waits + signals) or "nothing"
