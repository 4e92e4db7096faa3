"""Which names a cell uses, makes and changes, and so which given cells lead to an answer."""

import ast
import builtins
import symtable
from collections.abc import Iterable

from nbformat import NotebookNode

# Code that uses one of these may look at any name.
LOOKING_AROUND = {
    "__builtins__", "__import__", "__main__", "builtins", "dir", "eval", "exec", "gc",
    "get_ipython", "globals", "importlib", "inspect", "locals", "sys", "vars",
}  # fmt: skip
SHOWING = {"demos", "display", "plots", "print"}  # they change nothing
UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)


def readable(source: str) -> bool:
    """Return whether a cell is Python."""
    try:
        symtable.symtable(source, "<cell>", "exec")
    except UNREADABLE:
        return False
    return True


def free(source: str) -> set[str]:
    """Return the names that a cell uses and neither makes nor finds among Python's builtins."""
    return {name for name in _referenced(source) - made(source) if not hasattr(builtins, name)}


def made(source: str) -> set[str]:
    """Return the names that a cell makes at its top level: by def, class, import or assignment."""
    table = symtable.symtable(source, "<cell>", "exec")
    return {s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported()}


def used(source: str) -> set[str]:
    """Return the names that a cell may need from above it.

    A name that the cell itself makes is among them, unless a statement before has made it.
    """
    return _used(ast.parse(source).body, set())


def _used(body: list[ast.stmt], so_far: set[str]) -> set[str]:
    """Return the names that statements need, where some are made; ``so_far`` takes what they make.

    What a loop or a branch makes holds inside it only, since it may not be run.
    """
    found: set[str] = set()
    for statement in body:
        if isinstance(statement, ast.For | ast.While | ast.If | ast.With):
            heads = [statement.iter] if isinstance(statement, ast.For) else []
            heads += [statement.test] if isinstance(statement, ast.While | ast.If) else []
            inside = so_far if isinstance(statement, ast.With) else set(so_far)
            if isinstance(statement, ast.For):
                inside |= _identifiers(statement.target)
            if isinstance(statement, ast.With):
                heads += [item.context_expr for item in statement.items]
            found |= set().union(*(_referenced(ast.unparse(head)) for head in heads)) - so_far
            found |= _used(statement.body, inside)
            found |= _used(getattr(statement, "orelse", []), set(so_far))
            continue
        text = ast.unparse(statement)
        found |= (_referenced(text) | _added_to(statement)) - so_far
        if isinstance(statement, ast.Assign | ast.AnnAssign | ast.Import | ast.ImportFrom |
                      ast.FunctionDef | ast.ClassDef):  # fmt: skip
            so_far |= made(text)
    return found


def changed(source: str) -> set[str]:
    """Return the names whose objects a cell may change.

    That is ``x.grad = …`` and ``x[0] += …``, and what stands alone: ``x.backward()``, ``step(x)``.
    """
    parts: list[ast.AST] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign):
            parts += [t for t in node.targets if not isinstance(t, ast.Name)]
        elif isinstance(node, ast.AugAssign):
            parts.append(node.target)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            call = node.value
            if not _identifiers(call.func) & SHOWING:
                parts.append(call if isinstance(call.func, ast.Name) else call.func)
    return set().union(*(_identifiers(part) for part in parts))


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
        The places of the cells kept; all of them where an answer or a root is no Python, or
        may look at any name.
    """
    needed: set[str] = set()

    for source in [*answers, *(cells[i].source for i in roots)]:
        if not readable(source) or _mentioned(source) & LOOKING_AROUND:
            return roots | optional
        needed |= used(source)
    kept = set(roots)
    for index in sorted(optional, reverse=True):
        source = cells[index].source
        if (made(source) | changed(source)) & needed:
            kept.add(index)
            needed |= used(source)
    return kept


def _mentioned(source: str) -> set[str]:
    """Return every name in a cell, and the modules that it imports, by their first word."""
    tree = ast.parse(source)
    found = _identifiers(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


def _referenced(source: str) -> set[str]:
    """Return the names that code reads from the notebook, from its functions too."""
    table = symtable.symtable(source, "<cell>", "exec")
    found: set[str] = set()
    tables = [table]
    while tables:
        current = tables.pop()
        tables.extend(current.get_children())
        for symbol in current.get_symbols():
            if symbol.is_referenced() and (current is table or symbol.is_global()):
                found.add(symbol.get_name())
    return found


def _added_to(statement: ast.AST) -> set[str]:
    """Return the names that ``x += …`` reads, which Python's own table counts as made only."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return set()  # its own names
    nodes = [n.target for n in ast.walk(statement) if isinstance(n, ast.AugAssign)]
    return set().union(*(_identifiers(n) for n in nodes))


def _identifiers(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
