"""Submissions that are odd files: what a student's folder may hold instead of an honest notebook.

Each function takes the folder ``submitted/STUDENT`` and fills it; its docstring is the idea. The
states that it may end in stand beside it in FILES, in the words of the Markdown files.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path

from support.classes import NAME, solved
from support.project import PROJECT

REFUSED = "rest: refused"
PASSED = "rest: passed"


def notebook() -> dict:
    """Return the right notebook, to be changed."""
    return json.loads(solved())


def write(folder: Path, content: bytes | str | dict, name: str = f"{NAME}.ipynb") -> Path:
    """Write content as the student's notebook."""
    if isinstance(content, dict):
        content = json.dumps(content)
    path = folder / NAME / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def with_cell(**cell: object) -> dict:
    """Return the right notebook with one more cell at its top."""
    content = notebook()
    content["cells"].insert(0, {"cell_type": "code", "metadata": {}, "outputs": [],
                                "execution_count": None, "id": "more", **cell})  # fmt: skip
    return content


def unsolved() -> dict:
    """Return the released notebook with nothing in the place of every answer."""
    content = json.loads((PROJECT / "release" / NAME / f"{NAME}.ipynb").read_text())
    for cell in content["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("solution"):
            cell["source"] = "pass"
    return content


def no_json(folder: Path) -> None:
    """Bytes that are no text."""
    write(folder, bytes(range(256)) * 100)


def other_encoding(folder: Path) -> None:
    """A right notebook in UTF-16."""
    write(folder, solved().decode().encode("utf-16"))


def byte_order_mark(folder: Path) -> None:
    """A right notebook as some editors save it: nothing is wrong with it."""
    write(folder, b"\xef\xbb\xbf" + solved())


def empty_file(folder: Path) -> None:
    """Nothing at all."""
    write(folder, b"")


def json_but_no_notebook(folder: Path) -> None:
    """A list, where a notebook is an object."""
    write(folder, "[1, 2, 3]")


def deep_json(folder: Path) -> None:
    """Lists in lists, a hundred thousand deep."""
    write(folder, "[" * 100_000)


def deep_metadata(folder: Path) -> None:
    """Metadata of ten thousand levels."""
    text = json.dumps(notebook())
    write(folder, text.replace('"metadata": {', '"metadata": {"a":' + '{"a":' * 10_000 + "1"
                               + "}" * 10_000 + ", ", 1))  # fmt: skip


def deep_but_readable_metadata(folder: Path) -> None:
    """Metadata of nine hundred levels, which can just be read."""
    content = notebook()
    deep: dict = {}
    for _ in range(900):
        deep = {"a": deep}
    content["metadata"]["a"] = deep
    content["cells"][16]["metadata"]["a"] = deep
    write(folder, json.dumps(content))


def large_file(folder: Path) -> None:
    """Twenty-five megabytes of output."""
    content = notebook()
    content["cells"][2]["outputs"] = [
        {"output_type": "stream", "name": "stdout", "text": "x" * 25_000_000}
    ]
    write(folder, content)


def wide_json(folder: Path) -> None:
    """Six million empty lists in place of outputs."""
    write(folder, '{"nbformat": 4, "cells": [], "metadata": {"a": [' + "[]," * 6_000_000 + "1]}}")


def many_cells(folder: Path) -> None:
    """Fifty thousand cells more."""
    content = notebook()
    more = [{"cell_type": "code", "source": f"n = {n}", "metadata": {}} for n in range(50_000)]
    content["cells"] = content["cells"][:3] + more + content["cells"][3:]
    write(folder, content)


def long_cell(folder: Path) -> None:
    """A cell of ten megabytes of text."""
    write(folder, with_cell(source="x = [\n" + "1, 2, 3,\n" * 1_100_000 + "]"))


def deep_markdown(folder: Path) -> None:
    """Quotations in quotations, which break a renderer's stack, and brackets that slow it down."""
    content = with_cell(cell_type="markdown", source="> " * 3_000 + "x")
    for piece in ("[" * 5_000, "*a " * 5_000, "`" * 5_000, "- " * 1_000, "![" * 3_000, "|" * 5_000,
                  "<!--" * 2_000, "$" * 5_001, "&" * 5_000, "[a]: " * 2_000,
                  "\\" * 5_000):  # fmt: skip
        content["cells"].insert(0, {"cell_type": "markdown", "metadata": {}, "source": piece})
    write(folder, content)


def script_in_text(folder: Path) -> None:
    """A script in a text cell and in the written answer, for whoever opens the feedback."""
    script = "<script>fetch('/REACHED')</script><img src=x onerror=\"fetch('/REACHED')\">"
    content = with_cell(cell_type="markdown", source=script)
    for cell in content["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == "piling_up":
            cell["source"] = script
    write(folder, content)


def deep_python(folder: Path) -> None:
    """Code that breaks parsers: brackets, signs and attributes by the thousand, and a NUL."""
    content = notebook()
    pieces = ["(" * 10_000, "-" * 50_000 + "1", "x" + ".y" * 50_000, "x" + " + x" * 50_000, "\x00",
              "f'{" * 500, "lambda: " * 20_000, "[" * 90 + "]" * 90, "9" * 100_000, "\ud800",
              "if 1:\n" + "".join(" " * n + "if 1:\n" for n in range(1, 200))]  # fmt: skip
    for piece in pieces:
        content["cells"].insert(3, {"cell_type": "code", "metadata": {}, "source": piece})
    write(folder, content)


def other_version(folder: Path) -> None:
    """A notebook of format 3, empty but for one cell that is none."""
    write(folder, {"nbformat": 3, "worksheets": [{"cells": [{"cell_type": "code", "input": {}}]}]})


def future_version(folder: Path) -> None:
    """A right notebook that says it is of format 99."""
    write(folder, {**notebook(), "nbformat": 99, "nbformat_minor": -1})


def cells_of_no_kind(folder: Path) -> None:
    """Cells that are numbers, lists and nothing, between right ones."""
    content = notebook()
    for thing in (None, 3, "x", [], {}, {"source": 3}, {"source": [1, "x", None], "metadata": []}):
        content["cells"].insert(4, thing)
    write(folder, content)


def forged_outputs(folder: Path) -> None:
    """Unsolved, with the outputs, points and flags of a right notebook."""
    content = unsolved()
    for cell in content["cells"]:
        flags = cell["metadata"].get("nbgrader", {})
        if flags.get("grade"):
            flags.update(points=1000, locked=False, solution=False)
            cell["execution_count"] = 1
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "✓ all passed"}]
    content["metadata"].update(score=1000, kernelspec={"name": "course-cage", "language": "python"})
    write(folder, content)


