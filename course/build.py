"""Builds the sheets: text → source/ (executed) → release/ (without answers).

The build is deterministic: cell ids come from content and place, times and model ids are dropped,
and a figure that looks like the committed one keeps the committed bytes. It is idempotent: a sheet
whose text, helpers and notebooks are what they were at the last build is left alone.
"""

import base64
import hashlib
import io
import json
import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import nbformat
import numpy as np
from nbclient import NotebookClient
from nbformat import NotebookNode
from PIL import Image

from course import rules, sheet, stock
from course.errors import CourseError
from course.grading.judge import judge
from course.grading.outputs import append

KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LONGEST_CELL = 120  # seconds
# Two figures whose pixels differ by less than this on average (of 255) show the same.
SAME_PICTURE = 1.0


def names(root: Path) -> list[str]:
    """Return the names of the sheets of a course, in teaching order."""
    return sorted(path.stem for path in (root / "course" / "sheets").glob("*.md"))


def build(
    root: Path, wanted: list[str], say: Callable[[str], None] = print, force: bool = False
) -> None:
    """Build sheets, those named or all.

    Args:
        root: the project's folder.
        wanted: names of sheets; all of them where empty.
        say: takes a line of progress.
        force: build also what did not change.

    Raises:
        CourseError: an unknown sheet, or one that breaks a rule; what was built before is kept.
    """
    known = names(root)
    for name in wanted:
        if name not in known:
            raise CourseError(f"There is no sheet {name!r}; there are {', '.join(known)}.")
    for name in wanted or known:
        if not force and _is_built(root, name):
            say(f"{name}: nothing changed")
            continue
        start = time.monotonic()
        source = build_source(root, name)
        release = build_release(root, name, source)
        for folder, notebook in (("source", source), ("release", release)):
            write(root / folder / name / f"{name}.ipynb", notebook)
        _stamp_path(root, name).parent.mkdir(parents=True, exist_ok=True)
        _stamp_path(root, name).write_text(stamp(root, name))
        say(f"{name}: built in {time.monotonic() - start:.0f} s")


def build_source(root: Path, name: str) -> NotebookNode:
    """Return the executed source of a sheet, or raise the rule that it breaks."""
    notebook = prepare(name, sheet.read(root / "course" / "sheets" / f"{name}.md"))
    rules.check_text(name, notebook)
    check_stubs(name, notebook)
    seconds = execute(notebook)
    rules.check_run(name, notebook, seconds)
    rules.check_numbers(name, notebook)
    committed = root / "source" / name / f"{name}.ipynb"
    if committed.exists():
        keep_pictures(notebook, nbformat.read(committed, as_version=4))
    return notebook


