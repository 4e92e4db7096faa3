"""The command `course`: one function a verb, no logic.

What a verb needs is imported when it runs, so that `course --help` is quick.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from course.errors import CourseError

PROJECT = Path(__file__).parent.parent
app = typer.Typer(
    help="Build sheets, grade classes, read the results.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Sheets = Annotated[list[str] | None, typer.Argument(help="Names of sheets; all by default.")]
Root = Annotated[Path, typer.Option(help="An nbgrader course folder.")]


@app.command()
def build(
    sheets: Sheets = None,
    force: Annotated[bool, typer.Option(help="Build also what did not change.")] = False,
) -> None:
    """Build sheets: text → source/ (executed) → release/."""
    from course.authoring.build import build as build_sheets

    build_sheets(PROJECT, sheets or [], force=force)


@app.command()
def grade(
    sheets: Sheets = None,
    root: Root = PROJECT,
    students: Annotated[list[str] | None, typer.Option(help="Only these students.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Submissions at a time.")] = None,
    force: Annotated[bool, typer.Option(help="Grade also what did not change.")] = False,
    no_cage: Annotated[bool, typer.Option("--no-cage", help="Trust the students' code.")] = False,
    scheduler: Annotated[str | None, typer.Option(help="Address of a Dask scheduler.")] = None,
) -> None:
    """Grade a class into autograded/, feedback/ and the gradebook, and print the table."""
    from course.grading import workers as grading

    if scheduler is None:
        grading.begin()
    from course import progress
    from course.grading.grade import cluster, grade_class
    from course.term import report

    with cluster(scheduler) as executor, progress.bar("grading") as tell:
        results = grade_class(
            root.resolve(), sheets or [], students or [], workers, force, no_cage,
            executor=executor, progress=tell,
        )  # fmt: skip
    report.show(root.resolve(), results)


@app.command()
def simulate(
    root: Annotated[Path, typer.Option(help="The course folder to make.")],
    students: Annotated[int, typer.Option(help="How many students.")],
    sheets: Sheets = None,
    seed: Annotated[int, typer.Option(help="Seed of the random choices.")] = 0,
) -> None:
    """Make a class of submissions from the answers bank."""
    from course.proving import simulate as simulating

    simulating.simulate(PROJECT, root.resolve(), students, seed, sheets or [], print)


@app.command()
def report(sheets: Sheets = None, root: Root = PROJECT) -> None:
    """Print the table of a graded class."""
    from course.term import report as reporting

    reporting.show(root.resolve(), reporting.graded(root.resolve(), sheets or []))


@app.command()
def feedback(
    sheets: Sheets = None,
    root: Root = PROJECT,
    force: Annotated[bool, typer.Option(help="Make also pages that are up to date.")] = False,
) -> None:
    """Make the pages that students read, from the gradebook: points, comments, penalties."""
    from course.grading.ledger import ledger

    ledger.give_feedback(root.resolve(), sheets or [], force)


@app.command()
def export(
    form: Annotated[str, typer.Option("--format", help="csv, canvas or moodle.")],
    root: Root = PROJECT,
) -> None:
    """Print the grades as a table for a learning platform; > puts them into a file."""
    from course.term import export as exporting

    def say(what: str) -> None:
        print(what, file=sys.stderr)

    print(exporting.export(root.resolve(), form, say), end="")


@app.command()
def doctor() -> None:
    """Say what works here and what does not, with the remedy."""
    from course import doctor as examining

    found = examining.findings()
    for what, remedy in found:
        print(f"{'✗' if remedy else '✓'} {what}{': ' + remedy if remedy else ''}")
    if any(remedy for _, remedy in found):
        raise SystemExit(2)


def main() -> None:
    """Run the command; a CourseError becomes one sentence and exit status 2."""
    try:
        app()
    except CourseError as error:
        print(f"course: {error}", file=sys.stderr)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
