"""Why a test fails. Imports `records` alone.

`explain` tells which known faults explain what failed, by their `symptoms`, and `words` says it; `order` finds the fewest tests
after which another test fails.
"""
