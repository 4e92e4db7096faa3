"""One submission: assemble → cage → judge → a result. A pure function of bytes.

Nothing here reads or writes the course's folders, so that any executor can run it anywhere.
"""

import atexit
import functools
import threading
import time
from dataclasses import replace

import nbformat
from nbformat import NotebookNode

from course.authoring import needed, sheet
from course.grading import assemble
from course.grading.cage.inside import wire
from course.grading.cage.kernels import Kernels, NoKernel
from course.grading.job import Graded, Job
from course.grading.judge import judge
from course.grading.result import Result, TestResult
from course.grading.session import Replay, Session
from course.notebooks import parse
from course.verdict import NewQuestion, Verdict
from helpers import data
from helpers.check.kit import message

MOST_RESTARTS = 5
LONGEST = 4_000  # characters of a message: an answer's own values may stand in it


@functools.cache
def kernels(caged: bool, warm: bool) -> Kernels:
    """Return this process's source of kernels, made on first use and closed when it ends."""
    made = Kernels(caged, warm)
    atexit.register(made.close)
    return made


# What a test cell prints is caught by the process's own standard output: one submission at a time.
_one_at_a_time = threading.Lock()


def grade_submission(job: Job) -> Graded:
    """Grade one submission; whatever it is or does, this returns a result.

    Raises:
        NoKernel: none can be started on this machine.
    """
    with _one_at_a_time, data.seeded(job.data_seed):
        return _grade(job)


def _grade(job: Job) -> Graded:
    begun = time.monotonic()
    source, release = parse(job.source), parse(job.release)
    try:
        replayed = _judge_again(job, source, begun)
    except Exception:  # what is kept of the earlier run is damaged
        replayed = None
    if replayed is not None:
        return replayed
    try:
        if job.submission is None:
            raise assemble.Refused(job.why_none)
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
    said = Verdict("crashed", f"✗ grading this submission stopped: {why}; ask the staff.")
    return replace(_unrun(job, said), trouble=why)


def _unrun(job: Job, verdict: Verdict) -> Graded:
    """Return the same verdict for every test of a submission that was not run to its end."""
    tests = {e.test: verdict for e in sheet.exercises(parse(job.source))}
    return _graded(job, parse(job.release), tests, {}, time.monotonic(), refused=True)


def _judge_again(job: Job, source: NotebookNode, begun: float) -> Graded | None:
    """Judge the answers of an earlier run, where its replies suffice."""
    if job.earlier is None or not job.earlier.replies:
        return None
    ran = {t.state for t in job.earlier.result.tests.values()}
    if ran - {"passed", "failed", "manual"}:
        return None
    session = Replay(job.earlier.replies, begun + job.limits.submission_seconds)
    try:
        verdicts = {
            e.test: judge(session, source.cells[e.test_index].source, e.wants)
            for e in sheet.exercises(source)
        }
    except NewQuestion:
        return None
    notebook = parse(job.earlier.notebook)
    _renew_tests(notebook, source)
    return _graded(job, notebook, verdicts, job.earlier.replies, begun)


def _renew_tests(notebook: NotebookNode, source: NotebookNode) -> None:
    """Give an earlier run's notebook the tests and points that the source has now."""
    now = {sheet.grade_id(c): c for c in source.cells if sheet.grade_id(c)}
    for cell in notebook.cells:
        renewed = now.get(sheet.grade_id(cell))
        if renewed is not None and sheet.flags(renewed).get("grade"):
            cell.metadata.nbgrader["points"] = renewed.metadata.nbgrader["points"]
            if sheet.is_test(renewed):
                cell.source = renewed.source


class Run:
    """The run of a notebook, cell by cell, each test judged where it stands.

    A cell that ends the kernel is left out, and the rest is run again in a new kernel: only what
    depends on it is lost.
    """

    def __init__(self, job: Job, notebook: NotebookNode) -> None:
        self.job, self.notebook = job, notebook
        self.deadline = time.monotonic() + job.limits.submission_seconds
        self.exercises = {e.test_index: e for e in sheet.exercises(notebook)}
        self.needed = needed.for_answers(notebook)
        self.stopped: dict[int, str] = {}  # cells that ended the kernel or ran out of time
        self.verdicts: dict[str, Verdict] = {}
        self.replies: dict[str, str] = {}

    def to_the_end(self) -> None:
        """Run and judge until every test has a verdict."""
        for attempt in range(MOST_RESTARTS + 1):
            extra = {"COURSE_DATA_SEED": str(self.job.data_seed)}
            kernel = kernels(self.job.caged, self.job.warm).start(extra, self.job.limits)
            with Session(kernel, self.job.limits, self.deadline) as session:
                if not kernel.alive():
                    raise NoKernel("the kernel ended before it ran anything")
                done = self._from_the_top(session)
            # Numbers of functions differ from kernel to kernel: a restarted run's are not kept.
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
                    said = judge(session, cell.source, exercise.wants)
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
        if said.wrong_turn != message.MISSING_NAME:
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


def _graded(
    job: Job,
    notebook: NotebookNode,
    verdicts: dict[str, Verdict],
    replies: dict[str, str],
    begun: float,
    refused: bool = False,
) -> Graded:
    """Put verdicts into a result, and into the notebook as the test cells' outputs."""
    tests: dict[str, TestResult] = {}
    given = {sheet.grade_id(c): c.source.strip() for c in parse(job.release).cells}
    for cell in notebook.cells:
        name = sheet.grade_id(cell)
        if sheet.is_test(cell):
            said, most = _cut(verdicts[name]), float(sheet.flags(cell)["points"])
            points = most if said.state == "passed" else 0.0
            tests[name] = TestResult(said.state, points, most, said.message, said.wrong_turn)
            cell.outputs = [_output(said)]
        elif sheet.is_manual(cell):
            written = cell.source.strip()
            untouched = written in ("", assemble.EMPTY, given[name])
            state = "refused" if refused else "missing" if untouched else "manual"
            tests[name] = TestResult(state, 0.0, float(sheet.flags(cell)["points"]))
    result = Result(
        job.student,
        job.sheet,
        sum(t.points for t in tests.values()),
        sum(t.max_points for t in tests.values()),
        "bubblewrap" if job.caged else "none",
        round(time.monotonic() - begun, 2),
        tests,
    )
    text = wire.clean(nbformat.writes(notebook)) + "\n"
    return Graded(result, text, replies, job.data_seed)


def _cut(said: Verdict) -> Verdict:
    """Return a verdict whose message can be written, and is short enough to be read."""
    text = wire.clean(said.message)
    return replace(said, message=text if len(text) <= LONGEST else f"{text[:LONGEST]}…")


def _output(said: Verdict) -> NotebookNode:
    """Return the verdict as the test cell's output, in the form that nbgrader scores."""
    if said.state == "passed":
        return nbformat.v4.new_output("stream", name="stdout", text=said.message + "\n")
    return nbformat.v4.new_output(
        "error", ename=said.state, evalue=said.message, traceback=said.message.splitlines()
    )
