"""Time limits of this chapter, in seconds before --patience."""

STRANGER_LIMIT = 1
"""For a test of one stranger: a driver that hangs on one costs this much in each."""

STALL = 0.5
"""After which a wait for an accepted stranger counts as stalled."""
