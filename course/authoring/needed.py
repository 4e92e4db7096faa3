"""Which given cells an answer needs: those that make or change what it uses.

A given cell is left out only where it provably shows something, or makes names that nobody reads,
and changes no object that was made before (``touched.py``). Where this errs, it keeps a cell that
nobody needs. `course check` runs a sheet in full and in part, and sees what every given cell
changes (`course/proving/partial.py`); a test does so with all sheets.
"""

import ast
import functools
from collections import defaultdict
from collections.abc import Iterable

from nbformat import NotebookNode

from course.authoring import names, sheet, touched


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
        needed: set[str] = set().union(*map(names.used, sources))
        if set().union(*map(names.mentioned, sources)) & names.LOOKING_AROUND:
            return everything
    except names.UNREADABLE:
        return everything
    imported = set().union(*(_imported(cells[i].source) for i in everything))
    kept = roots | {i for i in optional if _for_all(cells[i].source, imported)}
    left = optional - kept
    needed |= set().union(*(names.used(cells[i].source) for i in kept - roots))
    try:
        may_give = gives(cells, everything)
    except (touched.TooLong, RecursionError):
        return everything
    while more := {i for i in left if may_give[i] & needed}:
        kept |= more
        left -= more
        needed |= set().union(*(names.used(cells[i].source) for i in more))
    return kept


def gives(cells: list[NotebookNode], places: set[int]) -> dict[int, set[str]]:
    """Return the names that each cell makes, or whose objects it may change.

    What one cell changes is changed for every name, in all cells, that stands for it or holds it.
    """
    trees = {i: _parsed(cells[i].source) for i in sorted(places)}
    known = touched.surroundings(trees.values())
    effects = {i: touched.effects(tree, known) for i, tree in trees.items()}
    holds: dict[str, set[str]] = defaultdict(set)  # both ways: what is held is the same object
    comes_from: dict[str, set[str]] = defaultdict(set)  # one way: back to what it was made of
    for one in effects.values():
        for name, others in one.holds.items():
            for other in others - {name}:
                holds[name].add(other)
                holds[other].add(name)
        for name, others in one.comes_from.items():
            comes_from[name] |= others - {name}
    back = {name: holds.get(name, set()) | comes_from.get(name, set())
            for name in holds.keys() | comes_from.keys()}  # fmt: skip
    return {
        i: set(names.made(cells[i].source))
        | _closed(one.changed, holds)
        | _closed(one.reached, back)
        | (_closed(one.differentiated, back) - known.constant)
        for i, one in effects.items()
    }


@functools.lru_cache(maxsize=128)  # given cells are the same in every submission
def _parsed(source: str) -> ast.Module:
    return ast.parse(source)


def _closed(names_: set[str], links: dict[str, set[str]]) -> set[str]:
    """Return names and all that links lead to from them."""
    found, new = set(names_), set(names_)
    while new:
        new = set().union(*(links.get(name, set()) for name in new)) - found
        found |= new
    return found


def _imported(source: str) -> set[str]:
    """Return the names that a cell's imports make."""
    return {
        (alias.asname or alias.name).split(".")[0]
        for node in ast.walk(_parsed(source))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }


def _for_all(source: str, imported: set[str]) -> bool:
    """Return whether a given cell does what no name shows: seeds, defaults, names from text.

    Seeds and defaults are set by what is imported: ``torch.manual_seed(1)``. A method of an object
    that the sheet made, such as ``ax.set_xlabel("x")``, changes that object.
    """
    tree = _parsed(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            return True
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            called = node.value.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            sets = name.startswith("set_") or name.endswith("seed")
            if sets and names.identifiers(called) & imported:
                return True
    return bool(names.identifiers(tree) & names.LOOKING_AROUND)
