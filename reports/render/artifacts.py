"""What a run leaves for people and for other tools beside its record: the page, JUnit and a summary in Markdown."""

from __future__ import annotations

import os
from pathlib import Path

from reports.records.runs import load
from reports.render import junit, page, summary


def write(folder: Path) -> None:
    """Write index.html, junit.xml and summary.md beside the results.jsonl in `folder`.

    Under GitHub Actions the summary goes to the job's page, too (GITHUB_STEP_SUMMARY).
    """
    run = load(folder, all_calls=False)
    if not run.end:  # nobody has counted its calls
        run = load(folder)
    (folder / "index.html").write_text(page.render(run, folder), "utf-8", "replace")
    (folder / "junit.xml").write_bytes(junit.render(run))
    text = summary.render(run)
    (folder / "summary.md").write_text(text, "utf-8", "replace")
    if step := os.environ.get("GITHUB_STEP_SUMMARY"):
        with open(step, "a", encoding="utf-8", errors="replace") as file:
            file.write(text)
