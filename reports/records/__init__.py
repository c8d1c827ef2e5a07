"""A finished run as values, and what is known of a driver. Imports no other room.

`runs` reads and writes results.jsonl, `verdicts` has the verdicts and what they mean against a baseline, `baseline` reads and
writes baselines, `renamed` knows the tests that were renamed, `timing` sums up call times, `anonymous` removes names.
"""
