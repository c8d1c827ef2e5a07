"""A process of a walk: it takes the steps that the test sends, one at a time, and sends back the result of each.

The model stays with the test, so a driver that kills or holds this process is one more difference, shrunk like any other.
"""

from dataclasses import dataclass, field
from threading import Timer
from typing import Any

import pytest

from fixtures.running.channels import Channel
from fixtures.running.stacks import watchdog
from fixtures.testbed import bench, foreign, patience
from fixtures.testbed.descriptors import Descriptor
from fixtures.testbed.devices import Device, Submission, batch_of
from fixtures.testbed.gates import run_work
from fixtures.vulkan import outcomes
from fixtures.vulkan.batches import Place, placed
from fixtures.vulkan.commands import is_open
from fixtures.vulkan.registry import Result
from suites.steps.screens import REJECTED, Screen, open_screen

DEVICES = 2
SOON = 0.005
"""Seconds until another thread signals: the wait for idle has begun by then."""


@dataclass
class Held:
    """What the process holds: devices, each of its own instance, and semaphores and descriptors by the walk's numbers.

    `screens` has a swapchain for each device, or None where the driver offers none.
    """

    info: Any
    screens: list[Screen | None]
    devices: list[Device]
    semaphores: dict[int, Any] = field(default_factory=dict)
    descriptors: dict[int, Descriptor] = field(default_factory=dict)
    submissions: dict[int, list[Submission]] = field(default_factory=dict)


def act(channel: Channel, info: Any, spoil: Any = None) -> None:
    """Take steps until the message is None.  Each answer is (the result, violations by its calls, descriptors that are closed).

    `spoil(table)` breaks the driver on purpose, in this process only.
    """
    watchdog.rest()  # the walk has its own limit for each step
    if spoil:
        spoil(bench.commands().table)
    made = [open_screened(info) for _ in range(DEVICES)]
    held = Held(info, [screen for screen, _ in made], [device for _, device in made])
    channel.send(None not in held.screens)
    while (told := channel.receive(1e6)) is not None:
        name, arguments = told
        outcomes.notes.clear()
        came = STEPS[name](held, channel, *arguments)
        broken = [(one.rule, one.what) for one in outcomes.notes.breaches]
        gone = [number for number, one in held.descriptors.items() if one.fd >= 0 and not is_open(one.fd)]
        channel.send((came, broken, gone))
    outcomes.notes.clear()


def open_screened(info):
    """(a swapchain, its device); (None, a device) where the driver offers none."""
    opened = []

    def opening(**wanted):
        opened.append(bench.open_device(info, most=1, **wanted))
        return opened[-1]

    try:
        return open_screen(opening, info), opened[-1]
    except pytest.skip.Exception:
        return None, opened[-1] if opened else bench.open_device(info, most=1)


def create(held, channel, number, device, kind, export, value):
    """Whether the driver returned a handle."""
    held.semaphores[number] = held.devices[device].semaphore(kind, export, value)
    return held.semaphores[number].handle != 0


def destroy(held, channel, number):
    held.semaphores.pop(number).destroy()


def export(held, channel, number, descriptor, handle_type):
    answer, held.descriptors[descriptor] = held.semaphores[number].export_fd(handle_type)
    return answer, held.descriptors[descriptor].fd


def import_(held, channel, number, descriptor, handle_type, temporary):
    answer = held.semaphores[number].import_fd(held.descriptors[descriptor].fd, handle_type, temporary)
    if answer.is_success:
        del held.descriptors[descriptor]
    return answer


def import_number(held, channel, number, fd, handle_type, temporary):
    return held.semaphores[number].import_fd(fd, handle_type, temporary)


def import_stranger(held, channel, number, name, handle_type, temporary):
    stranger = Descriptor(foreign.STRANGERS[name](), bench.commands(), name)
    answer = held.semaphores[number].import_fd(stranger.fd, handle_type, temporary)
    stranger.close()
    return answer


def dup(held, channel, descriptor, copy):
    held.descriptors[copy] = held.descriptors[descriptor].dup()


def close(held, channel, descriptor):
    return held.descriptors.pop(descriptor).close()


def give(held, channel, descriptor):
    channel.send_fd(held.descriptors[descriptor].fd)


def take(held, channel, descriptor):
    held.descriptors[descriptor] = Descriptor(channel.receive_fd(), bench.commands(), "received descriptor")


def submit(held, channel, device, batches, through, end, names_device, seconds):
    """Why a submission does not end; `end` waits for it, "" its fence alone; it may name device 0 of a group for everything."""
    device = held.devices[device]
    queue, place = device.queue_for(through), Place(names_device=names_device)
    made = [placed(batch_of(*[some(held, half) for half in one]), place) for one in batches]
    submission = queue.submit_batches(made, through)
    if end and submission.result.is_success:
        came = getattr(device.vk, end)(queue.handle if end == "vkQueueWaitIdle" else device.handle)
        if not came.is_success or not submission.is_done:
            return f"{end} returned {came}; {submission}"
    return "" if submission.finishes(seconds) else str(submission)


