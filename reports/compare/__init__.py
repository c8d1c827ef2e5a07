"""Several runs together. Imports `records` and `render`.

`changes` finds what differs between two runs, `texts` writes it as text, JSON or HTML; `merge` makes one run of several; `nights`
reads many runs, `history` finds what each test did in them, `history_texts` and `database` write that.
"""
