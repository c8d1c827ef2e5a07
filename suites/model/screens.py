"""Steps of a walk that acquire and present images, where the driver has headless surfaces: a swapchain for each device."""


class Screens:
    """These steps of a Walk."""

    def acquirable(self):
        """Semaphores that an image may be acquired with: unsignaled, nothing pending, and the device has no image yet."""
        if "acquire" in self.world.known or not self.players.have_screens:
            return []
        unused = [one for one in self.world.signalable() if one.is_binary and not self.world.is_used(one)]
        return [one for one in unused if one.place not in self.world.acquired]

    def acquire(self, data, made):
        """Acquire an image, which counts as a temporary import of a signaled payload; where none comes nothing changes."""
        text = f"vkAcquireNextImageKHR(device{made.place[1]}'s swapchain, {made}, a fence that is waited for)"
        if self.tell(made.place[0], text, "acquire", made.number, rules="SPEC-WSI-05, SPEC-WSI-06"):
            made.model.import_copy(None)
            self.world.acquired.add(made.place)

    def presentable(self):
        """Places with an image where nothing waits."""
        return [one for one in self.world.places if one in self.world.acquired and self.world.is_idle(one)]

    def present(self, data, place):
        """Present the image after waits, each of which ends a temporary import."""
        waits = self.draw_some(data, place, self.waitable_now())
        text = f"vkQueuePresentKHR({', '.join(f'wait for {one}' for one in waits) or 'no wait'}), vkQueueWaitIdle"
        problem = self.tell(place[0], text, "present", place[1], [one.number for one in waits], rules="SPEC-WSI-11")
        if problem:
            self.differ(problem, "SPEC-WSI-11")
        self.world.acquired.remove(place)
        for one in waits:
            one.model.submit_wait()
