"""One submission: assemble → cage → judge → a result. A pure function of bytes.

Nothing here reads or writes the course's folders, so that any executor can run it anywhere.
"""

import atexit
import hashlib
import json
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat import NotebookNode

import helpers
from course import sheet
from course.grading import assemble, wire
from course.grading.cage import Limits
from course.grading.judge import Verdict, data_seed, judge_in
from course.grading.result import Result, Test
from course.grading.session import Missing, Replay, Session
from course.grading.warm import Kernels, NoKernel
from helpers.check import verdict as words

MOST_RESTARTS = 5


@dataclass(frozen=True)
class Job:
    """Everything that grading one submission depends on.

    Args:
        submission: the student's file; None where there is none, and ``missing`` says why.
        source: the sheet's source notebook, hidden tests inside.
        release: the sheet's released notebook.
        data_seed: seed of the data that the answers are judged on.
        recorded: replies of an earlier run of the same code, to judge anew without running it.
    """

    student: str
    sheet: str
    submission: bytes | None
    source: str
    release: str
    data_seed: int
    caged: bool = True
    warm: bool = True
    limits: Limits = field(default_factory=Limits)
    missing: str = ""
    recorded: "Recorded | None" = None

    def run_key(self) -> str:
        """Return a hash of what the student's run depends on: all but tests and answer key."""
        spine = [c.source for c in _read(self.source).cells if not sheet.is_test(c)]
        parts = [self.student, self.sheet, spine, self.release, self.data_seed, self.caged,
                 str(self.limits), self.missing]  # fmt: skip
        digest = hashlib.sha256(json.dumps(parts).encode())
        digest.update(self.submission or b"")
        digest.update(_code(judging=False))
        return digest.hexdigest()

    def judge_key(self) -> str:
        """Return a hash of what the verdict depends on beyond the run: tests and answer key."""
        tests = [c.source for c in _read(self.source).cells if sheet.is_test(c)]
        return hashlib.sha256(json.dumps(tests).encode() + _code(judging=True)).hexdigest()


@dataclass(frozen=True)
class Recorded:
    """What an earlier run of a submission left: its result, its notebook, and its replies."""

    result: Result
    notebook: str
    replies: dict[str, str]


@dataclass(frozen=True)
class Graded:
    """A job's result, the notebook that nbgrader's tools show, and the answers for another time."""

    result: Result
    notebook: str
    run_key: str
    judge_key: str
    replies: dict[str, str]


def _read(text: str) -> NotebookNode:
    return nbformat.reads(text, as_version=4)


def _code(judging: bool) -> bytes:
    """Return a hash of the answer key and the judge, or of everything else that grades."""
    digest = hashlib.sha256()
    for folder in (Path(helpers.__file__).parent, Path(__file__).parent):
        for path in sorted(folder.rglob("*.py")):
            if ("check" in path.parts or path.name == "judge.py") == judging:
                digest.update(path.read_bytes())
    return digest.digest()


_sources: dict[tuple[bool, bool], Kernels] = {}


def kernels(caged: bool, warm: bool) -> Kernels:
    """Return this process's source of kernels, made on first use."""
    if (caged, warm) not in _sources:
        _sources[caged, warm] = made = Kernels(caged, warm)
        atexit.register(made.close)
    return _sources[caged, warm]


# The data seed is a variable of the whole process: a process grades one submission at a time.
_one_at_a_time = threading.Lock()


def grade(job: Job) -> Graded:
    """Grade one submission; whatever it is or does, this returns a result."""
    with _one_at_a_time, data_seed(job.data_seed):
        return _grade(job)


def _grade(job: Job) -> Graded:
    begun = time.monotonic()
    source, release = _read(job.source), _read(job.release)
    replayed = _judge_again(job, source, begun)
    if replayed is not None:
        return replayed
    try:
        if job.submission is None:
            raise assemble.Refused(job.missing)
        notebook = assemble.assemble(job.submission, source, release)
        run = Run(job, notebook)
        run.to_the_end()
        return _graded(job, notebook, run.verdicts, run.replies, begun)
    except assemble.Refused as refused:
        verdict = Verdict("refused", f"✗ {refused}")
    except NoKernel:
        raise  # nothing that the submission did
    except Exception as error:  # what nobody has thought of costs this submission, not the class
        return lost(job, f"{type(error).__name__}: {error}"[:500])
    return _unrun(job, verdict)