def prepare(name: str, notebook: NotebookNode) -> NotebookNode:
    """Give a sheet stable ids and metadata, and let Run All go on past an open exercise."""
    notebook.metadata = nbformat.from_dict(
        {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    )
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    seen: Counter[str] = Counter()
    for cell in notebook.cells:
        key = sheet.grade_id(cell) or f"{cell.cell_type}\n{cell.source}"
        seen[key] += 1
        cell.id = hashlib.sha256(f"{name}\n{key}\n{seen[key]}".encode()).hexdigest()[:12]
        if cell.cell_type == "code" and (sheet.is_answer(cell) or sheet.is_test(cell)):
            cell.metadata["tags"] = ["raises-exception"]
    return notebook


def check_stubs(name: str, notebook: NotebookNode) -> None:
    """Check that every unsolved exercise fails its test.

    Raises:
        CourseError: a stub that passes.
    """
    for exercise in sheet.exercises(notebook):
        scope: dict[str, object] = {}
        try:
            exec(sheet.stub(notebook.cells[exercise.answer_index].source), scope)
        except Exception as error:  # a stub may stop: that is what it is for
            scope["__stopped__"] = error
        given = {n: scope[n] for n in exercise.wants if n in scope}
        if judge(notebook.cells[exercise.test_index].source, given).state != "missing":
            at = rules.where(name, notebook, exercise.answer_index)
            raise CourseError(f"{at}: the stub is not told «unsolved»; leave `{sheet.STUB}` in it.")


def execute(notebook: NotebookNode) -> dict[int, float]:
    """Run a notebook in an empty folder on the practice data; return each cell's seconds."""
    env = {k: v for k, v in os.environ.items() if k != "COURSE_DATA_SEED"}
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            notebook,
            timeout=LONGEST_CELL,
            allow_errors=True,
            record_timing=False,
            store_widget_state=False,
            resources={"metadata": {"path": folder}},
            extra_arguments=["--log-level=ERROR"],
        )
        begun: dict[int, float] = {}
        seconds: dict[int, float] = {}
        client.on_cell_execute = lambda cell, cell_index: begun.update(
            {cell_index: time.monotonic()}
        )
        client.on_cell_executed = lambda cell, cell_index, execute_reply: seconds.update(
            {cell_index: time.monotonic() - begun[cell_index]}
        )
        client.execute(env=env)
    notebook.metadata = nbformat.from_dict(
        {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    )
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [_settled(output) for output in _joined(cell.outputs)]
    return seconds


def _joined(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Join neighbouring pieces of one stream, which arrive cut at places that vary."""
    joined: list[NotebookNode] = []
    for output in outputs:
        append(joined, output)
    return joined


def _settled(output: NotebookNode) -> NotebookNode:
    """Drop what differs from run to run: a widget's model id, which a dead kernel made."""
    output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)
    return output


def keep_pictures(notebook: NotebookNode, before: NotebookNode) -> None:
    """Keep the stored bytes of every figure that looks like the one built now.

    Another processor may round the last digit of a coordinate differently, and the picture's bytes
    with it; a reader sees no difference, and neither should ``git diff``.
    """
    old = {cell.id: cell for cell in before.cells if cell.cell_type == "code"}
    for cell in notebook.cells:
        if cell.cell_type != "code" or cell.id not in old:
            continue
        pairs = zip(cell.outputs, old[cell.id].outputs, strict=False)
        for new, stored in pairs:
            a = new.get("data", {}).get("image/png")
            b = stored.get("data", {}).get("image/png")
            if a and b and a != b and same_picture(a, b):
                html = new.data.get("text/html", "")
                new.data["image/png"] = b
                if html:
                    new.data["text/html"] = html.replace(a.strip(), b.strip())


def same_picture(a: str, b: str) -> bool:
    """Return whether two base64 PNGs have the same size and, on average, nearly the same pixels."""
    first, second = (
        np.asarray(Image.open(io.BytesIO(base64.b64decode(x))).convert("RGB"), dtype=np.float64)
        for x in (a, b)
    )
    return first.shape == second.shape and bool(np.abs(first - second).mean() < SAME_PICTURE)


def build_release(root: Path, name: str, source: NotebookNode) -> NotebookNode:
    """Return the release of a sheet, made by nbgrader's own generator from its source."""
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        shutil.copy(root / "nbgrader_config.py", scratch)
        write(scratch / "source" / name / f"{name}.ipynb", source)
        stock.generate(scratch, name, "release")
        release = nbformat.read(scratch / "release" / name / f"{name}.ipynb", as_version=4)
    rules.check_release(name, source, release)
    return release


def write(path: Path, notebook: NotebookNode) -> None:
    """Write a notebook whole or not at all, and not when the file holds it already."""
    text = json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_suffix(".tmp")
    scratch.write_text(text, encoding="utf-8")
    scratch.replace(path)


def stamp(root: Path, name: str) -> str:
    """Return a hash of everything that a built sheet depends on, and of the built sheet itself."""
    inputs = [
        root / "course" / "sheets" / f"{name}.md",
        *sorted((root / "helpers").rglob("*.py")),
        *sorted((root / "course").rglob("*.py")),
        root / "nbgrader_config.py",
        root / "requirements.lock",
        root / "source" / name / f"{name}.ipynb",
        root / "release" / name / f"{name}.ipynb",
    ]
    digest = hashlib.sha256()
    for path in inputs:
        digest.update(str(path.relative_to(root)).encode())
        digest.update(path.read_bytes() if path.exists() else b"missing")
    return digest.hexdigest()


def _is_built(root: Path, name: str) -> bool:
    path = _stamp_path(root, name)
    return path.exists() and path.read_text() == stamp(root, name)


def _stamp_path(root: Path, name: str) -> Path:
    return root / ".cache" / "build" / name
