"""Why a test fails. Imports `records` alone.

`order` finds the fewest tests after which another test fails.
"""
