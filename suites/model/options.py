"""How random walks are asked for on the command line; Hypothesis is loaded by those that walk only."""

from dataclasses import dataclass


def pytest_addoption(parser):
    add = parser.getgroup("random walks").addoption
    add(
        "--walk-minutes",
        type=float,
        metavar="N",
        help="walk at random for N minutes (inf: until stopped), not always the same",
    )
    add("--walk-seed", type=int, metavar="N", help="walk as the walk of this seed did")
    add("--walk-replay", metavar="BLOB", help="take the steps of one failed walk again, by the text in its message")


@dataclass(frozen=True)
class Profile:
    """How to walk: `minutes` at random from `seed` on, or quickly and always the same way; `replay` is a failed walk."""

    minutes: float = 0
    seed: int | None = None
    replay: str | None = None

    @staticmethod
    def of(option):
        """What the command line asks for."""
        return Profile(option.walk_minutes or 0, option.walk_seed, option.walk_replay)

    @property
    def is_quick(self):
        """Whether few walks are enough, always the same."""
        return not self.minutes and self.seed is None

    @property
    def remembers(self):
        """Whether walks that failed in earlier runs are taken first: not where a seed says what is walked."""
        return bool(self.minutes) and self.seed is None
