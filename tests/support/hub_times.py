"""Measure the time from Submit to feedback on the hub of `make hub`, and write docs/hub.md's table.

PYTHONPATH=.:tests python -m support.hub_times [SHEET]; `make hub-times` does it

A student submits a solved sheet again and again, each time with answers that are new to the judge,
presses Submit in a browser, and fetches the page as soon as JupyterLab says that it is there. Each
third try, another student's answers that never end are under way as well.
"""

import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
import psutil
from playwright.sync_api import Browser

from course.authoring import sheet
from support import hub as hubs
from support import lab
from support.project import PROJECT

TRIES = 20
PAGE = PROJECT / "docs" / "hub.md"
BEGIN, END = "<!-- made: times -->\n", "<!-- end: times -->\n"


def solved(name: str, number: int) -> nbformat.NotebookNode:
    """Return a sheet with the staff's answers in it, each of them new in its text."""
    notebook = nbformat.read(PROJECT / "release" / name / f"{name}.ipynb", as_version=4)
    source = nbformat.read(PROJECT / "source" / name / f"{name}.ipynb", as_version=4)
    answers = {sheet.grade_id(c): c.source for c in source.cells if sheet.is_answer(c)}
    for cell in notebook.cells:
        if sheet.grade_id(cell) in answers and cell.cell_type == "code":
            cell.source = f"{answers[sheet.grade_id(cell)]}\n# try {number}"
    return notebook


def measured(hub: hubs.Hub, browser: Browser, name: str) -> list[tuple[float, float]]:
    """Return for each try the seconds until the page was released, and until it was fetched."""
    page = hubs.log_in(browser, hub, "ada")
    hubs.fetch(page, name)
    home = hub.folder / "home" / "ada" / name
    endless = {
        e.name: f"def {e.name}(*a, **k):\n    while True:\n        pass"
        for e in hubs.exercises(name)
    }
    found = []
    for number in range(TRIES):
        if number % 3 == 2:
            told = hub.said().count("ben,")
            if number == 2 or told:
                endless = {k: f"{v}\n# {number}" for k, v in endless.items()}
                hubs.submit_from_terminal(hub, "ben", name, endless)
        nbformat.write(solved(name, number), home / f"{name}.ipynb")
        pressed = hubs.submit(page, name)
        hubs.fetch_feedback(hub, page, name)
        released = max(p.stat().st_mtime for p in released_pages(hub, home))
        fetched = max(p.stat().st_mtime for p in home.glob(f"feedback/*/{name}.html"))
        found.append((released - pressed, fetched - pressed))
        print(f"{number + 1}: released after {found[-1][0]:.2f} s, fetched {found[-1][1]:.2f} s")
    page.context.close()
    return found


def released_pages(hub: hubs.Hub, home: Path) -> list[Path]:
    """Return the pages in the exchange that are the student's own."""
    own = {p.read_bytes() for p in home.glob("feedback/*/*.html")}
    pages = (hub.folder / "exchange" / "likelihood-course" / "feedback").glob("*.html")
    return [p for p in pages if p.read_bytes() in own]


def table(name: str, found: list[tuple[float, float]], busy: float) -> str:
    """Return the table, with the machine and the commit."""
    rows = ["| from Submit until | median | fastest | slowest |", "|---|---|---|---|"]
    for column, what in enumerate(("the page is released", "the student's JupyterLab has it")):
        times = sorted(one[column] for one in found)
        rows.append(
            f"| {what} | {statistics.median(times):.1f} s | {times[0]:.1f} s | {times[-1]:.1f} s |"
        )
    words = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(words, cwd=PROJECT, capture_output=True, text=True).stdout.strip()
    return (
        f"{len(found)} tries with `{name}`, all of it solved, answers that never end of another "
        f"student between them; {psutil.cpu_count()} cores, {platform.machine()}, Python "
        f"{platform.python_version()}, {busy:.1f} processes wanting a core before it began; at "
        f"{commit}.\n\n" + "\n".join(rows) + "\n"
    )


def main() -> None:
    """Measure, print the table, and put it into the page."""
    name = sys.argv[1] if len(sys.argv) > 1 else "03-sgd"
    busy = psutil.getloadavg()[0]
    with (
        tempfile.TemporaryDirectory(prefix="hub-") as folder,
        hubs.running(Path(folder) / "trial", [name], attempts=2 * TRIES) as hub,
        lab.chromium() as browser,
    ):
        while not list(hub.course.glob(".course/canary/*")):  # the watch is warm
            time.sleep(0.5)
        found = measured(hub, browser, name)
    made = table(name, found, busy)
    text = PAGE.read_text(encoding="utf-8")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}\n{made}\n{END}{after}", encoding="utf-8")
    print(made)


if __name__ == "__main__":
    main()
