"""What no student may find in a bundle: the lines of solutions, model answers and hidden tests."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from course.authoring import rules, sheet
from course.errors import CourseError
from course.proving import bank

SHORTEST = 25  # characters: shorter lines are Python's own words, «return torch.stack(path)»


def lines(root: Path) -> dict[str, str]:
    """Return the lines of all answers that are right, and the sheet that each is of.

    Those of the sheets' solutions, of model answers, of hidden tests, and of the bank's right
    answers; without what the sheets themselves show, in a given cell or a stub.

    Args:
        root: the project's folder.
    """
    found: dict[str, str] = {}
    shown: set[str] = set()
    for path in sorted((root / "course" / "sheets").glob("*.md")):
        text = sheet.load(path)
        for cell in text.cells:
            given = _given(cell)
            shown |= _long(given)
            found |= dict.fromkeys(_long(cell.source) - _long(given), path.stem)
        answers = root / "course" / "answers" / path.name
        if answers.exists():
            for one in bank.load(answers, text):
                if one.kind == "right":
                    found |= dict.fromkeys(_long(one.code), path.stem)
    return {line: name for line, name in found.items() if line not in shown}


def _given(cell: NotebookNode) -> str:
    """Return what a student is given of a cell."""
    if sheet.is_answer(cell):
        return sheet.stub(cell.source) if cell.cell_type == "code" else ""
    return sheet.without_hidden(cell.source)


def _long(text: str) -> set[str]:
    return {line.strip() for line in text.splitlines() if len(line.strip()) >= SHORTEST}


def hold(root: Path, folder: Path, sheets: list[str]) -> None:
    """Hold what a class is to get to this: nothing in it gives an answer away.

    Raises:
        CourseError: naming the file and the line that does.
    """
    for name in sheets:
        source, release = (
            nbformat.read(place / name / f"{name}.ipynb", as_version=4)
            for place in (root / "source", folder / "release")
        )
        rules.of_release(name, source, release)
    known = lines(root)
    for where, text in texts(folder):
        for line in text.splitlines():
            if line.strip() in known:
                raise CourseError(
                    f"{where}: «{line.strip()[:60]}» is a line of an answer to "
                    f"{known[line.strip()]}; a bundle may not hold it. Where it is no secret, show "
                    "it in the sheet."
                )


def texts(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield name and text of each file in a folder, of the members of its wheels as well.

    A notebook is given cell by cell: in the file its lines are within quotes.
    """
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = path.relative_to(folder).as_posix()
        if path.suffix == ".whl":
            with zipfile.ZipFile(path) as wheel:
                for member in wheel.namelist():
                    yield f"{name}: {member}", wheel.read(member).decode("utf-8", "replace")
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        if path.suffix == ".ipynb":
            text = "\n".join(c.source for c in nbformat.reads(text, as_version=4).cells)
        yield name, text
