"""Makes what the pages of this project show of the project itself: `make pages`.

    python docs/pages.py                 docs/images/class.svg, autograded/README.md, the imports
    python docs/pages.py imports FOLDER  print the imports of a checkout, such as an older commit's

What takes long has commands of its own: `make margins`, `make bench`, and tests/support/attacks.
A second call changes nothing; the tests find a page that was not made again.
"""

import contextlib
import io
import json
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
CLASS = PROJECT / "docs" / "images" / "class.svg"
EXAMPLE = PROJECT / "autograded" / "README.md"
ARCHITECTURE = PROJECT / "docs" / "architecture.md"

# The class in the picture: a part of the one that tests/proving/test_simulate.py grades anyway.
STUDENTS, SEED, SHEETS = 8, 1, ("01-autodiff", "03-sgd")
WIDTH = 122  # columns of the picture
# The answer in the example: the bank's first one to this exercise with this wrong turn.
EXERCISE, WRONG_TURN = "derivative", "gradient summed"


# --- the picture of a class --------------------------------------------------------------------


def class_picture(root: Path) -> str:
    """Return the table that `course grade` prints as an SVG picture.

    Args:
        root: course folder of the simulated class, graded; other sheets are left out.
    """
    from rich.console import Console

    from course.term import report

    console = Console(
        record=True, file=io.StringIO(), width=WIDTH, force_terminal=True, color_system="truecolor"
    )
    report.show(root, report.graded(root, list(SHEETS)), console)
    drawn = console.export_svg(title="course grade", unique_id="class")
    # The font comes from the reader's machine: a picture that asks another host may show nothing.
    drawn = re.sub(r"\s*@font-face \{.*?\}", "", drawn, flags=re.DOTALL)
    return drawn.replace("Fira Code", "DejaVu Sans Mono, Menlo, Consolas")


@contextlib.contextmanager
def simulated() -> Iterator[Path]:
    """Simulate the class of the picture and grade it; yield its course folder."""
    from course.grading import grade
    from course.proving import simulate

    def quiet(_: str) -> None:
        """Say nothing."""

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "class"
        simulate.simulate(PROJECT, root, STUDENTS, SEED, list(SHEETS), quiet)
        grade.grade_class(root, [], [], no_cage=not caged(), say=quiet)
        yield root


def caged() -> bool:
    """Return whether cages work here; what is shown is the same without one."""
    from course.grading.cage import command

    return not command.works()


# --- one graded exercise -----------------------------------------------------------------------

EXAMPLE_PAGE = """# What grading leaves here

`course grade` writes a folder for every submission, `autograded/STUDENT/SHEET/`:

| file | what it is |
|---|---|
| `result.json` | state, points and message of every test: what to read, by eye or by program |
| `SHEET.ipynb` | the notebook that ran, with the verdicts: what `nbgrader formgrader` shows |
| `timestamp.txt` | when it was handed in, where that is known |

These folders belong to a running course and are not committed; this page is. The student's own page
lies in `feedback/STUDENT/SHEET/`. [docs/grading.md](../docs/grading.md) explains every state.

## One exercise, graded

Ada answered the first exercise of sheet {sheet} with

```python
{answer}
```

It {title}. Her `result.json` says, among other things,

```json
{excerpt}
```

Left out are `cage`, which says what held her code, `seconds`, and her other tests. The message, as
she reads it:

```text
{message}
```

This page is made by `make pages`, which grades this answer; do not write it by hand.
"""


def example_page() -> str:
    """Grade one wrong answer of the bank, and return the page that shows its result."""
    import nbformat

    from course.authoring import sheet
    from course.grading.job import Job
    from course.grading.submission import grade_submission
    from course.proving import bank

    name = SHEETS[0]
    source, release = (
        (PROJECT / part / name / f"{name}.ipynb").read_text(encoding="utf-8")
        for part in ("source", "release")
    )
    submission = nbformat.reads(release, as_version=4)
    answers = bank.load(PROJECT / "course" / "answers" / f"{name}.md", submission)
    answer = next(a for a in answers if (a.exercise, a.wrong_turn) == (EXERCISE, WRONG_TURN))
    exercise = next(e for e in sheet.exercises(submission) if e.name == EXERCISE)
    submission.cells[exercise.answer_index].source = answer.code
    handed_in = nbformat.writes(submission).encode()
    job = Job("ada", name, handed_in, source, release, data_seed=SEED, caged=caged())
    content = json.loads(grade_submission(job).result.text())
    shown = {key: content[key] for key in ("student", "sheet", "score", "max_score")}
    shown["tests"] = {exercise.test: content["tests"][exercise.test]}
    return EXAMPLE_PAGE.format(
        sheet=name,
        answer=answer.code.strip(),
        title=answer.title,
        excerpt=json.dumps(shown, indent=1, ensure_ascii=False),
        message=shown["tests"][exercise.test]["message"],
    )


# --- who imports whom --------------------------------------------------------------------------


def imports(folder: Path) -> str:
    """Return who imports whom in a checkout, in whole packages, as lines of text.

    Args:
        folder: a checkout, whose course/ and helpers/ are read; no code of it is run.

    Returns:
        A line a package or module, what imports others above what is imported.
    """
    import grimp

    sys.path.insert(0, str(folder))
    try:
        graph = grimp.build_graph("course", "helpers", cache_dir=None)
    finally:
        sys.path.remove(str(folder))
    found: dict[str, set[str]] = {_part(module): set() for module in graph.modules}
    for module in graph.modules:
        there = graph.find_modules_directly_imported_by(module)
        found[_part(module)] |= {_part(imported) for imported in there} - {_part(module)}
    for root in ("course", "helpers"):  # a root that only says what the package is
        if not found[root] and not any(root in row for row in found.values()):
            del found[root]
    order = _from_the_top(found)
    wide = max(map(len, order))
    lines = []
    for name in order:
        row = ", ".join(other for other in order if other in found[name])
        lines.append(f"{name:{wide}}  →  {row or 'nothing of the project'}")
    return "\n".join(lines)


def _part(module: str) -> str:
    return ".".join(module.split(".")[:2])


def _from_the_top(row: dict[str, set[str]]) -> list[str]:
    """Return names so that each stands above what it imports, as far as there is no cycle."""
    height: dict[str, int] = {}

    def of(name: str, above: tuple[str, ...] = ()) -> int:
        if name not in height:
            below = [of(n, (*above, name)) for n in row[name] if n not in (*above, name)]
            height[name] = 1 + max(below, default=0)
        return height[name]

    return sorted(row, key=lambda name: (-of(name), name))


# --- all of it ---------------------------------------------------------------------------------


def marked(page: str, name: str, content: str) -> str:
    """Return a page with what stands between a block's marks replaced."""
    begin, end = f"<!-- made: {name} -->", f"<!-- end: {name} -->"
    head, rest = page.split(begin)
    _, tail = rest.split(end)
    return f"{head}{begin}\n\n```text\n{content}\n```\n\n{end}{tail}"


def main(words: list[str]) -> None:
    """Make every page, or print the imports of a checkout."""
    if words[:1] == ["imports"]:
        print(imports(Path(words[1]).resolve() if words[1:] else PROJECT))
        return
    page = ARCHITECTURE.read_text(encoding="utf-8")
    ARCHITECTURE.write_text(marked(page, "imports", imports(PROJECT)), encoding="utf-8")
    EXAMPLE.write_text(example_page(), encoding="utf-8")
    with simulated() as root:
        CLASS.write_text(class_picture(root), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