def tests_deleted(folder: Path) -> None:
    """Unsolved, and no test cell is left."""
    content = unsolved()
    content["cells"] = [
        c for c in content["cells"] if not c["metadata"].get("nbgrader", {}).get("grade")
    ]
    write(folder, content)


def tests_rewritten(folder: Path) -> None:
    """Unsolved, and every test cell is content."""
    content = unsolved()
    for cell in content["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id", "").startswith("test_"):
            cell["source"] = "print('✓')"
    write(folder, content)


def tests_duplicated(folder: Path) -> None:
    """Every graded cell twice, the second one as text, which stops a class in stock nbgrader."""
    content = notebook()
    for cell in list(content["cells"]):
        if cell["metadata"].get("nbgrader"):
            twin = {**cell, "cell_type": "markdown" if cell["cell_type"] == "code" else "code",
                    "id": cell["id"] + "b"}  # fmt: skip
            content["cells"].append(twin)
    write(folder, content)


def cells_renamed(folder: Path) -> None:
    """Unsolved answers that call themselves test cells, and tests that call themselves answers."""
    content = unsolved()
    for cell in content["cells"]:
        flags = cell["metadata"].get("nbgrader", {})
        if "grade_id" in flags:
            name = flags["grade_id"]
            flags["grade_id"] = name[5:] if name.startswith("test_") else f"test_{name}"
    write(folder, content)


def skip_execution(folder: Path) -> None:
    """Unsolved, and every cell is tagged to be left out."""
    content = unsolved()
    for cell in content["cells"]:
        cell["metadata"]["tags"] = ["skip-execution", "raises-exception", "remove_cell"]
    write(folder, content)


def ids_that_collide(folder: Path) -> None:
    """All added cells have one id, the one that the engine gives to the first of them."""
    content = notebook()
    for number in range(5):
        content["cells"].insert(3, {"cell_type": "code", "metadata": {}, "id": "added-0",
                                    "source": f"n = {number}"})  # fmt: skip
    write(folder, content)


def id_of_a_test(folder: Path) -> None:
    """Unsolved; a cell that the student added has the id and grade_id of a test cell."""
    content = unsolved()
    for cell in list(content["cells"]):
        if cell["metadata"].get("nbgrader", {}).get("grade"):
            content["cells"].insert(3, {**cell, "source": "print('✓')"})
            content["cells"].remove(cell)
    write(folder, content)


def linked_file(folder: Path) -> None:
    """The notebook is a link to the source, solutions and all."""
    (folder / NAME).mkdir(parents=True)
    source = folder.parent.parent / "source" / NAME / f"{NAME}.ipynb"
    (folder / NAME / f"{NAME}.ipynb").symlink_to(source)


