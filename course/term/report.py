"""The table of a graded class: who scored what, and which wrong turns were met how often."""

from collections import Counter, defaultdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from course.errors import CourseError
from course.grading import result as results
from course.grading.result import Result


def graded(root: Path, sheets: list[str]) -> list[Result]:
    """Return all results of a course, or those of some sheets.

    Raises:
        CourseError: nothing was graded, or not this sheet.
    """
    found = [results.load(path) for path in sorted(root.glob("autograded/*/*/result.json"))]
    if not found:
        raise CourseError(f"{root / 'autograded'} holds no results; run «course grade» first.")
    known = sorted({r.sheet for r in found})
    for name in sheets:
        if name not in known:
            raise CourseError(f"No result for a sheet {name!r}; graded were {', '.join(known)}.")
    return [r for r in found if not sheets or r.sheet in sheets]


def scores(found: list[Result]) -> Table:
    """Return students × sheets: points, what waits for a person, and what went wrong as a whole."""
    names = sorted({r.sheet for r in found})
    table = Table(title="Scores", title_justify="left")
    table.add_column("student")
    for name in names:
        table.add_column(name, justify="right")
    table.add_column("total", justify="right")
    by_student: dict[str, dict[str, Result]] = defaultdict(dict)
    for result in found:
        by_student[result.student][result.sheet] = result
    for student, row in sorted(by_student.items()):
        cells = [_score(row[name]) if name in row else "–" for name in names]
        total = sum(r.score for r in row.values())
        table.add_row(student, *cells, f"{total:g}")
    table.caption = "points / all points; «+n» waits for a person"
    return table


def _score(result: Result) -> str:
    waiting = sum(t.max_points for t in result.tests.values() if t.state == "manual")
    states = {t.state for t in result.tests.values()}
    remark = " refused" if "refused" in states else ""
    remark += " timeout" if "timeout" in states else ""
    remark += " crashed" if "crashed" in states else ""
    plus = f" +{waiting:g}" if waiting else ""
    return f"{result.score:g}{plus} / {result.max_score:g}{remark}"


def exercises(found: list[Result]) -> Table:
    """Return exercise by exercise: how many passed, and the wrong turns, most frequent first."""
    table = Table(title="Exercises", title_justify="left", show_lines=False)
    table.add_column("sheet")
    table.add_column("test")
    for column in ("passed", "failed", "missing", "other"):
        table.add_column(column, justify="right")
    table.add_column("wrong turns")
    tests: dict[tuple[str, str], list[results.TestResult]] = defaultdict(list)
    for result in found:
        for name, test in result.tests.items():
            tests[result.sheet, name].append(test)
    for (name, test_id), all_of_it in sorted(tests.items()):
        states = Counter(t.state for t in all_of_it)
        if states.keys() <= {"manual", "refused", "missing"} and states["manual"]:
            turns = f"{states['manual']} answers wait for a person"
        else:
            met = Counter(t.wrong_turn for t in all_of_it if t.wrong_turn and t.state == "failed")
            turns = ", ".join(f"{turn} ×{n}" for turn, n in met.most_common())
        other = len(all_of_it) - sum(states[s] for s in ("passed", "failed", "missing"))
        table.add_row(
            name, test_id, str(states["passed"]), str(states["failed"]), str(states["missing"]),
            str(other - states["manual"]), turns,
        )  # fmt: skip
    return table


def show(found: list[Result], console: Console | None = None) -> None:
    """Print both tables."""
    console = console or Console()
    if not console.is_terminal:
        console = Console(width=max(140, 30 + 20 * len({r.sheet for r in found})))
    console.print(scores(found))
    console.print(exercises(found))
