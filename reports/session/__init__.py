"""Pytest's side while a run goes on. Imports `records` and `render`; nothing but conftest.py loads it.

`recorder` writes results.jsonl and sets the exit status, `results` makes a record of a test's reports, `parts` selects shards and
the rest of an interrupted run, `terminal` prints the summary, `hooks` are the ways in which facts of a run reach it.
"""
