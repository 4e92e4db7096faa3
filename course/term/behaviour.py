"""Wrong answers without a name, grouped by how they behave: the next wrong turn to write.

Two answers belong together when they give the same values on the same inputs. What they replied
while they were graded cannot say so: everybody has data of their own. So the submissions that hold
such answers run once more, in the cage, on one data seed for all (the one of the sheet's own
solution), and what each answer replied to the check's calls is compared, to a few parts in 100,000
as a check compares values. The verdict's words would be quicker to compare and say less: answers
that are wrong in unlike ways are told the same, that a number differs on the first case. Words
decide only where values cannot: an answer that draws at random, a number that was learned, and what
could not be run again.

What came of a run is kept in .course/, so that a second report runs nothing.
"""

import gzip
import hashlib
import json
import math
import os
import re
import time
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import BrokenExecutor
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from course.authoring import sheet
from course.errors import CourseError
from course.files import STAFF, staff, write_whole
from course.grading import seeds, submitted, workers
from course.grading.cage import command
from course.grading.cage.inside import wire
from course.grading.canary import NOBODY
from course.grading.grade import configured_limits
from course.grading.job import Job
from course.grading.judge import judge
from course.grading.ledger import keys, records
from course.grading.result import Result, TestResult
from course.grading.session import Proxy, Replay, Session, pickled
from course.notebooks import parse
from course.verdict import NewQuestion
from helpers import data
from helpers.check.kit import message, relations
from helpers.check.kit.exercise import SAY_LITTLE

# What a check says of an answer whose cause it does not know.
NAMELESS = frozenset({
    *SAY_LITTLE, *message.TYPES, message.NOT_A_NUMBER, message.RAISED,
    relations.SHIFT[0], relations.FACTOR[0], relations.LINE[0],
})  # fmt: skip
MOST_NUMBERS = 4096  # of one reply that are compared
ENDED = (BrokenExecutor, EOFError, ConnectionError)  # what the end of a grading process raises
VALUES, WORDS = "values", "words"


@dataclass(frozen=True)
class Reply:
    """What an answer gave to one call: the form of the value, and the numbers in it."""

    form: str
    numbers: tuple[float, ...] = ()


@dataclass(frozen=True)
class Behaviour:
    """What an answer did on the common data seed.

    Args:
        replies: by a digest of what was asked.
        random: whether one call gave two values from two random states.
        called: whether the answer has a function at all.
        message: what the check said of it there.
    """

    replies: Mapping[str, Reply]
    random: bool
    called: bool
    message: str


@dataclass(frozen=True)
class Group:
    """Answers to one exercise that behave alike.

    Args:
        sheet: the sheet.
        test: grade_id of the exercise's test.
        students: whose answers they are.
        by: what made them a group, values or words.
        message: what the check said of the first of them.
    """

    sheet: str
    test: str
    students: tuple[str, ...]
    by: str
    message: str


def nameless(test: TestResult) -> bool:
    """Return whether an answer failed and was not told why."""
    return test.state == "failed" and test.wrong_turn in NAMELESS


