"""Steps of a walk that wait for an idle queue or device while batches run there, or wait for the host."""

from suites.model.choices import pick

RULES = "SPEC-STATE-14, SPEC-STATE-15"
IDLES = ("vkDeviceWaitIdle", "vkQueueWaitIdle")


class Idling:
    """These steps of a Walk."""

    def idle(self, data, place):
        """Wait for idle, while another thread signals what submissions of the queue wait for: all has to be done then."""
        held = [one for one in self.world.pending if one.place == place]
        works = [one for one in self.world.running() if one.made.place == place]
        end, gates = pick(data, IDLES), [one.gate for one in held if not one.wait.is_satisfied]
        meanwhile = [f"vkSignalSemaphore(semaphore{gate}, 1) by another thread" for gate in gates]
        asked = ("idle", place[1], end, gates, [one.number for one in (*works, *held)])
        left = self.tell(
            place[0], ", beside it ".join([f"{end}(of device{place[1]})", *meanwhile]), *asked, rules=RULES
        )
        if left:
            self.differ(f"when {end} returned, not all that was submitted was done: {left}", RULES)
        for one in held:
            one.wait.payload.signal(one.wait.number)
        self.progress()
        for one in works:
            self.finish(one)
