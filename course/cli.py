"""The command `course`: one function a verb, no logic.

What a verb needs is imported when it runs, so that `course --help` is quick.
"""

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from course import log
from course.errors import CourseError
from course.files import shown

PROJECT = Path(__file__).parent.parent
app = typer.Typer(
    help="Build sheets, grade classes, read the results.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Sheets = Annotated[list[str] | None, typer.Argument(help="Names of sheets; all by default.")]


def stood_in() -> Path | None:
    """Return the folder one stands in, or the nearest one around it, that is a course."""
    around = (Path.cwd(), *Path.cwd().parents)
    return next((folder for folder in around if (folder / "nbgrader_config.py").is_file()), None)


def here() -> Path:
    """Return the course that a command means where none is named: one's own, else the project."""
    found = stood_in()
    if found is None:
        note = f"course: {Path.cwd()} is in no course (nbgrader_config.py); the project's is meant"
        print(f"{_printable(note)}, {PROJECT}", file=sys.stderr)
    return found or PROJECT


ROOT: Any = typer.Option(
    default_factory=here,
    show_default="the course that you stand in, else the project",
    help="A course folder: one that holds nbgrader_config.py.",
)
Exported = Annotated[
    Path | None,
    typer.Option(help="What the platform exported: Canvas's gradebook, Moodle's worksheet."),
]


@app.command()
def build(
    sheets: Sheets = None,
    force: Annotated[bool, typer.Option(help="Build also what did not change.")] = False,
) -> None:
    """Build sheets: text → source/ (executed) → release/."""
    from course.authoring.build import build as build_sheets

    with _to_be_seen():
        build_sheets(PROJECT, sheets or [], _say, force)


@app.command()
def check(
    sheet: Annotated[str, typer.Argument(help="The sheet's name.")],
    seeds: Annotated[int, typer.Option(min=1, help="How many data seeds to try.")] = 1,
) -> None:
    """Try one sheet's bank on its checks: verdicts, cases, margins; changes nothing."""
    from course.proving.checking import check as checking

    with _to_be_seen() as must_see:
        checking(PROJECT, sheet, range(1, seeds + 1), _say, must_see)


@app.command()
def new(name: Annotated[str, typer.Argument(help="Two digits and a word: 15-waves.")]) -> None:
    """Begin a sheet: text, bank, check, demo and test that build green, to be replaced."""
    from course.authoring.new import new as begin

    begin(PROJECT, name, _say)


@app.command()
def collect(
    sheet: Annotated[str, typer.Argument(help="The sheet's name.")],
    where: Annotated[Path, typer.Argument(metavar="FROM", help="A zip file or a folder.")],
    platform: Annotated[
        str, typer.Option("--as", help="moodle, canvas, github or folder; found out by default.")
    ] = "",
    root: Path = ROOT,
    exported: Annotated[
        Path | None, typer.Option(help="Moodle's grading worksheet: when students handed in.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing.")] = False,
) -> None:
    """Take in a sheet's submissions from a platform's archive or a folder."""
    from course.term.collecting.collect import collect as taking_in

    with _to_be_seen(None if dry_run else root) as must_see:
        found = taking_in(root.resolve(), sheet, where, platform, dry_run, exported)
        written = "nothing was written into" if dry_run else "in"
        where_to = f"{written} {root.resolve() / 'submitted'}"
        for line in [*found.table(), f"{found.summary()}; {where_to}"]:
            _say(line)
        for sentence in found.to_be_seen():
            must_see(sentence)


@app.command()
def grade(
    sheets: Sheets = None,
    root: Path = ROOT,
    students: Annotated[list[str] | None, typer.Option(help="Only these students.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Submissions at a time.")] = None,
    force: Annotated[bool, typer.Option(help="Grade also what did not change.")] = False,
    no_cage: Annotated[bool, typer.Option("--no-cage", help="Trust the students' code.")] = False,
    scheduler: Annotated[str | None, typer.Option(help="Address of a Dask scheduler.")] = None,
    dry: Annotated[
        bool, typer.Option("--dry-run", help="Say who would change, and how; write nothing.")
    ] = False,
) -> None:
    """Grade a class into autograded/, feedback/ and the gradebook, and print the table."""
    _say(f"grading {root.resolve()}: looking at what was handed in")
    from course.grading import workers as grading

    if scheduler is None:
        grading.begin()
    from course import progress
    from course.grading.dry_run import dry_run
    from course.grading.grade import cluster, grade_class
    from course.term import oddities, report

    grades = dry_run if dry else grade_class
    with _to_be_seen(None if dry else root) as must_see:
        with cluster(scheduler) as executor, progress.bar("grading") as bar:
            results = grades(
                root.resolve(), sheets or [], students or [], workers, force=force,
                no_cage=no_cage, say=_say, executor=executor, progress=bar.done,
                must_see=must_see, under_way=bar.under_way,
            )  # fmt: skip
        for line in oddities.lines(root.resolve(), sheets or []):
            must_see(line)
        if results:
            report.show(root.resolve(), results, must_see=must_see)


@app.command()
def watch(
    sheets: Sheets = None,
    root: Path = ROOT,
    once: Annotated[bool, typer.Option("--once", help="End when nothing is left to do.")] = False,
    workers: Annotated[int | None, typer.Option(min=1, help="Submissions at a time.")] = None,
    no_cage: Annotated[bool, typer.Option("--no-cage", help="Trust the students' code.")] = False,
) -> None:
    """Grade what is handed in as it comes, and release what the judge says."""
    from course.grading import workers as grading

    grading.begin()
    from course.term import oddities
    from course.term.watch import watch as watching

    with _to_be_seen() as must_see:
        watching(
            root.resolve(), sheets or [], once, workers, no_cage, _say,
            must_see if once else lambda line: print(_printable(line), file=sys.stderr, flush=True),
        )  # fmt: skip
        for line in oddities.lines(root.resolve(), sheets or [], untimed=True) if once else ():
            must_see(line)


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
def report(
    sheets: Sheets = None,
    root: Path = ROOT,
    html: Annotated[Path | None, typer.Option(help="Write a page instead, to this file.")] = None,
) -> None:
    """Print the table of a graded class, or make a page of it."""
    from course.term import report as reporting

    with _to_be_seen() as must_see:
        found = reporting.graded(root.resolve(), sheets or [], must_see)
        if html is None:
            reporting.show(root.resolve(), found, must_see=must_see)
        else:
            reporting.make_page(root.resolve(), found, html, _say, must_see)


@app.command()
def turn(
    sheet: Annotated[str, typer.Argument(help="The sheet's name.")],
    group: Annotated[str, typer.Argument(help="A group of nameless answers, as the page says.")],
    name: Annotated[str, typer.Argument(help="What the wrong turn is to be called.")],
    root: Path = ROOT,
) -> None:
    """Begin a wrong turn in the answers bank with an answer of a class."""
    from course.term import next_turn

    with _to_be_seen() as must_see:
        next_turn.begin(PROJECT, root.resolve(), sheet, group, name, _say, must_see)


@app.command()
def similar(
    sheet: Annotated[str, typer.Argument(help="The sheet's name.")], root: Path = ROOT
) -> None:
    """Show the pairs of submissions that are more alike than the class is."""
    from course.term.similar import similar as likeness

    with _to_be_seen() as must_see:
        _say(likeness(root.resolve(), sheet, must_see))


@app.command()
def why(
    student: Annotated[str, typer.Argument(help="The student's id.")],
    exercise: Annotated[str, typer.Argument(help="The exercise's name, or its test's.")],
    root: Path = ROOT,
) -> None:
    """Show an answer, what the judge said of it, and what a person said."""
    from course.term.why import why as reasons

    with _to_be_seen() as must_see:
        _say(reasons(root.resolve(), student, exercise, must_see))


@app.command()
def written(
    sheet: Annotated[str, typer.Argument(help="The sheet's name.")],
    table: Annotated[
        Path | None, typer.Argument(help="A table that was filled in; without one it is printed.")
    ] = None,
    root: Path = ROOT,
) -> None:
    """Print written answers as a table for a spreadsheet, or enter what was given in one."""
    from course.term import written as reading

    with _to_be_seen(None if table is None else root):
        if table is None:
            _print_table(reading.table(root.resolve(), sheet))
        else:
            reading.enter(root.resolve(), sheet, table, _say)


@app.command()
def feedback(
    sheets: Sheets = None,
    root: Path = ROOT,
    force: Annotated[bool, typer.Option(help="Make also pages that are up to date.")] = False,
) -> None:
    """Make the pages that students read, from the gradebook: points, comments, penalties."""
    from course.grading.ledger import ledger

    with _to_be_seen(root):
        ledger.give_feedback(root.resolve(), sheets or [], force, _say)


@app.command()
def export(
    form: Annotated[str, typer.Option("--format", help="csv, canvas or moodle.")],
    root: Path = ROOT,
    exported: Exported = None,
) -> None:
    """Print the grades as a table for a learning platform; > puts them into a file."""
    from course.term import export as exporting

    def say(what: str) -> None:
        print(_printable(what), file=sys.stderr)

    _print_table(exporting.export(root.resolve(), form, say, exported))


@app.command("return")
def give_back(
    sheet: Annotated[str, typer.Argument(help="The sheet's name.")],
    platform: Annotated[str, typer.Option("--to", help="moodle, canvas or zip.")],
    out: Annotated[Path, typer.Option(help="The folder to write to.")],
    root: Path = ROOT,
    exported: Exported = None,
    column: Annotated[str, typer.Option(help="The assignment's heading in Canvas.")] = "",
) -> None:
    """Write a sheet's grades and feedback in the form that a platform takes in."""
    from course.term.returning.give_back import give_back as giving_back

    with _to_be_seen() as must_see:
        giving_back(root.resolve(), sheet, platform, out, exported, column, _say, must_see)


@app.command()
def bundle(
    out: Annotated[Path, typer.Option(help="The folder to make, or a bundle to renew.")],
    sheets: Sheets = None,
) -> None:
    """Make what a class gets: sheets, helpers as a wheel, a page to begin; no solution in it."""
    from course.bundling.bundle import bundle as bundling

    with _to_be_seen() as must_see:
        bundling(PROJECT, out.resolve(), _say, must_see, only=sheets or [], course=stood_in())


@app.command()
def doctor() -> None:
    """Say what works here and what does not, with the remedy."""
    from course import doctor as examining

    found = examining.findings()
    for what, remedy in found:
        print(f"{'✗' if remedy else '✓'} {what}{': ' + remedy if remedy else ''}")
    if any(remedy for _, remedy in found):
        raise SystemExit(2)


def _print_table(table: str) -> None:
    """Print a table as it is into a file, and as it may be printed on a terminal."""
    print(_printable(table) if sys.stdout.isatty() else table, end="")


def _printable(text: str) -> str:
    """Return text as it may be printed: names of folders are anybody's choice."""
    return "\n".join(shown(line) for line in text.split("\n"))


def _say(line: str) -> None:
    print(_printable(line), flush=True)
    log.LOG.info("%s", _printable(line))


@contextlib.contextmanager
def _to_be_seen(root: Path | None = None) -> Iterator[Callable[[str], None]]:
    """Collect what a person has to see, and say it last; then the exit status is 1.

    Args:
        root: the course that the command changes; what it says is kept in the log there.

    Raises:
        SystemExit: there was something, and nothing worse; or the command was interrupted.
    """
    lines: list[str] = []
    words = _printable(" ".join(sys.argv[1:]))
    with contextlib.nullcontext() if root is None else log.kept(root.resolve(), words):
        try:
            yield lines.append
        except KeyboardInterrupt:
            log.LOG.warning("interrupted")
            raise SystemExit(130) from None
        finally:
            for line in lines:
                print(f"course: {_printable(line)}", file=sys.stderr)
                log.LOG.warning("%s", _printable(line))
    if lines:
        raise SystemExit(1)


def main() -> None:
    """Run the command; a CourseError becomes one sentence and exit status 2."""
    try:
        app()
    except CourseError as error:
        print(f"course: {_printable(str(error))}", file=sys.stderr)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