def lost(job: Job, why: str) -> Graded:
    """Return the result of a submission whose grading itself came to an end; it gets no points."""
    return _unrun(
        job, Verdict("crashed", f"✗ grading this submission stopped: {why}; ask the staff.")
    )


def _unrun(job: Job, verdict: Verdict) -> Graded:
    """Return the same verdict for every test of a submission that was not run to its end."""
    tests = {e.test: verdict for e in sheet.exercises(_read(job.source))}
    return _graded(job, _read(job.release), tests, {}, time.monotonic(), refused=True)


def _judge_again(job: Job, source: NotebookNode, begun: float) -> Graded | None:
    """Judge the recorded answers of an earlier run, where they suffice."""
    if job.recorded is None or not job.recorded.replies:
        return None
    ran = {t.state for t in job.recorded.result.tests.values()}
    if ran - {"passed", "failed", "manual"}:
        return None
    session = Replay(job.recorded.replies)
    try:
        verdicts = {
            e.test: judge_in(session, source.cells[e.test_index].source, e.wants)
            for e in sheet.exercises(source)
        }
    except Missing:
        return None
    return _graded(job, _read(job.recorded.notebook), verdicts, job.recorded.replies, begun)


class Run:
    """The run of a notebook, cell by cell, each test judged where it stands.

    A cell that ends the kernel is left out, and the rest is run again in a new kernel: only what
    depends on it is lost.
    """

    def __init__(self, job: Job, notebook: NotebookNode) -> None:
        self.job, self.notebook = job, notebook
        self.deadline = time.monotonic() + job.limits.submission_seconds
        self.exercises = {e.test_index: e for e in sheet.exercises(notebook)}
        self.needed = needed(notebook)
        self.stopped: dict[int, str] = {}  # cells that ended the kernel or ran out of time
        self.verdicts: dict[str, Verdict] = {}
        self.replies: dict[str, str] = {}

    def to_the_end(self) -> None:
        """Run and judge until every test has a verdict."""
        for attempt in range(MOST_RESTARTS + 1):
            extra = {"COURSE_DATA_SEED": str(self.job.data_seed)}
            kernel = kernels(self.job.caged, self.job.warm).start(extra, self.job.limits)
            session = Session(kernel, self.job.limits, self.deadline)
            try:
                done = self._from_the_top(session)
            finally:
                session.close()
            # Numbers of functions differ from kernel to kernel: a restarted run is not recorded.
            self.replies = session.log if attempt == 0 and done else {}
            if done or time.monotonic() > self.deadline:
                break
        late = time.monotonic() > self.deadline
        for exercise in self.exercises.values():
            rest = (
                Verdict("timeout", "✗ the submission ran out of time before this test.")
                if late
                else Verdict("crashed", "✗ the kernel died too often.")
            )
            self.verdicts.setdefault(exercise.test, rest)

    def _from_the_top(self, session: Session) -> bool:
        """Run all cells; return False when the kernel ended and a new one has to go on."""
        for index, cell in enumerate(self.notebook.cells):
            if time.monotonic() > self.deadline:
                return False
            if index in self.exercises:
                exercise = self.exercises[index]
                if exercise.test not in self.verdicts:
                    said = judge_in(session, cell.source, exercise.wants)
                    self.verdicts[exercise.test] = self._explained(said, exercise)
                    if not session.usable:
                        return False
            elif index in self.needed and self.stopped.get(index) not in ("dead", "stuck"):
                outcome = session.run(cell.source)
                cell.outputs, cell.execution_count = outcome.outputs, outcome.execution_count
                if outcome.state in ("dead", "stuck", "timeout"):
                    self.stopped[index] = outcome.state
                    cell.outputs = [*outcome.outputs, _stop(outcome.state)]
                if not session.usable:
                    return False
        return True

    def _explained(self, said: Verdict, exercise: sheet.Exercise) -> Verdict:
        """Say why an answer is missing, where its cell did not run to its end."""
        if said.wrong_turn != words.MISSING_NAME:
            return said
        stopped = self.stopped.get(exercise.answer_index)
        if stopped == "dead":
            return Verdict("crashed", "✗ the kernel died in the answer cell.")
        if stopped:
            return Verdict("timeout", "✗ the answer cell ran out of time.")
        for output in self.notebook.cells[exercise.answer_index].outputs:
            if output.output_type == "error" and output.ename != "NotImplementedError":
                stop = f"✗ the answer cell stopped with {output.ename}: {output.evalue}"
                return Verdict("missing", stop[:1000], said.wrong_turn)
        return said


