"""What a student gets to read: one page a submission, made from the gradebook.

It has the judge's messages, what a person gave and wrote, what being late cost, and the final
score; no test's text, and nothing from another host. nbgrader's own feedback, the whole notebook,
is made by ``nbgrader generate_feedback --force`` at any time, in the place of this page; it stays
until something changes.
"""

import functools
import hashlib
from html import escape
from pathlib import Path

from nbformat import NotebookNode

from course.authoring import sheet
from course.grading.ledger.standing import Mark, Standing
from course.grading.result import Result, TestResult

WORDS = {
    "passed": "passed",
    "failed": "not yet",
    "missing": "not solved",
    "timeout": "out of time",
    "crashed": "crashed",
    "refused": "refused",
    "manual": "read by a person",
}
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem;
       color: #222; background: #fff }
h2 { font-size: 1.1rem; margin: 2rem 0 .3rem; font-weight: 600 }
pre { background: #f5f5f5; padding: .7rem; overflow-x: auto; white-space: pre-wrap;
      margin: .3rem 0 }
.state { border-radius: .3rem; padding: .05rem .5rem; font-size: .9rem; border: 1px solid }
.passed { color: #00593f; background: #e3f4ee } .failed, .crashed, .timeout, .refused
  { color: #8f2d00; background: #fdebe2 } .missing, .manual { color: #444; background: #eee }
.words { white-space: pre-wrap; border-left: .25rem solid #00593f; padding-left: .7rem;
         margin: .5rem 0 }
@media (prefers-color-scheme: dark) { body { background: #1b1b1b; color: #ddd }
  pre { background: #2a2a2a } .passed { color: #9fe0c9; background: #12392d }
  .failed, .crashed, .timeout, .refused { color: #ffc3a6; background: #4a1f0c }
  .missing, .manual { color: #ccc; background: #333 } .words { border-color: #9fe0c9 } }
"""


def made_from(result: Result, standing: Standing, attempts: str = "") -> str:
    """Return a hash of all that a page is made from."""
    text = f"{_own_text()}\n{result.text()}\n{standing!r}\n{attempts}"
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest() + "\n"


@functools.cache
def _own_text() -> str:
    return Path(__file__).read_text(encoding="utf-8")


def page(result: Result, notebook: NotebookNode, standing: Standing, attempts: str = "") -> str:
    """Return the feedback on a submission as HTML.

    Args:
        result: what became of each test cell.
        notebook: the graded notebook, for the student's own answers.
        standing: how the submission stands in the gradebook.
        attempts: how many of its attempts the student has used, where they are counted.
    """
    exercises = {e.test: e for e in sheet.exercises(notebook)}
    parts = [f"<h1>{escape(result.sheet)}</h1>", *_score(standing)]
    if attempts:
        parts.append(f"<p>{escape(attempts)}</p>")
    shown: set[str] = set()
    names = result.tests.keys() | standing.marks.keys()
    order = {sheet.grade_id(cell): place for place, cell in enumerate(notebook.cells)}
    for name in sorted(names, key=lambda n: (order.get(n, len(order)), n)):
        exercise = exercises.get(name)
        answer = notebook.cells[exercise.answer_index].source if exercise else None
        cell = exercise.name if exercise else name
        shown.add(cell)
        if answer is None:
            answer = next((c.source for c in notebook.cells if sheet.grade_id(c) == name
                           and sheet.is_answer(c)), "")  # fmt: skip
        parts.append(_part(
            cell, result.tests.get(name), standing.marks.get(name), standing.words.get(cell), answer
        ))  # fmt: skip
    for cell in sorted(standing.words.keys() - shown):  # an answer that no test and no mark is of
        parts.append(_part(cell, None, None, standing.words[cell], ""))
    return _html(f"{result.sheet}: {result.student}", "\n".join(parts))


def notice(sheet_name: str, student: str, sentence: str) -> str:
    """Return a page for a submission that was not judged: a sentence says why not."""
    return _html(
        f"{sheet_name}: {student}", f"<h1>{escape(sheet_name)}</h1>\n<p>{escape(sentence)}</p>"
    )


def _html(title: str, body: str) -> str:
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title>"
        f"<style>{STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
    )


def _score(standing: Standing) -> list[str]:
    """Return the final score, and how it came about where that is not plain."""
    waiting = any(m.waits and m.manual is None for m in standing.marks.values())
    lines = [
        f"<p>{escape(standing.student)}: <strong>{standing.score:g} of {standing.max_score:g} "
        "points</strong>" + (", and written answers still to be read" if waiting else "") + ".</p>"
    ]
    if standing.penalty:
        lines.append(
            f"<p>{standing.raw:g} points, less {standing.penalty:g} for handing in "
            f"{_span(standing.seconds_late)} late.</p>"
        )
    return lines


def _span(seconds: float) -> str:
    """Return a time in the two largest units that it fills."""
    rest = max(1, round(seconds / 60))
    found = []
    for unit, minutes in (("d", 24 * 60), ("h", 60), ("min", 1)):
        if rest >= minutes:
            found.append(f"{rest // minutes} {unit}")
            rest %= minutes
    return " ".join(found[:2])


def _part(
    name: str, test: TestResult | None, mark: Mark | None, words: str | None, answer: str
) -> str:
    lines = [f"<h2>{escape(name)} {_badge(test, mark)}</h2>"]
    if test is not None and test.message:
        lines.append(f"<pre>{escape(test.message)}</pre>")
    if words:
        lines.append(f'<p class="words">{escape(words)}</p>')
    if answer.strip():
        lines.append(
            f"<details><summary>your answer</summary><pre>{escape(answer)}</pre></details>"
        )
    return "\n".join(lines)


def _badge(test: TestResult | None, mark: Mark | None) -> str:
    """Return the state and the points that count; a person's points come before a test's."""
    if mark is None and test is None:
        return ""
    state = test.state if test is not None else "manual"
    word = WORDS[state]
    if mark is None:
        return f'<span class="state {state}">{word}</span>'
    if mark.manual is not None:
        read = f"{WORDS['manual']}: " if state == "manual" else f"{word}, set by a person: "
        text = f"{read}{mark.manual:g} of {mark.most:g}"
    elif mark.auto is None:
        text = f"to be read by a person, of {mark.most:g}"
    else:
        text = f"{word} {mark.auto:g} of {mark.most:g}"
    if mark.extra and not (mark.manual is None and mark.auto is None):
        text += f", {mark.extra:+g} extra"
    return f'<span class="state {state}">{escape(text)}</span>'
