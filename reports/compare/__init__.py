"""Several runs together. Imports `records`, and the style of the page from `render`.

`changes` finds what differs between two runs, `texts` writes it as text, JSON or HTML, `merge` makes one run of several.
"""
