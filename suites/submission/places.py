"""Batches that name stages to wait and signal at, or device 0 of a group."""

from __future__ import annotations

from fixtures.vulkan.batches import ALL_COMMANDS, Batch, Place, placed
from fixtures.vulkan.journal import note

TRANSFER = 0x1000  # VK_PIPELINE_STAGE_TRANSFER_BIT, VK_PIPELINE_STAGE_2_ALL_TRANSFER_BIT
BOTTOM = 0x2000  # VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, which as the stage of a wait holds no command back
CLEAR = 0x8_0000_0000  # VK_PIPELINE_STAGE_2_CLEAR_BIT
COPY = 0x1_0000_0000  # VK_PIPELINE_STAGE_2_COPY_BIT


def at_stages(batch: Batch, waits: int | tuple[int, ...] = ALL_COMMANDS, signals: int = ALL_COMMANDS) -> Batch:
    """The batch with a stage mask for all that it waits for, or one for each, and one for what it signals (vkQueueSubmit2)."""
    note("at_stages", waits, signals)
    return placed(batch, Place(wait_stages=waits, signal_stages=signals))


def on_device_0(batch: Batch) -> Batch:
    """The batch with device 0 named for each semaphore and command buffer."""
    note("on_device_0")
    return placed(batch, Place(names_device=True))
