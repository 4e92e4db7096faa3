"""Small classes of submissions for the tests: sheet 01, its source as the right answer."""

import shutil

import nbformat

from course.authoring import sheet
from support import gradebooks
from support.project import PROJECT, SHEETS

NAME = SHEETS[0]


def copied(root, gradebook=True):
    """Make a course folder of sheet 01, with a gradebook that knows it, unless none is wanted."""
    for part in ("source", "release"):
        shutil.copytree(PROJECT / part / NAME, root / part / NAME)
    if gradebook:
        gradebooks.put_in(root, NAME)
    return root


def hand_in(root, student, content=None, name=NAME):
    folder = root / "submitted" / student / NAME
    folder.mkdir(parents=True)
    if content is not None:
        (folder / f"{name}.ipynb").write_bytes(content)
    return folder


def solved(changes=None):
    """Return the source as a submission, some answers replaced."""
    notebook = nbformat.read(PROJECT / "source" / NAME / f"{NAME}.ipynb", as_version=4)
    for cell in notebook.cells:
        if sheet.grade_id(cell) in (changes or {}):
            cell.source = changes[sheet.grade_id(cell)]
    return nbformat.writes(notebook).encode()


def states(result):
    return {name: test.state for name, test in result.tests.items()}


def graded_files(root):
    """Return what a grading run left for each student: the result without its time."""
    import json

    found = {}
    for path in root.glob("autograded/*/*/result.json"):
        result = json.loads(path.read_text())
        del result["seconds"]
        found[str(path.relative_to(root))] = result
    return found
