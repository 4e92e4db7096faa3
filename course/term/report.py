"""The table of a graded class: who scored what, and which wrong turns were met how often.

Points are the gradebook's: what a person gave, extra credit and late penalties count.
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from course.files import shown
from course.grading.ledger import gradebook, ledger, records
from course.grading.ledger.ledger import Standings
from course.grading.ledger.standing import Mark, Standing
from course.grading.result import Result, TestResult
from course.term import remarks

graded = records.graded


def scores(found: list[Result], standings: Standings) -> Table:
    """Return students × sheets: points, what waits for a person, and what went wrong as a whole."""
    names = sorted({r.sheet for r in found})
    table = Table(title="Scores", title_justify="left")
    table.add_column("student")
    for name in names:
        table.add_column(_text(name), justify="right")
    table.add_column("total", justify="right")
    by_student: dict[str, dict[str, Result]] = defaultdict(dict)
    for result in found:
        by_student[result.student][result.sheet] = result
    for student, row in sorted(by_student.items()):
        here = {name: standings.get((student, name)) for name in row}
        cells = [_score(row[name], here[name]) if name in row else "–" for name in names]
        total = sum(r.score if (s := here[name]) is None else s.score for name, r in row.items())
        table.add_row(_text(student), *cells, f"{total:g}")
    table.caption = "points / all points; «+n» waits for a person, «late −n» is taken off already"
    return table


def _text(text: str) -> Text:
    """Return text of anybody's choice for a table: nothing in it is markup or obeyed."""
    return Text(shown(text))


def _score(result: Result, standing: Standing | None) -> str:
    states = {t.state for t in result.tests.values()}
    remark = "".join(f" {s}" for s in ("refused", "timeout", "crashed") if s in states)
    if standing is None:
        return f"{result.score:g} / {result.max_score:g}{remark} (not in the gradebook)"
    waiting = sum(m.most for m in standing.marks.values() if m.open)
    plus = f" +{waiting:g}" if waiting else ""
    late = f" late −{standing.penalty:g}" if standing.penalty else ""
    return f"{standing.score:g}{plus} / {standing.max_score:g}{late}{remark}"


def exercises(found: list[Result], standings: Standings) -> Table:
    """Return exercise by exercise: how many passed, and the wrong turns, most frequent first."""
    table = Table(title="Exercises", title_justify="left", show_lines=False)
    table.add_column("sheet")
    table.add_column("test")
    for column in ("passed", "failed", "missing", "other"):
        table.add_column(column, justify="right")
    table.add_column("wrong turns")
    tests: dict[tuple[str, str], list[TestResult]] = defaultdict(list)
    marks: dict[tuple[str, str], list[Mark]] = defaultdict(list)
    for result in found:
        standing = standings.get((result.student, result.sheet))
        for name, test in result.tests.items():
            tests[result.sheet, name].append(test)
            if standing is not None and name in standing.marks:
                marks[result.sheet, name].append(standing.marks[name])
    for (name, test_id), all_of_it in sorted(tests.items()):
        states = Counter(t.state for t in all_of_it)
        if states.keys() <= {"manual", "refused", "missing"} and states["manual"]:
            remark = _read(marks[name, test_id])
        else:
            met = Counter(t.wrong_turn for t in all_of_it if t.wrong_turn and t.state == "failed")
            remark = ", ".join(f"{turn} ×{n}" for turn, n in met.most_common())
        other = len(all_of_it) - sum(states[s] for s in ("passed", "failed", "missing"))
        table.add_row(
            _text(name), _text(test_id), str(states["passed"]), str(states["failed"]),
            str(states["missing"]), str(other - states["manual"]), _text(remark),
        )  # fmt: skip
    return table


def _read(marks: list[Mark]) -> str:
    """Return how far a person is with a written question, and what was given on average."""
    given = [m.points for m in marks if m.manual is not None]
    counts = {
        "wait for a person": sum(m.open for m in marks),
        "to look at again": sum(m.waits and not m.open for m in marks),
    }
    parts = [f"{n} {what}" for what, n in counts.items() if n]
    if given:
        parts.append(f"{len(given)} read, {sum(given) / len(given):.3g} points on average")
    return ", ".join(parts)


def make_page(
    root: Path,
    found: list[Result],
    path: Path,
    say: Callable[[str], None],
    must_see: Callable[[str], None],
) -> None:
    """Write the report as a page; see :func:`course.term.report_page.make`."""
    from course import progress
    from course.term import report_page  # plots take a while to import

    with progress.bar("answers without a name, run once more on the same data") as bar:
        report_page.make(root, found, path, say, must_see, bar.done)


def show(
    root: Path,
    found: list[Result],
    console: Console | None = None,
    must_see: Callable[[str], None] = lambda line: None,
) -> None:
    """Print both tables, of results and of what the gradebook of their course holds."""
    with gradebook.reading(root) as book:
        standings = ledger.settle(root, book, must_see)
    console = console or Console()
    if not console.is_terminal:
        console = Console(width=max(140, 30 + 20 * len({r.sheet for r in found})))
    console.print(scores(found, standings))
    console.print(exercises(found, standings))
    here = {place: one for result in found
            if (one := standings.get(place := (result.student, result.sheet)))}  # fmt: skip
    if line := remarks.waiting(here):
        console.print(_text(line), soft_wrap=True)
    if line := remarks.above(here):
        must_see(line)
