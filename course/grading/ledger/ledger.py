"""The one writer of a course: files first, then the gradebook, then feedback."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook
from traitlets.config import Config

from course import stock_nbgrader
from course.files import shown
from course.grading.job import Graded
from course.grading.ledger import (
    attempts,
    feedback,
    gradebook,
    late,
    lock,
    records,
    standing,
    trouble,
)
from course.grading.ledger.keys import Keys
from course.grading.ledger.records import Of
from course.grading.ledger.standing import Standing
from course.grading.result import Result

Standings = dict[tuple[str, str], Standing]


class Ledger:
    """The open books of a course: its folders and its gradebook."""

    def __init__(self, root: Path, book: Gradebook, config: Config) -> None:
        self.root = root
        self.book = book
        self.policy = late.Policy(root, config)

    def write(self, graded: Graded, key: Keys, must_see: Callable[[str], None] = print) -> None:
        """Write a result; its keys come last, so that one which is interrupted is done again.

        Args:
            graded: the result, and what comes with it.
            key: what it was made from.
            must_see: is told where this submission's result cannot be written.
        """
        result = graded.result
        with trouble.of_one(self.root, self.book, result, must_see):
            records.begin(self.root, graded)
            gradebook.enter(self.book, result, regraded=True)
            self._time_and_penalty(result, self._standing(result))
            self._page(result, self._standing(result), force=True)
            records.finish(self.root, graded, key)

    def bring_into_line(
        self,
        results: list[Result],
        must_see: Callable[[str], None] = print,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        """Enter every result that the gradebook does not hold: it may be new, or was replaced.

        Times, late penalties and feedback pages follow what they depend on, of every result.

        Args:
            results: the submissions.
            must_see: is told of each one that this fails for; the others go on.
            say: is told of each late penalty that changes points of what is not graded again.
        """
        standings = self.standings(results)
        for result in results:
            with trouble.of_one(self.root, self.book, result, must_see):
                now = standings.get((result.student, result.sheet))
                if now is None or not gradebook.holds(now, result):
                    gradebook.enter(self.book, result, regraded=False)
                    now = self._standing(result)
                before, now = now.penalty, self._time_and_penalty(result, now)
                if (before or 0.0) != (now.penalty or 0.0):
                    say(late.changed(now, before, now.penalty))
                self._page(result, now)
            if why := gradebook.untimed(records.stamp(self.root, result)):
                must_see(f"{shown(result.student)}, {result.sheet}: timestamp.txt {why}")

    def settle(self, places: Sequence[Of]) -> Standings:
        """Bring times and late penalties into line; return how the submissions stand then."""
        standings = self.standings(places)
        for of in places:
            place = of.student, of.sheet
            if place in standings:
                standings[place] = self._time_and_penalty(of, standings[place])
        return standings

    def pages(
        self, results: list[Result], force: bool = False, must_see: Callable[[str], None] = print
    ) -> tuple[int, list[Result]]:
        """Make the feedback pages that are not there or not of what the gradebook holds now.

        Args:
            results: the submissions.
            force: make all of them.
            must_see: is told of each page that cannot be made; the others are.

        Returns:
            How many were made, and the results that the gradebook does not know.
        """
        standings = self.settle(results)
        unknown = [r for r in results if (r.student, r.sheet) not in standings]
        made = 0
        for result in results:
            if (result.student, result.sheet) in standings:
                with trouble.of_one(self.root, self.book, result, must_see):
                    made += self._page(result, standings[result.student, result.sheet], force)
        return made, unknown

    def standings(self, places: Sequence[Of]) -> Standings:
        """Return how submissions stand in the gradebook, by student and sheet."""
        return standing.read(self.book, sorted({of.sheet for of in places}))

    def _standing(self, of: Of) -> Standing:
        return standing.read(self.book, [of.sheet], of.student)[of.student, of.sheet]

    def _time_and_penalty(self, of: Of, now: Standing) -> Standing:
        """Bring the time of a submission and its late penalty into line; return how it stands."""
        time = gradebook.handed_in(records.renew_stamp(self.root, of))
        if time is not None and time != now.timestamp:
            gradebook.enter_time(self.book, of, time)
            now = self._standing(of)
        penalty = self.policy.penalty(now)
        if penalty != now.penalty:
            late.write(self.book, now, penalty)
            now = self._standing(of)
        return now

    def _page(self, of: Result, now: Standing, force: bool = False) -> bool:
        """Make a feedback page; return False where it is there and nothing has changed."""
        used = attempts.sentence(self.root, of)
        made_from = feedback.made_from(of, now, used)
        records.renew_exchange(self.root, of)
        there = records.page_path(self.root, of).exists()
        if there and not force and records.page_made_from(self.root, of) == made_from:
            return False
        path = records.folder(self.root, of) / f"{of.sheet}.ipynb"
        page = feedback.page(of, nbformat.read(path, as_version=4), now, used)
        records.write_page(self.root, of, page, made_from)
        return True


@contextlib.contextmanager
def opened(root: Path, sheets: list[str], say: Callable[[str], None] = print) -> Iterator[Ledger]:
    """Open the books of a course.

    Args:
        root: course folder.
        sheets: the sheets whose cells the gradebook has to know as they are now.
        say: takes lines that a person should read.

    Raises:
        CourseError: the gradebook cannot be opened or a sheet cannot be entered.
    """
    config = stock_nbgrader.settings(root)
    with gradebook.opened(root, sheets, config, say) as book:
        yield Ledger(root, book, config)


def settle(
    root: Path, book: Gradebook, say: Callable[[str], None] = lambda line: None
) -> Standings:
    """Return how the graded submissions stand, late penalties as they are due now.

    While another command writes, what stands there is read and nothing is brought into line.

    Args:
        root: course folder.
        book: its open gradebook.
        say: is told where another command is at work.
    """
    books, places = Ledger(root, book, stock_nbgrader.settings(root)), records.places(root)
    with lock.tried(root, "looking at grades") as holder:
        if holder:
            say(f"{holder}: these are the grades so far, late penalties as they stood before")
            return books.standings(places)
        return books.settle(places)


def give_feedback(
    root: Path, sheets: list[str], force: bool = False, say: Callable[[str], None] = print
) -> None:
    """Make the feedback pages of a course from its gradebook, where they are not up to date.

    Args:
        root: course folder.
        sheets: only these; all where empty.
        force: make also those that are up to date, in the place of what lies there.
        say: takes lines that a person should read.

    Raises:
        CourseError: nothing was graded, or the gradebook cannot be read.
    """
    results = records.graded(root, sheets)
    with lock.held(root, "course feedback"), gradebook.reading(root) as book:
        made, unknown = Ledger(root, book, stock_nbgrader.settings(root)).pages(results, force, say)
    for result in unknown:
        of = f"{result.sheet} of {result.student!r}"
        say(f"{of} is not in the gradebook; «course grade» enters it")
    up_to_date = len(results) - made - len(unknown)
    say(f"feedback: {made} pages made, {up_to_date} were up to date")