def some(held, told):
    """The semaphores as a batch takes them."""
    return [at(held.semaphores[number], value) for number, value in told]


def at(semaphore, value):
    """The semaphore as a submission takes it: a binary one, or a timeline with its value."""
    return semaphore if value is None else (semaphore, value)


def hold(held, channel, number, gate, at_least, signaled, value):
    """A submission that waits for the timeline `gate`, and then signals something or nothing."""
    waited = held.semaphores[gate]
    signals = [] if signaled is None else [at(held.semaphores[signaled], value)]
    held.submissions[number] = [waited.device.queue.submit([(waited, at_least)], signals)]


def finish(held, channel, number, gate, seconds):
    """Wait for a submission, whose gate has been signaled."""
    (submission,) = held.submissions.pop(number)
    problem = "" if submission.finishes(seconds) else str(submission)
    if gate is not None and not problem:
        held.semaphores.pop(gate).destroy()
    return problem


def is_done(held, channel, number):
    return held.submissions[number][0].is_done


def work(held, channel, number, signaled):
    """Work, and a signal behind it in a submission of its own."""
    semaphore = held.semaphores[signaled]
    held.submissions[number] = [run_work(semaphore.device), semaphore.device.queue.submit(signals=[semaphore])]


def finish_work(held, channel, number, seconds):
    """(whether the work still runs, why work or signal do not end)."""
    submissions = held.submissions.pop(number)
    was_running = not submissions[0].is_done
    return was_running, "; ".join(str(one) for one in submissions if not one.finishes(seconds))


def idle(held, channel, device, end, gates, numbers):
    """Wait for an idle queue or device, while another thread signals `gates`; which submissions are not done then, as text."""
    device = held.devices[device]
    raising = Timer(SOON, lambda: [held.semaphores[gate].host_signal(1) for gate in gates])
    raising.start()
    came = getattr(device.vk, end)(device.queue.handle if end == "vkQueueWaitIdle" else device.handle)
    left = [f"{number}: {one}" for number in numbers for one in held.submissions[number] if not one.is_done]
    raising.join()
    return "; ".join([f"{end} returned {came}"] * came.is_error + left)


def acquire(held, channel, number):
    """Acquire an image with a semaphore and a fence, and make it ready; whether one came."""
    semaphore = held.semaphores[number]
    screen = held.screens[held.devices.index(semaphore.device)]
    vk, fence = screen.device.vk, screen.device.fence()
    answer, image = vk.vkAcquireNextImageKHR(
        screen.device.handle, screen.swapchain, patience.nanoseconds(), semaphore.handle, fence
    )
    if answer not in (Result.SUCCESS, Result.SUBOPTIMAL_KHR):
        return False
    vk.vkWaitForFences(screen.device.handle, (fence,), patience.nanoseconds())
    screen.make_ready(screen.images[image])
    screen.acquired.append(image)
    return True


def present(held, channel, device, numbers):
    """Present the image after waits, and wait for the idle queue; what went wrong, as text."""
    screen, queue = held.screens[device], held.devices[device].queue
    image, waits = screen.acquired.pop(), tuple(held.semaphores[number].handle for number in numbers)
    answer = queue.device.vk.vkQueuePresentKHR(queue.handle, screen.swapchain, image, waits)
    idle = queue.device.vk.vkQueueWaitIdle(queue.handle)
    is_right = (not answer.is_error or answer in REJECTED) and idle.is_success
    return "" if is_right else f"vkQueuePresentKHR returned {answer}, and vkQueueWaitIdle after it {idle}"


def counter(held, channel, number):
    return held.semaphores[number].counter()


def host_signal(held, channel, number, value):
    return held.semaphores[number].host_signal(value)


def host_wait(held, channel, number, value, seconds):
    return held.semaphores[number].host_wait(value, seconds)


def reopen(held, channel, device):
    """Destroy a device with its instance and all objects made on it, and open another in its place."""
    gone = held.devices[device]
    held.semaphores = {n: one for n, one in held.semaphores.items() if one.device is not gone}
    bench.close_device(gone)
    held.screens[device], held.devices[device] = open_screened(held.info)


def begin(held, channel):
    """Forget the last walk."""
    for index, screen in enumerate(held.screens):
        if screen and screen.acquired:
            present(held, channel, index, [])
    for device in held.devices:
        device.settle()
    held.semaphores.clear()
    held.descriptors.clear()
    bench.close_descriptors()


LIFE = (begin, create, destroy, reopen, export, import_, import_number, import_stranger, dup, close, give, take)
PAYLOADS = (submit, hold, finish, is_done, work, finish_work, idle, acquire, present, counter, host_signal, host_wait)
STEPS = {step.__name__: step for step in (*LIFE, *PAYLOADS)}