def _stop(state: str) -> NotebookNode:
    text = "the kernel died in this cell" if state == "dead" else "this cell ran out of time"
    return nbformat.v4.new_output("error", ename=state, evalue=text, traceback=[text])


def needed(notebook: NotebookNode) -> set[int]:
    """Return the code cells that have to run for the answers: all but given pictures.

    A given cell that only draws (it calls ``plots`` or ``demos``) and makes no name that any other
    cell uses changes no answer. Nor does a given cell below the last test.
    """
    code = [i for i, c in enumerate(notebook.cells) if c.cell_type == "code"]
    ran = [i for i in code if not sheet.is_test(notebook.cells[i])]
    last = max((i for i in code if sheet.is_test(notebook.cells[i])), default=-1)
    used: dict[int, set[str]] = {i: sheet.names(notebook.cells[i].source) for i in ran}
    drawing = {
        i
        for i in ran
        if not sheet.flags(notebook.cells[i])
        and not notebook.cells[i].id.startswith(assemble.ADDED)
        and {"plots", "demos"} & used[i]
    }
    kept = set()
    for index in ran:
        if index > last:
            continue
        if index in drawing:
            made = sheet.made_names(notebook.cells[index].source)
            if not any(made & used[i] for i in ran if i != index and i not in drawing):
                continue
        kept.add(index)
    return kept


def _graded(
    job: Job,
    notebook: NotebookNode,
    verdicts: dict[str, Verdict],
    replies: dict[str, str],
    begun: float,
    refused: bool = False,
) -> Graded:
    """Put verdicts into a result, and into the notebook as the test cells' outputs."""
    tests: dict[str, Test] = {}
    given = {sheet.grade_id(c): c.source.strip() for c in _read(job.release).cells}
    for cell in notebook.cells:
        name = sheet.grade_id(cell)
        if sheet.is_test(cell):
            said, most = verdicts[name], float(sheet.flags(cell)["points"])
            points = most if said.state == "passed" else 0.0
            message = wire.clean(said.message)
            tests[name] = Test(said.state, points, most, message, said.wrong_turn)
            cell.outputs = [_output(said)]
        elif sheet.is_manual(cell):
            written = cell.source.strip()
            untouched = written in ("", assemble.EMPTY, given[name])
            state = "refused" if refused else "missing" if untouched else "manual"
            tests[name] = Test(state, 0.0, float(sheet.flags(cell)["points"]))
    result = Result(
        job.student,
        job.sheet,
        sum(t.points for t in tests.values()),
        sum(t.max_points for t in tests.values()),
        job.data_seed,
        "bubblewrap" if job.caged else "none",
        round(time.monotonic() - begun, 2),
        tests,
    )
    text = wire.clean(nbformat.writes(notebook)) + "\n"
    return Graded(result, text, job.run_key(), job.judge_key(), replies)


def _output(said: Verdict) -> NotebookNode:
    """Return the verdict as the test cell's output, in the form that nbgrader scores."""
    if said.state == "passed":
        return nbformat.v4.new_output("stream", name="stdout", text=said.message + "\n")
    return nbformat.v4.new_output(
        "error", ename=said.state, evalue=said.message, traceback=said.message.splitlines()
    )