def groups(
    root: Path,
    results: Iterable[Result],
    must_see: Callable[[str], None],
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> list[Group]:
    """Return the groups of all nameless answers, the largest first.

    Args:
        root: course folder.
        results: the submissions.
        must_see: is told of submissions that could not be run again.
        progress: told how many submissions of how many have been run.
    """
    found: list[Group] = []
    which = {
        (r.student, r.sheet): {name: t for name, t in r.tests.items() if nameless(t)}
        for r in results
    }  # fmt: skip
    which = {place: tests for place, tests in which.items() if tests}
    behaved = behaviours(root, {p: frozenset(t) for p, t in which.items()}, must_see, progress)
    by_test: dict[tuple[str, str], dict[str, TestResult]] = {}
    for (student, name), tests in sorted(which.items()):
        for test, said in tests.items():
            by_test.setdefault((name, test), {})[student] = said
    for (name, test), said_of in by_test.items():
        known = {s: behaved[s, name][test] for s in said_of if test in behaved.get((s, name), {})}
        for students, by in grouped(said_of, known):
            first = known.get(students[0])
            text = first.message if first and first.message else said_of[students[0]].message
            found.append(Group(name, test, students, by, text))
    return sorted(found, key=lambda g: (g.sheet, -len(g.students), g.test, g.students))


def grouped(
    said_of: Mapping[str, TestResult], known: Mapping[str, Behaviour]
) -> list[tuple[tuple[str, ...], str]]:
    """Return students in groups, and what made each: values where they say something, else words.

    Args:
        said_of: what each student's answer was told.
        known: how answers behaved, where that is known.
    """
    by_values: list[list[str]] = []
    by_words: dict[tuple[str, str], list[str]] = {}
    for student in said_of:
        own = known.get(student)
        if own is not None and own.called and not own.random:
            for group in by_values:
                if alike(known[group[0]], own):
                    group.append(student)
                    break
            else:
                by_values.append([student])
            continue
        by_words.setdefault(_words(said_of[student]), []).append(student)
    return [(tuple(g), VALUES) for g in by_values] + [(tuple(g), WORDS) for g in by_words.values()]


def _words(said: TestResult) -> tuple[str, str]:
    """Return name and place of a verdict, numbers left out: those are of the student's own data."""
    first = said.message.split("\n", 1)[0]
    return said.wrong_turn, re.sub(r"[-+]?\d[\d.,e+-]*", "#", first)


def alike(one: Behaviour, other: Behaviour) -> bool:
    """Return whether two answers gave the same wherever both were asked the same."""
    common = one.replies.keys() & other.replies.keys()
    return bool(common) and all(_same(one.replies[k], other.replies[k]) for k in common)


def _same(one: Reply, other: Reply) -> bool:
    if one.form != other.form or len(one.numbers) != len(other.numbers):
        return False
    a, b = np.array(one.numbers), np.array(other.numbers)
    if not np.array_equal(np.isfinite(a), np.isfinite(b)):
        return False
    fine = np.isfinite(a)
    if not np.array_equal(a[~fine], b[~fine], equal_nan=True):
        return False
    a, b = a[fine], b[fine]
    size = np.maximum(np.abs(b), np.abs(b).mean()) if len(b) else b
    return bool((np.abs(a - b) <= relations.HOLDS * size + 1e-12).all())


# --- on one data seed ----------------------------------------------------------------------------


def behaviours(
    root: Path,
    which: Mapping[tuple[str, str], frozenset[str]],
    must_see: Callable[[str], None],
    progress: Callable[[int, int], None],
) -> dict[tuple[str, str], dict[str, Behaviour]]:
    """Return how answers behave on the data seed that a sheet's own solution is graded on.

    Args:
        root: course folder.
        which: the tests whose answers are asked, by student and sheet.
        must_see: is told of submissions that could not be run again.
        progress: told how many submissions of how many have been run.
    """
    found: dict[tuple[str, str], dict[str, Behaviour]] = {}
    todo: list[tuple[Job, frozenset[str], str]] = []
    for name in sorted({name for _, name in which}):
        students = {s: tests for (s, place), tests in which.items() if place == name}
        for job in _jobs(root, name, students, must_see):
            made_from = _key(job, students[job.student])
            kept = _kept(root, job, made_from)
            if kept is None:
                todo.append((job, students[job.student], made_from))
            else:
                found[job.student, job.sheet] = kept
    for done, (job, made_from, behaved) in enumerate(_run(todo), 1):
        progress(done, len(todo))
        if behaved is None:
            must_see(f"{job.student}, {job.sheet}: could not be run again, and is grouped by words")
            continue
        found[job.student, job.sheet] = behaved
        _keep(root, job, made_from, behaved)
    return found


def _jobs(
    root: Path, name: str, students: Mapping[str, frozenset[str]], must_see: Callable[[str], None]
) -> list[Job]:
    """Return the submissions as they were graded, on the common data seed; tests left out."""
    here = [s for s in students if (root / "submitted" / s / name).is_dir()]
    cage_works = not command.works()
    try:
        # What else lies in these folders was told when they were graded.
        limits = configured_limits(root)
        jobs = submitted.jobs(root, [name], here, cage_works, lambda line: None, limits)
    except CourseError as error:  # what was handed in is no longer there
        must_see(f"{error} Answers without a name are grouped by words")
        return []
    common = seeds.data_seed(seeds.secret(root), NOBODY, name)
    found = []
    for job in jobs:
        kept = records.kept(root, job)
        caged = kept is None or kept.cage != "none"  # who graded without a cage trusts the code
        job = replace(job, caged=caged)
        if records.keys(root, job) == keys.of(job) and (cage_works or not caged):
            found.append(_narrowed(replace(job, data_seed=common), students[job.student]))
    if left := len(jobs) - len(found):
        why = "there is no cage here" if not cage_works else "something has changed since then"
        must_see(
            f"{name}: {left} of {len(jobs)} submissions with answers without a name are not run "
            f"again as they were graded ({why}): «course grade» first; they are grouped by words"
        )
    return found


def _narrowed(job: Job, tests: frozenset[str]) -> Job:
    """Return a job whose sheet has no other test cells than these; all cells keep their places."""

    def without(text: str) -> str:
        notebook = parse(text)
        for cell in notebook.cells:
            if sheet.is_test(cell) and sheet.grade_id(cell) not in tests:
                cell.cell_type, cell.source = "markdown", ""
                cell.metadata.pop("nbgrader")
                cell.pop("outputs", None)
                cell.pop("execution_count", None)
        return json.dumps(notebook, sort_keys=True)

    return replace(job, source=without(job.source), release=without(job.release))


def _run(
    todo: Sequence[tuple[Job, frozenset[str], str]],
) -> Iterable[tuple[Job, str, dict[str, Behaviour] | None]]:
    """Yield how each submission behaves, run by processes like those that grade."""
    if not todo:
        return
    pool = workers.processes(min(os.cpu_count() or 1, len(todo)))
    try:
        asked = [(job, made_from, pool.submit(of_submission, job)) for job, _, made_from in todo]
        for job, made_from, future in asked:
            try:
                yield job, made_from, future.result()
            except ENDED:  # one that ends its process costs no other its run
                yield job, made_from, _alone(job)
    finally:
        pool.shutdown(cancel_futures=True)


def _alone(job: Job) -> dict[str, Behaviour] | None:
    pool = workers.processes(1)
    try:
        return pool.submit(of_submission, job).result()
    except ENDED:
        return None
    finally:
        pool.shutdown(cancel_futures=True)


def of_submission(job: Job) -> dict[str, Behaviour] | None:
    """Run a submission, and return how the answers to the tests in its sheet behave."""
    from course.grading.cage.kernels import NoKernel
    from course.grading.submission import grade_submission

    try:
        return _heard(job, grade_submission(job).replies)
    except NoKernel:
        return None
    except Exception:  # what nobody has thought of costs this submission its place by values
        return None


def _heard(job: Job, replies: dict[str, str]) -> dict[str, Behaviour]:
    """Return how answers behave, by the replies of a run."""
    source = parse(job.source)
    found: dict[str, Behaviour] = {}
    with data.seeded(job.data_seed):
        for exercise in sheet.exercises(source):
            ends = time.monotonic() + job.limits.submission_seconds
            heard = ListeningReplay(replies, ends)
            try:
                said = judge(heard, source.cells[exercise.test_index].source, exercise.wants)
            except NewQuestion:  # the kernel ended on the way: nothing is kept of what it replied
                continue
            found[exercise.test] = heard.behaviour(said.message)
    return found


class Listening(Session):
    """A session that writes down what was asked and what came, numbers of functions left out."""

    def listen(self) -> None:
        """Begin with nothing heard."""
        self.heard: dict[str, Reply] = {}
        self.random = self.called = False
        self.places: dict[int, str] = {}

    def behaviour(self, said: str) -> Behaviour:
        """Return what was heard, and what the check said of it."""
        return Behaviour(self.heard, self.random, self.called, said)

    def values(self, names: tuple[str, ...]) -> dict[str, Any]:
        """Look the answers up; those that are values are heard now."""
        found = super().values(names)
        for name, value in found.items():
            if isinstance(value, Proxy):
                self.places[value._handle] = name
                self.called = True
            else:
                self.heard[f"value {name}"] = reply(value)
        return found

    def call(
        self, handle: int, args: tuple[Any, ...], kwargs: dict[str, Any], question: str = ""
    ) -> Any:
        """Look a reply up, and write down what it was, an error too."""
        seeded = question == "watched"
        asked = hashlib.sha256(pickled((args[:1] if seeded else args, kwargs))).hexdigest()[:24]
        asked = f"{self.places.get(handle, '')} {question} {asked}"
        try:
            value = super().call(handle, args, kwargs, question)
        except Exception as error:
            self._hear(asked, reply(error), seeded)
            raise
        self._hear(asked, reply(value[0] if seeded else value), seeded)
        return value

    def _hear(self, asked: str, came: Reply, seeded: bool) -> None:
        first = self.heard.setdefault(asked, came)
        if seeded and not _same(first, came):
            self.random = True


class ListeningReplay(Listening, Replay):
    """A replay that writes down what was asked and what came."""

    def __init__(self, log: dict[str, str], deadline: float) -> None:
        super().__init__(log, deadline)
        self.listen()


def reply(value: Any) -> Reply:
    """Return a value as a form and numbers; what cannot be compared is in the form."""
    numbers: list[float] = []
    form = _form(value, numbers)
    return Reply(form[:2000], tuple(numbers[:MOST_NUMBERS]))


def _form(value: Any, numbers: list[float]) -> str:
    if isinstance(value, torch.Tensor):
        value = value.detach().to(torch.float64).numpy()
    if isinstance(value, np.ndarray | np.generic):
        numbers += np.asarray(value, dtype=float).flatten()[:MOST_NUMBERS].tolist()
        return f"n{list(value.shape)}"
    if isinstance(value, bool | int | float):
        numbers.append(float(value) if abs(value) < 1e300 else math.copysign(math.inf, value))
        return "n[]"
    if isinstance(value, list | tuple):
        return f"[{','.join(_form(v, numbers) for v in value[:MOST_NUMBERS])}]"
    if isinstance(value, dict):
        return f"{{{','.join(f'{k!r}:{_form(v, numbers)}' for k, v in value.items())}}}"
    if isinstance(value, Exception):
        first = (str(value).strip().splitlines() or [""])[0]
        return f"! {type(value).__name__}: {re.sub(r'0x[0-9a-f]+|[0-9]+', '#', first)[:120]}"
    if isinstance(value, torch.distributions.Distribution):
        name = type(value).__name__
        parts = [_form(getattr(value, a), numbers) for a in wire.DISTRIBUTIONS.get(name, ())]
        return f"{name}({','.join(parts)})"
    if isinstance(value, wire.Opaque):
        return f"a {value.kind}"
    return "function" if isinstance(value, Proxy) else f"{type(value).__name__} {value!r}"[:200]


# --- what is kept --------------------------------------------------------------------------------


def _key(job: Job, tests: frozenset[str]) -> str:
    own = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    content = [astuple(keys.of(job)), sorted(tests), own]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _path(root: Path, job: Job) -> Path:
    return root / STAFF / "behaviour" / job.student / f"{job.sheet}.gz"


def _keep(root: Path, job: Job, made_from: str, behaved: Mapping[str, Behaviour]) -> None:
    tests = {
        test: {
            "replies": {k: [r.form, r.numbers] for k, r in one.replies.items()},
            "random": one.random, "called": one.called, "message": one.message,
        }
        for test, one in behaved.items()
    }  # fmt: skip
    staff(root)
    text = json.dumps({"made_from": made_from, "tests": tests})
    write_whole(_path(root, job), gzip.compress(text.encode(), 1, mtime=0))


def _kept(root: Path, job: Job, made_from: str) -> dict[str, Behaviour] | None:
    try:
        content = json.loads(gzip.decompress(_path(root, job).read_bytes()))
        if content["made_from"] != made_from:
            return None
        return {
            test: Behaviour(
                {k: Reply(form, tuple(numbers)) for k, (form, numbers) in one["replies"].items()},
                one["random"], one["called"], one["message"],
            )
            for test, one in content["tests"].items()
        }  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, zlib.error):
        return None
