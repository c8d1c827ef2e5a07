"""A record for people and for other tools. Imports `records` alone.

`page` makes index.html from the parts in web/, `junit` makes junit.xml, `summary` makes summary.md, and `artifacts` writes the
three beside the record.
"""
