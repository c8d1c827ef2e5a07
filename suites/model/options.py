"""The options of random walks; Hypothesis is loaded only where a test walks."""

from dataclasses import dataclass

import pytest


def pytest_addoption(parser):
    add = parser.getgroup("random walks").addoption
    add(
        "--walk-minutes",
        type=float,
        metavar="N",
        help="walk at random for N minutes (inf: until stopped) instead of a few walks that are the same each time",
    )
    add("--walk-seed", type=int, metavar="N", help="repeat the walks of this seed")
    add("--walk-replay", metavar="BLOB", help="repeat one failed walk, by the text in its message")


def pytest_configure(config):
    """Refuses, in one sentence, what would never end or replays nothing."""
    minutes, replay = config.option.walk_minutes, config.option.walk_replay
    if minutes is not None and not minutes >= 0:
        raise pytest.UsageError(f"--walk-minutes={minutes:g}: wanted minutes, or inf")
    if replay is not None and not is_walk(replay):
        raise pytest.UsageError(f"--walk-replay={replay}: this is no text that a failed walk gave")


def is_walk(text):
    """Whether `text` stands for a walk of Hypothesis."""
    from hypothesis.core import decode_failure
    from hypothesis.errors import InvalidArgument

    try:
        return bool(decode_failure(text.encode()))
    except InvalidArgument:
        return False


@dataclass(frozen=True)
class Profile:
    """How to walk: `minutes` at random from `seed` on, or quickly and the same in each run; `replay` is a failed walk."""

    minutes: float = 0
    seed: int | None = None
    replay: str | None = None

    @staticmethod
    def of(option):
        """The profile that the options of the command line give."""
        return Profile(option.walk_minutes or 0, option.walk_seed, option.walk_replay)

    @property
    def is_quick(self):
        """Whether to take a few walks that are the same in each run."""
        return not self.minutes and self.seed is None and not self.replay

    @property
    def remembers(self):
        """Whether walks that failed in earlier runs come first: not with a given seed."""
        return bool(self.minutes) and self.seed is None
