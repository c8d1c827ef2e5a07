"""A record for people and for other tools. Imports `records` alone.

`page` makes index.html from the parts in web/, `junit` makes junit.xml, `summary` makes summary.md, `pieces` makes the three of
one or several runs, and `artifacts` writes them beside a record. `calls` writes recorded calls for people, with the names that
`handles` gives; `specification` knows where a rule is published.
"""
