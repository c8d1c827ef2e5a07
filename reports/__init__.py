"""What a run leaves behind, and what is made of it: records, pages, comparisons, C programs.

The rooms and what each may import, itself and the standard library apart:

* `records`: a finished run as values. Nothing.
* `render`: the files for people and other tools. `records`.
* `formats`: what other tools read and write: deqp-runner, LAVA. `records`, `render`.
* `session`: pytest's side while a run goes on. `records`, `render`.
* `compare`: two runs, several runs, all runs by date. `records` and `render`.
* `reproduce`: a failure as a C program. `records`.
* `diagnose`: a test that fails only after others. `records`.

`__main__` is the command line over all of them. No room imports fixtures or suites: a record has all that they need.
"""
