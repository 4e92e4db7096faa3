"""Which given cells an answer needs: those that make or change a name which it uses.

Where this errs, it keeps a cell that nobody needs. Of a student's code nothing is taken for
granted; given cells are held to it by a test that runs each sheet in full and in part.
"""

import ast
from collections.abc import Iterable

from nbformat import NotebookNode

from course.authoring import names, sheet


def for_answers(notebook: NotebookNode) -> set[int]:
    """Return the code cells that have to run for the answers.

    A student's own cells run, and the given ones that make or change a name which those use. A
    given cell that only shows something changes no answer, nor does one below the last test.
    """
    code = [i for i, c in enumerate(notebook.cells) if c.cell_type == "code"]
    tests = {i for i in code if sheet.is_test(notebook.cells[i])}
    above = {i for i in code if i < max(tests, default=-1)} - tests
    roots = {
        i
        for i in above
        if sheet.flags(notebook.cells[i]) or notebook.cells[i].id.startswith(sheet.ADDED)
    }
    asked = [notebook.cells[i].source for i in tests]
    return leading_to(asked, notebook.cells, roots, above - roots)


def leading_to(
    answers: Iterable[str], cells: list[NotebookNode], roots: set[int], optional: set[int]
) -> set[int]:
    """Return the cells that make or change a name that an answer, or another such cell, uses.

    Args:
        answers: code that uses what the cells make.
        cells: a notebook's cells.
        roots: places of cells that are kept, whatever they are.
        optional: places of cells, all Python, that are kept where they lead to an answer or a root.

    Returns:
        The places of the cells kept; all of them where an answer or a root is no Python, is too
        long to be read, or may look at any name.
    """
    everything = roots | optional
    sources = [*answers, *(cells[i].source for i in roots)]
    if sum(map(len, sources)) > names.LONGEST:
        return everything
    try:
        needed = set().union(*map(names.used, sources))
        if set().union(*map(names.mentioned, sources)) & names.LOOKING_AROUND:
            return everything
    except names.UNREADABLE:
        return everything
    kept = roots | {i for i in optional if _for_all(cells[i].source)}
    left = optional - kept
    needed |= set().union(*(names.used(cells[i].source) for i in kept - roots))
    gives = {i: names.made(cells[i].source) | names.changed(cells[i].source) for i in left}
    while more := {i for i in left if gives[i] & needed}:
        kept |= more
        left -= more
        needed |= set().union(*(names.used(cells[i].source) for i in more))
    return kept


def _for_all(source: str) -> bool:
    """Return whether a given cell does what no name shows: seeds, defaults, names from text."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            return True
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            called = node.value.func
            name = called.attr if isinstance(called, ast.Attribute) else ""
            if name.startswith("set_") or name.endswith("seed"):
                return True
    return bool(names.identifiers(tree) & names.LOOKING_AROUND)
