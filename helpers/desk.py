"""A student's own desk: copies of the released sheets, opened in JupyterLab.

python -m helpers.desk [--folder desk] [--release release] [options for jupyter lab]

Run again at any time: a sheet that is new is copied, one that was corrected is merged with what the
student wrote, and what the student wrote is never written over.
"""

import argparse
import json
import os
import re
import shutil
import sys
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any

RELEASE = Path(__file__).parent.parent / "release"
# Of nbgrader's buttons and menus a student needs Validate only; the others want a course folder.
SETTINGS = Path(__file__).parent / "jupyter"
HIDDEN = ("helpers", "torch", "numpy", "matplotlib", "scipy", "seaborn", "math", "random", "code")
GIVEN = ".given"  # in a desk: the sheets as they were given, to see what a student changed in them
# What an open exercise holds, where it is not known how it was given.
STUBS = ("raise NotImplementedError", "*Write your answer here.*")

Cell = dict[str, Any]
Notebook = dict[str, Any]


def lay_out(release: Path, desk: Path) -> list[str]:
    """Copy every released sheet that the desk does not hold; merge those that were corrected.

    Args:
        release: folder of released sheets, release/SHEET/SHEET.ipynb.
        desk: the student's folder.

    Returns:
        One line for each sheet on what was done.
    """
    said = []
    for path in sorted(release.glob("*/*.ipynb")):
        own, given = desk / path.relative_to(release), desk / GIVEN / path.relative_to(release)
        if not own.exists():
            _copy(path, own)
            said.append(f"{own}: a fresh copy")
        elif given.exists() and given.read_bytes() == path.read_bytes():
            said.append(f"{own}: yours, left as it is")
            continue
        else:
            said.append(_corrected(path, own, given))
        _copy(path, given)
    return said


def merged(new: Notebook, own: Notebook, old: Notebook | None) -> tuple[Notebook, list[str]]:
    """Return a corrected sheet with everything in it that the student wrote.

    Answers stand in their cells; a student's own cells stand where they stood; a given cell that
    was corrected and that the student had changed stays as well, as a cell of their own.

    Args:
        new: the corrected sheet.
        own: the student's.
        old: the sheet as the student got it; without it, given cells count as unchanged.

    Returns:
        The merged sheet, and the names of the exercises that were put in other words while the
        student had answered them.
    """
    there = {cell["id"]: cell for cell in new["cells"]}
    places = {_name(cell): cell["id"] for cell in new["cells"] if _is_answer(cell)}
    was = {cell["id"]: cell for cell in old["cells"]} if old else None
    answers: dict[str, Cell] = {}
    for cell in own["cells"]:  # of a doubled one the first, or the one that was given
        name = _name(cell) if _is_answer(cell) else ""
        if name in places and (name not in answers or cell.get("id") == places[name]):
            answers[name] = cell
    as_it_is: dict[str, Cell] = {}  # given cells that were not corrected, as the student has them
    extra: dict[str, list[Cell]] = {}  # a student's own cells, by the cell above them
    above = ""
    for cell in own["cells"]:
        key = str(cell.get("id", ""))
        if any(cell is answer for answer in answers.values()):
            above = places[_name(cell)]
        elif key in there:
            above = key
            before = was.get(key, cell) if was else cell
            if _text(there[key]) == _text(before) and not _is_locked(there[key]):
                as_it_is[key] = cell
            elif _is_of_the_student(cell, was):
                extra.setdefault(above, []).append(_as_added(cell, there))
        elif _is_of_the_student(cell, was):
            extra.setdefault(above, []).append(_as_added(cell, there))
    cells = list(extra.get("", []))
    in_other_words: list[str] = []
    for cell in new["cells"]:
        answer = answers.get(_name(cell)) if _is_answer(cell) else None
        if answer is not None and _is_of_the_student(answer, was):
            stub = next((c for c in old["cells"] if _is_same(c, cell)), None) if old else None
            if stub is not None and _text(stub) != _text(cell):
                in_other_words.append(_name(cell))
            taken = ("source", "outputs", "execution_count")
            cells.append(cell | {key: answer[key] for key in taken if key in answer})
        else:
            cells.append(as_it_is.get(cell["id"], cell))
        cells += extra.get(cell["id"], [])
    metadata = {**own.get("metadata", {}), **new.get("metadata", {})}
    return {**new, "metadata": metadata, "cells": cells}, in_other_words


