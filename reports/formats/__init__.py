"""Formats of other tools that judge runs. Imports `records` and `render`.

`deqp` writes results as deqp-runner does, `lists` writes and reads its lists of known results, `lava` prints LAVA's signals.
"""
