"""What a student gets to read: one page a submission, with no test's text in it.

nbgrader's own feedback, the whole notebook with a person's comments, is made by ``nbgrader
generate_feedback --force`` at any time, in the place of this page.
"""

from html import escape

from nbformat import NotebookNode

from course.authoring import sheet
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
@media (prefers-color-scheme: dark) { body { background: #1b1b1b; color: #ddd }
  pre { background: #2a2a2a } .passed { color: #9fe0c9; background: #12392d }
  .failed, .crashed, .timeout, .refused { color: #ffc3a6; background: #4a1f0c }
  .missing, .manual { color: #ccc; background: #333 } }
"""


def page(result: Result, notebook: NotebookNode) -> str:
    """Return the feedback on a submission as HTML.

    Args:
        result: what became of each test cell.
        notebook: the graded notebook, for the student's own answers.
    """
    answers = {e.test: notebook.cells[e.answer_index].source for e in sheet.exercises(notebook)}
    written = {sheet.grade_id(c): c.source for c in notebook.cells if sheet.is_manual(c)}
    names = {e.test: e.name for e in sheet.exercises(notebook)}
    parts = [
        f"<h1>{escape(result.sheet)}</h1>",
        f"<p>{escape(result.student)}: {result.score:g} of {result.max_score:g} points"
        + (", and written answers still to be read" if _waiting(result) else "")
        + ".</p>",
    ]
    for name, test in result.tests.items():
        answer = answers.get(name, written.get(name, ""))
        parts.append(_part(names.get(name, name), test, answer))
    body = "\n".join(parts)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width">'
        f"<title>{escape(result.sheet)}: {escape(result.student)}</title>"
        f"<style>{STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
    )


def _waiting(result: Result) -> bool:
    return any(test.state == "manual" for test in result.tests.values())


def _part(name: str, test: TestResult, answer: str) -> str:
    points = "" if test.state == "manual" else f" {test.points:g} of {test.max_points:g}"
    badge = f'<span class="state {test.state}">{WORDS[test.state]}{points}</span>'
    lines = [f"<h2>{escape(name)} {badge}</h2>"]
    if test.message:
        lines.append(f"<pre>{escape(test.message)}</pre>")
    if answer.strip():
        lines.append(
            f"<details><summary>your answer</summary><pre>{escape(answer)}</pre></details>"
        )
    return "\n".join(lines)
