"""Exports of new semaphores, in each state in which a semaphore may be exported."""

from fixtures.testbed.descriptors import Descriptor
from fixtures.testbed.devices import Device
from fixtures.testbed.gates import run_work
from fixtures.testbed.kinds import Kind
from fixtures.vulkan.outcomes import Broken, too_late
from fixtures.vulkan.registry import HandleType, Result

STATES = ("unsignaled", "signaled", "signal-pending")
VALUE = 7


def export_in(device: Device, kind: Kind, state: str) -> tuple[Result, Descriptor]:
    """Export a new semaphore of `kind` that is in `state`; a timeline counts as signaled at VALUE."""
    timeline = bool(kind.semaphore_type)
    semaphore = device.semaphore(kind, export=True, initial_value=VALUE if timeline and state == "signaled" else 0)
    if state == "signal-pending":
        run_work(device)
        device.queue.submit(signals=[(semaphore, VALUE) if timeline else semaphore])
    elif state == "signaled" and not timeline:
        semaphore.signal()
    return semaphore.export_fd()


def succeeded(export: tuple[Result, Descriptor]) -> Descriptor:
    """The descriptor of an export that has to succeed, which may be -1 as SYNC_FD; raises `Broken` otherwise."""
    answer, descriptor = export
    if not answer.is_success:
        raise Broken(f"vkGetSemaphoreFdKHR returned {answer} (SPEC-CAPS-03: the device claims to export)")
    return descriptor


def real(export: tuple[Result, Descriptor]) -> Descriptor:
    """The descriptor of an export that succeeded; `unsupported` where the driver returned -1, as it may for SYNC_FD."""
    descriptor = succeeded(export)
    if descriptor.fd == -1 and descriptor.name.startswith(str(HandleType.SYNC_FD)):
        too_late("the driver returned -1: there is no descriptor")
    return descriptor


def exported_payload(device: Device, kind: Kind) -> Descriptor:
    """A descriptor, not -1, of a signaled payload; for SYNC_FD of a pending one (a driver may return -1 otherwise)."""
    return real(export_in(device, kind, "signal-pending" if kind.handle_type == HandleType.SYNC_FD else "signaled"))
