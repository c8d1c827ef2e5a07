"""A pytest plugin: one module is loaded from the file that MUTANT names, "fixtures.reference.queues.py" (../mutate.py)."""

import os
from importlib.machinery import PathFinder, SourceFileLoader
from pathlib import Path
from sys import meta_path

import pytest

from fixtures.running.stacks import watchdog

CHANGED = Path(os.environ["MUTANT"])


class Changed(SourceFileLoader):
    """Loads the changed source in place of the one in the checkout."""

    def get_code(self, fullname):
        return compile(CHANGED.read_bytes(), self.path, "exec")


class Finder:
    """Finds the changed module where the other one is."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        spec = PathFinder.find_spec(name, path) if name == CHANGED.stem else None
        if spec:
            spec.loader = Changed(name, spec.origin)
        return spec


meta_path.insert(0, Finder)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish():
    """What hangs ends the run, also without a worker."""
    watchdog._ends = True