def linked_folder(folder: Path) -> None:
    """The sheet's folder is a link to a neighbour's."""
    folder.mkdir()
    (folder / NAME).symlink_to(folder.parent / "honest-1" / NAME)


def linked_student(folder: Path) -> None:
    """The student's folder is a link to a neighbour's."""
    folder.symlink_to(folder.parent / "honest-1")


def link_to_itself(folder: Path) -> None:
    """A link that leads to itself."""
    (folder / NAME).mkdir(parents=True)
    (folder / NAME / f"{NAME}.ipynb").symlink_to(f"{NAME}.ipynb")


def pipe(folder: Path) -> None:
    """A pipe: who opens it waits for ever."""
    (folder / NAME).mkdir(parents=True)
    os.mkfifo(folder / NAME / f"{NAME}.ipynb")


def folder_for_a_file(folder: Path) -> None:
    """A folder in the place of the notebook."""
    (folder / NAME / f"{NAME}.ipynb" / "deeper").mkdir(parents=True)


def file_for_a_folder(folder: Path) -> None:
    """A file in the place of the sheet's folder."""
    folder.mkdir()
    (folder / NAME).write_text("x")


def other_name(folder: Path) -> None:
    """A right notebook under another name, among a thousand others."""
    write(folder, solved(), "mine.ipynb")
    for number in range(1000):
        write(folder, b"", f"{number:04d} " + "n" * 200 + ".ipynb")


def names_of_bytes(folder: Path) -> None:
    """File names that are no text, beside and in place of the notebook."""
    write(folder, solved(), "mine.ipynb")
    for where in (folder, folder / NAME):
        (where / os.fsdecode(b"\xff\xfe\x1b[2J\n.ipynb")).write_bytes(b"x")


def modules_beside(folder: Path) -> None:
    """A right notebook with modules, settings and a package beside it, named like real ones."""
    write(folder, solved())
    for name in ("torch.py", "helpers.py", "sitecustomize.py", "nbgrader_config.py", "conftest.py",
                 ".nbgrader.log", "jupyter_config.py", "result.json", ".graded-from"):  # fmt: skip
        write(folder, "raise RuntimeError('REACHED')", name)


def false_timestamp(folder: Path) -> None:
    """A time of handing in that is no time."""
    write(folder, solved())
    write(folder, "-9999999-99-99 99:99:99 +99:99 \x00\ud7ff " + "9" * 5000, "timestamp.txt")


def linked_timestamp(folder: Path) -> None:
    """The time of handing in is a link to the gradebook's secrets."""
    write(folder, solved())
    secret = folder.parent.parent / ".course-secret"
    (folder / NAME / "timestamp.txt").symlink_to(secret)


def large_timestamp(folder: Path) -> None:
    """The time of handing in takes two gigabytes, none of them on disk."""
    write(folder, solved())
    with write(folder, b"", "timestamp.txt").open("wb") as file:
        file.truncate(2 << 30)


FILES: list[tuple[Callable[[Path], None], str]] = [
    (no_json, REFUSED),
    (other_encoding, REFUSED),
    (byte_order_mark, PASSED),
    (empty_file, REFUSED),
    (json_but_no_notebook, REFUSED),
    (deep_json, REFUSED),
    (deep_metadata, REFUSED),
    (deep_but_readable_metadata, PASSED),
    (large_file, REFUSED),
    (wide_json, "rest: missing"),
    (many_cells, REFUSED),
    (long_cell, REFUSED),
    (deep_markdown, PASSED),
    (script_in_text, PASSED),
    (deep_python, PASSED),
    (other_version, "rest: missing | refused"),
    (future_version, PASSED),
    (cells_of_no_kind, PASSED),
    (forged_outputs, "rest: missing"),
    (tests_deleted, "rest: missing"),
    (tests_rewritten, "rest: missing"),
    (tests_duplicated, PASSED),
    (cells_renamed, "rest: missing"),
    (skip_execution, "rest: missing"),
    (ids_that_collide, PASSED),
    (id_of_a_test, "rest: missing"),
    (linked_file, REFUSED),
    (linked_folder, REFUSED),
    (linked_student, REFUSED),
    (link_to_itself, REFUSED),
    (pipe, REFUSED),
    (folder_for_a_file, REFUSED),
    (file_for_a_folder, REFUSED),
    (other_name, REFUSED),
    (names_of_bytes, REFUSED),
    (modules_beside, PASSED),
    (false_timestamp, PASSED),
    (linked_timestamp, PASSED),
    (large_timestamp, PASSED),
]
