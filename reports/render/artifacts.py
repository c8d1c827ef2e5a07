"""Writes the files beside a record: the page, JUnit and the summary in Markdown."""

from __future__ import annotations

import os
from pathlib import Path

from reports.records.runs import load
from reports.render import junit, page, summary


def write(folder: Path) -> None:
    """Write index.html, junit.xml and summary.md beside the results.jsonl in `folder`.

    Under GitHub Actions the summary is also appended to the job's page (GITHUB_STEP_SUMMARY).
    """
    run = load(folder, all_calls=False)
    if not run.end:  # it died: its call times are counted now, from all calls
        run = load(folder)
    (folder / "index.html").write_text(page.render(run, folder), "utf-8", "replace")
    (folder / "junit.xml").write_bytes(junit.render(run))
    text = summary.render(run)
    (folder / "summary.md").write_text(text, "utf-8", "replace")
    if step := os.environ.get("GITHUB_STEP_SUMMARY"):
        with open(step, "a", encoding="utf-8", errors="replace") as file:
            file.write(text)
