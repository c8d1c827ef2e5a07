"""Steps that tests of several chapters share.

The chapters import these files.  They import fixtures and each other alone, without circles.
"""
