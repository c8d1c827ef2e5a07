"""Pytest's side while a run goes on. Imports `records` and `render`; nothing but conftest.py loads it.

`recorder` writes the record and sets the exit status, `folder` finds the run its place and writes the lines, `results` makes a
record of a test's reports, `parts` selects shards and the rest of an interrupted run, `usage` refuses what cannot be and knows
what `git bisect` wants, `known` finds the baselines, `terminal` prints the summary and `ending` its last lines, `interrupted`
ends a run that is asked to stop, `hooks` are the ways in which facts of a run reach it.
"""
