"""A finished run as values, and what is known of a driver. Imports no other room.

`lines` knows the lines of a record and their files, `runs` reads a whole run and writes one, `slim` reads one without its calls,
`brief` reads its verdicts alone, `verdicts` has the verdicts and what they mean against a baseline, `baseline` reads and writes
baselines, `renamed` knows the tests that were renamed, `timing` sums up call times, `signatures` has the meaning of a call's
arguments, `drivers` spells a driver with its version, `anonymous` removes names, `files` writes a file whole or not at all.
"""