def _is_of_the_student(cell: Cell, was: dict[str, Cell] | None) -> bool:
    """Return whether a cell of a student's sheet holds what the student wrote.

    Args:
        cell: the cell.
        was: the cells that the student was given, by id; None where that is not known.
    """
    if not _text(cell).strip() or _is_locked(cell):
        return False
    if was is None:
        is_given = re.fullmatch("[0-9a-f]{12}", str(cell.get("id", "")))  # ids of the build
        return not any(s in _text(cell) for s in STUBS) if _is_answer(cell) else not is_given
    if _is_answer(cell):
        given = [_text(c) for c in was.values() if _is_same(c, cell)]
    else:
        given = [_text(was[cell["id"]])] if cell.get("id") in was else []
    return _text(cell) not in given


def in_the_way(desk: Path) -> list[str]:
    """Return a line for each file on a desk that hides a package which the sheets import.

    Python looks beside the notebook first.
    """
    found = [p for name in HIDDEN for p in (*desk.glob(f"*/{name}.py"), *desk.glob(f"*/{name}"))]
    return [f"{path}: hides the package {path.stem} from the sheet beside it; rename it"
            for path in sorted(found)]  # fmt: skip


def main(arguments: list[str] | None = None) -> None:
    """Lay out the desk and open JupyterLab on it."""
    parser = argparse.ArgumentParser(prog="python -m helpers.desk", description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("desk"))
    parser.add_argument("--release", type=Path, default=None, help="folder of the released sheets")
    parser.add_argument("--no-lab", action="store_true", help="lay out the sheets and no more")
    chosen, rest = parser.parse_known_args(arguments)
    # With the course's files beside it, as students get them; else in a clone of the project.
    here = [chosen.release] if chosen.release else [Path("release"), RELEASE]
    release = next((r for r in here if any(r.glob("*/*.ipynb"))), None)
    if release is None:
        sys.exit(
            f"{here[0].resolve()} holds no sheets; run this in the folder of the course, where "
            "release/ is."
        )
    print("\n".join([*lay_out(release, chosen.folder), *in_the_way(chosen.folder)]))
    if chosen.no_lab:
        return
    others = os.environ.get("JUPYTER_CONFIG_PATH", "")
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(filter(None, [str(SETTINGS), others]))
    from jupyterlab.labapp import main as lab

    lab([f"--notebook-dir={chosen.folder.resolve()}", *rest])


def _corrected(path: Path, own: Path, given: Path) -> str:
    """Merge a corrected sheet into the student's copy; return what was done, in words."""
    sheet = path.parent.name
    try:
        mine = json.loads(own.read_text(encoding="utf-8"))
        old = json.loads(given.read_text(encoding="utf-8")) if given.exists() else None
        new = json.loads(path.read_text(encoding="utf-8"))
        made, in_other_words = merged(new, mine, old)
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        beside = own.with_name(f"{sheet}-corrected.ipynb")
        _copy(path, beside)
        return f"{own}: no notebook that can be merged, left as it is; corrected: {beside.name}"
    more = "".join(f"; the task of {name} has new words, see release/" for name in in_other_words)
    if _texts(made) == _texts(mine):
        return f"{own}: yours, left as it is{more}"
    before = own.with_name(f"{sheet}-before-{datetime.now():%Y-%m-%d-%H%M%S}.ipynb")
    _copy(own, before)
    scratch = own.with_name(f".{own.name}.tmp")
    scratch.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    scratch.replace(own)
    return (
        f"{own}: {sheet} was corrected, and your answers are in it; as you had it: "
        f"{before.name}{more}"
    )


def _copy(path: Path, to: Path) -> None:
    """Copy a file whole or not at all."""
    to.parent.mkdir(parents=True, exist_ok=True)
    scratch = to.with_name(f".{to.name}.tmp")
    shutil.copyfile(path, scratch)
    scratch.replace(to)


def _flags(cell: Cell) -> dict[str, Any]:
    return dict(cell.get("metadata", {}).get("nbgrader") or {})


def _name(cell: Cell) -> str:
    return str(_flags(cell).get("grade_id", ""))


def _is_answer(cell: Cell) -> bool:
    return bool(_flags(cell).get("solution"))


def _is_locked(cell: Cell) -> bool:
    """Return whether nobody writes here: a test cell."""
    return bool(_flags(cell).get("grade")) and not _is_answer(cell)


def _text(cell: Cell) -> str:
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)


def _texts(notebook: Notebook) -> list[tuple[str, str]]:
    return [(cell["cell_type"], _text(cell)) for cell in notebook["cells"]]


def _is_same(one: Cell, other: Cell) -> bool:
    return _is_answer(one) and _name(one) == _name(other)


def _as_added(cell: Cell, there: dict[str, Cell]) -> Cell:
    """Return a cell as one that no sheet gave: nbgrader takes it for an added one."""
    metadata = {k: v for k, v in cell.get("metadata", {}).items() if k != "nbgrader"}
    own = {**cell, "metadata": metadata}
    if own.get("id") in there or "id" not in own:
        own["id"] = uuid.uuid4().hex
    return own


if __name__ == "__main__":
    main()
