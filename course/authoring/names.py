"""Which names a cell of Python uses and makes, found from its text; nothing is run."""

import ast
import builtins
import functools
import symtable

# Code that uses one of these may look at any name, or make it.
LOOKING_AROUND = {
    "__builtins__", "__import__", "__main__", "builtins", "dir", "eval", "exec", "gc",
    "get_ipython", "globals", "importlib", "inspect", "locals", "sys", "vars",
}  # fmt: skip
UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)
LONGEST = 50_000  # characters that are read; reading takes more than proportional time


def readable(source: str) -> bool:
    """Return whether a cell is Python that this module can read."""
    try:
        return len(source) <= LONGEST and used(source) is not None
    except UNREADABLE:
        return False


def free(source: str) -> set[str]:
    """Return the names that a cell uses and neither makes nor finds among Python's builtins."""
    return {name for name in _referenced(source) - made(source) if not hasattr(builtins, name)}


@functools.lru_cache(maxsize=512)
def made(source: str) -> frozenset[str]:
    """Return the names that a cell makes at its top level: by def, class, import or assignment."""
    symbols = _table(source).get_symbols()
    return frozenset(s.get_name() for s in symbols if s.is_assigned() or s.is_imported())


@functools.lru_cache(maxsize=512)
def used(source: str) -> frozenset[str]:
    """Return the names that a cell may need from elsewhere.

    A name that the cell itself makes is among them, unless a statement before has made it for sure.
    """
    return frozenset(_used(ast.parse(source).body, set()))


def _used(body: list[ast.stmt], so_far: set[str]) -> set[str]:
    """Return the names that statements need, where some are made; ``so_far`` takes what they make.

    What a loop or a branch makes holds inside it only, since it may not be run. A function's body
    runs later, so what it reads is needed whatever is made before.
    """
    found: set[str] = set()
    for statement in body:
        if isinstance(statement, ast.For | ast.While | ast.If | ast.With):
            heads: list[ast.AST] = [i.context_expr for i in getattr(statement, "items", [])]
            heads += [getattr(statement, part) for part in ("test", "iter")
                      if hasattr(statement, part)]  # fmt: skip
            if isinstance(statement, ast.For):  # for d[k] in … reads d and k
                heads += [n for n in ast.walk(statement.target) if isinstance(n, ast.Subscript)]
            found |= set().union(*(_read(head) for head in heads)) - so_far
            inside = set(so_far)
            if isinstance(statement, ast.For):
                inside |= _plain(statement.target)
            found |= _used(statement.body, inside)
            found |= _used(getattr(statement, "orelse", []), set(so_far))
        elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found |= _read(statement)
            so_far.add(statement.name)
        else:
            found |= _read(statement) - so_far
            found |= _later(statement)
            if isinstance(statement, ast.Assign):
                so_far |= set().union(*(_plain(t) for t in statement.targets))
            elif isinstance(statement, ast.Import | ast.ImportFrom):
                so_far |= {a.asname or a.name.split(".")[0] for a in statement.names}
    return found


@functools.lru_cache(maxsize=512)
def mentioned(source: str) -> frozenset[str]:
    """Return every name in a cell, and the modules that it imports, by their first word."""
    tree = ast.parse(source)
    found = identifiers(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return frozenset(found)


class _AsGenerators(ast.NodeTransformer):
    """Turns comprehensions into generators: from Python 3.12 on these alone have a scope."""

    def _generator(self, node: ast.ListComp | ast.SetComp) -> ast.AST:
        self.generic_visit(node)
        return ast.GeneratorExp(node.elt, node.generators)

    def visit_ListComp(self, node: ast.ListComp) -> ast.AST:
        """Turn a list comprehension."""
        return self._generator(node)

    def visit_SetComp(self, node: ast.SetComp) -> ast.AST:
        """Turn a set comprehension."""
        return self._generator(node)

    def visit_DictComp(self, node: ast.DictComp) -> ast.AST:
        """Turn a dictionary comprehension; keys and values are read alike."""
        self.generic_visit(node)
        return ast.GeneratorExp(ast.Tuple([node.key, node.value], ast.Load()), node.generators)


def _table(source: str) -> symtable.SymbolTable:
    """Return the symbols of a cell, comprehensions with a scope of their own in every Python."""
    tree = ast.parse(source)
    if any(isinstance(n, ast.ListComp | ast.SetComp | ast.DictComp) for n in ast.walk(tree)):
        source = ast.unparse(ast.fix_missing_locations(_AsGenerators().visit(tree)))
    return symtable.symtable(source, "<cell>", "exec")


def _referenced(source: str) -> set[str]:
    """Return the names that code reads from the notebook, from its functions too."""
    table = _table(source)
    found: set[str] = set()
    tables = [table]
    while tables:
        current = tables.pop()
        tables.extend(current.get_children())
        for symbol in current.get_symbols():
            outer = current is table or symbol.is_global() or current.get_type() == "class"
            if symbol.is_referenced() and outer:
                found.add(symbol.get_name())
    return found


def _read(node: ast.AST) -> set[str]:
    """Return the names that a statement or an expression reads, also by ``+=`` and ``del``."""
    found = _referenced(ast.unparse(node))
    shared = {name for n in ast.walk(node) if isinstance(n, ast.Global) for name in n.names}
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        for inner in ast.walk(node):
            if isinstance(inner, ast.AugAssign):
                found |= identifiers(inner.target)
            elif isinstance(inner, ast.Delete):
                found |= identifiers(inner)
    return found | shared


def _later(statement: ast.stmt) -> set[str]:
    """Return what the functions read that a statement makes without def: by lambda."""
    inner = [n for n in ast.walk(statement) if isinstance(n, ast.Lambda)]
    return set().union(*(_referenced(ast.unparse(n)) for n in inner))


def _plain(target: ast.expr) -> set[str]:
    """Return the names that an assignment to a target makes: x, and (x, y), not x[0] or x.y."""
    if isinstance(target, ast.Name):
        return {target.id}
    if isinstance(target, ast.Tuple | ast.List):
        return set().union(*(_plain(part) for part in target.elts))
    return _plain(target.value) if isinstance(target, ast.Starred) else set()


def identifiers(node: ast.AST) -> set[str]:
    """Return every plain name below a node, read or written."""
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
