"""How a walk chooses: Hypothesis draws among the steps that are legal now, and their arguments."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

more = st.integers(1, 1000)
"""By how much a timeline is raised, or a wait is ahead of it."""


def pick(data, candidates):
    """One of the candidates, counted from the newest: a shorter walk picks the same."""
    return candidates[-1 - (data.draw(st.integers(0, len(candidates) - 1)) if len(candidates) > 1 else 0)]


def steps(choices):
    """A rule of the machine that takes one of a group of steps.

    `choices(walk)` is a list of (step, its possible arguments now), the more likely ones several times; a step gets
    Hypothesis' data and one of these.
    """

    def step(walk, data):
        taken, candidates = pick(data, [one for one in choices(walk) if one[1]])
        taken(data, pick(data, candidates))

    step.__name__, step.__doc__ = choices.__name__, choices.__doc__
    possible = precondition(lambda walk: any(candidates for _, candidates in choices(walk)))
    return possible(rule(data=st.data())(step))
