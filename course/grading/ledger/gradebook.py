"""nbgrader's own gradebook: opened, its sheets entered, results entered as nbgrader would."""

import contextlib
import re
import warnings
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from nbgrader.api import Gradebook
from nbgrader.utils import parse_utc
from sqlalchemy.exc import SQLAlchemyError
from traitlets.config import Config

from course import stock_nbgrader
from course.errors import CourseError
from course.files import replace_by, write_whole
from course.grading.ledger import cells, records, trouble
from course.grading.ledger.records import Of
from course.grading.ledger.standing import Standing
from course.grading.result import Result, TestResult


@contextlib.contextmanager
def opened(
    root: Path, sheets: list[str], config: Config, say: Callable[[str], None]
) -> Iterator[Gradebook]:
    """Open the gradebook of a course, made where there is none, and bring sheets into line in it.

    Args:
        root: course folder.
        sheets: the sheets whose cells the gradebook has to know as they are now.
        config: nbgrader's settings.
        say: takes lines that a person should read.

    Raises:
        CourseError: the gradebook cannot be opened or a sheet cannot be entered.
    """
    url = str(config.CourseDirectory.db_url)
    with stock_nbgrader.said_once():
        _bring_up_to_date(root, url, say)
        book = _connected(url, stock_nbgrader.course_id(config))
        try:
            for name in sheets:
                cells.bring_into_line(book, root, config, name, say)
            yield book
        finally:
            book.close()
            book.engine.dispose()


@contextlib.contextmanager
def reading(root: Path) -> Iterator[Gradebook]:
    """Open a gradebook that is there, to read what it holds.

    Raises:
        CourseError: there is none, or it cannot be read.
    """
    config = stock_nbgrader.settings(root)
    url = str(config.CourseDirectory.db_url)
    path = stock_nbgrader.sqlite_file(url)
    if path is not None and not path.is_file():
        raise CourseError(f"{path} does not exist; run «course grade» first.")
    with stock_nbgrader.said_once():
        book = _connected(url, stock_nbgrader.course_id(config))
        try:
            yield book
        except CourseError:
            raise
        except SQLAlchemyError as error:
            raise _unreadable(url, error) from error
        except Exception as error:  # late penalties are written while it is read
            if cause := trouble.stopping(error):
                raise trouble.stopped(root, cause) from error
            raise
        finally:
            book.close()
            book.engine.dispose()


def _connected(url: str, course: str) -> Gradebook:
    path = stock_nbgrader.sqlite_file(url)
    if path is not None and not path.exists():
        _make(path, course)
    try:
        return stock_nbgrader.gradebook(url, course)
    except Exception as error:
        raise _unreadable(url, error) from error


def _bring_up_to_date(root: Path, url: str, say: Callable[[str], None]) -> None:
    """Change the tables of an earlier nbgrader's gradebook to today's, whole or not at all."""
    path = stock_nbgrader.sqlite_file(url)
    try:
        if (path is not None and not path.exists()) or not stock_nbgrader.is_earlier(url):
            return
    except Exception as error:
        raise _unreadable(url, error) from error
    copied = records.copy_gradebook(root, url)
    if path is None or copied is None:
        stock_nbgrader.upgrade(url)  # one transaction of the server's
    else:
        new = path.with_name(f".{path.name}.new")
        try:
            records.clear_database(new)
            write_whole(new, copied.read_bytes())
            stock_nbgrader.upgrade(stock_nbgrader.sqlite_url(new))
            replace_by(path, new)
        finally:
            with contextlib.suppress(OSError):
                records.clear_database(new)
    say(
        "the gradebook was an earlier nbgrader's: its tables are today's now"
        + (f"; {copied.relative_to(root)} is what it was" if copied else "")
    )


def _make(path: Path, course: str) -> None:
    """Make a gradebook beside its place and then move it: a failure half-way leaves no half one."""
    new = path.with_name(f".{path.name}.new")
    try:
        records.clear_database(new)
        made = stock_nbgrader.gradebook(stock_nbgrader.sqlite_url(new), course)
        made.close()
        made.engine.dispose()
        replace_by(path, new)
    except Exception as error:
        with contextlib.suppress(OSError):
            records.clear_database(new)
        raise CourseError(
            f"The gradebook {path} cannot be made ({_first(error)}); nothing of it is left there, "
            "and the same command makes it once it can write there."
        ) from error


def _unreadable(url: str, error: Exception) -> CourseError:
    return CourseError(
        f"The gradebook {stock_nbgrader.shown(url)} cannot be read ({_first(error)}); keep it, it "
        "holds what people gave, and see «When the gradebook cannot be read» in docs/grading.md."
    )


def _first(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def holds(standing: Standing, result: Result) -> bool:
    """Return whether the gradebook holds the points of this result."""
    return all(
        name in standing.marks and standing.marks[name].auto == automatic(test)
        for name, test in result.tests.items()
    )


def automatic(test: TestResult) -> float | None:
    """Return the points that no person gives: none where the answer waits for one."""
    return None if test.state == "manual" else test.points


def enter(book: Gradebook, result: Result, regraded: bool) -> None:
    """Write a result into the gradebook, as nbgrader's SaveAutoGrades does, in one commit.

    A score or comment that a person gave is left alone and marked for another look.

    Args:
        book: the open gradebook, which knows the sheet.
        result: what the submission got.
        regraded: whether it was graded just now; else a mark that fits already is left as it is,
            also where a person has looked at it.
    """
    with warnings.catch_warnings():
        # nbgrader adds submissions in an order that SQLAlchemy remarks upon, with no effect.
        warnings.filterwarnings("ignore", message="Object of type <Submitted")
        book.update_or_create_student(result.student)
        book.update_or_create_submission(result.sheet, result.student)
    notebook = book.find_submission_notebook(result.sheet, result.sheet, result.student)
    for grade in notebook.grades:
        test = result.tests.get(grade.name)
        if test is None:  # a person's task is none of the engine's
            continue
        if regraded or grade.auto_score != automatic(test):
            grade.auto_score = automatic(test)
            grade.needs_manual_grade = grade.auto_score is None or grade.manual_score is not None
    for comment in notebook.comments:
        answered = result.tests.get(comment.name)
        unanswered = answered is not None and answered.state == "missing"
        comment.auto_comment = "No response." if unanswered else None
    book.db.commit()


def enter_time(book: Gradebook, of: Of, time: datetime) -> None:
    """Write the time at which a submission was handed in, in UTC."""
    book.update_or_create_submission(of.sheet, of.student, timestamp=time)


def untimed(stamp: str | None) -> str:
    """Return what is wrong with a timestamp.txt that is there but tells no time; else nothing.

    A blank line says that somebody handed in on time, and that nobody knows when.
    """
    if stamp is None or handed_in(stamp) is not None or (stamp and not stamp.strip()):
        return ""
    what = "tells no time such as 2026-11-03 09:00:00 UTC" if stamp else "cannot be read"
    return f"{what}, so that this submission counts as handed in before or in time"


# Of «05.11.2026» nobody knows whether it is a day of May or of November.
YEAR_FIRST = re.compile(r"\d{4}-\d\d?-\d\d?(?!\d)")


def handed_in(stamp: str | None) -> datetime | None:
    """Return the time that a timestamp.txt tells, in UTC; None where it tells none."""
    with contextlib.suppress(Exception):  # a text that is no time raises many kinds
        if stamp and YEAR_FIRST.match(stamp.strip()):
            return parse_utc(stamp.strip())
    return None
