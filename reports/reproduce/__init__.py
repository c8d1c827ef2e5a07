"""A failure as a C program that needs libvulkan alone. Imports `records` alone.

`reproducer` puts the program together; `checks` finds what the failed test judged; `c_calls` and `c_steps` write the recorded
calls and steps in C with the values of `c_text`; `reproducer.c` and `foreign.c` have the functions that programs use.
"""
