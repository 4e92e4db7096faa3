"""Which objects that were made before a cell may change, found from its text; nothing is run.

A cell is followed statement by statement. Of each name is known which names, as they were when the
cell began, its object may be or hold (``held``), and which it was computed from (``from_``):
``opt = SGD([w])`` holds w, ``loss = f(w)`` comes from it. What changes an object changes what it
may be or hold; ``backward`` and code that is not known change all that it may come from. Known are
the calls in the lists below. Whatever is not known is taken to change all that it can reach, so an
error here keeps a cell that nobody needs.

Two things are taken for granted of given cells: what only shows (SHOWING) changes nothing, and the
state of random generators that nobody named is nobody's input.
"""

import ast
import builtins
import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from course.authoring import names

NOBODY: frozenset[str] = frozenset()
MOST_STEPS = 100_000  # statements and expressions that are read of one notebook; sheets take 3,000
ARGUMENT = "<argument>"  # stands for the arguments of a function while its body is read

# Modules whose functions show something; their figures are nobody's input.
SHOWING = ("helpers.plots", "helpers.demos", "IPython.display", "matplotlib", "seaborn")
# Modules whose functions change no argument, but for those named below.
KNOWN = ("torch", "numpy", "math", "scipy", "helpers.data", "helpers.quadrature", "collections",
         "copy", "itertools", "functools", "operator", "statistics")  # fmt: skip
CHANGING = {
    "backward", "copyto", "fill_diagonal", "grad", "manual_seed", "place", "put", "putmask",
    "seed", "shuffle", "vector_to_parameters",
}  # fmt: skip
# Functions of these modules whose value shares nothing with their arguments.
FRESH = {
    "arange", "cat", "exp", "eye", "full", "linspace", "log", "ones", "ones_like", "rand",
    "randn", "randperm", "sqrt", "stack", "tensor", "trapezoid", "where", "zeros", "zeros_like",
}  # fmt: skip
BUILTINS = {
    "abs", "all", "any", "bool", "complex", "dict", "divmod", "enumerate", "filter", "float",
    "format", "frozenset", "hash", "id", "int", "isinstance", "len", "list", "map", "max",
    "min", "ord", "pow", "print", "range", "repr", "reversed", "round", "set", "slice",
    "sorted", "str", "sum", "tuple", "type", "zip",
}  # fmt: skip
# Builtins whose value shares nothing with what they are given.
NUMBERS = {
    "abs", "all", "any", "bool", "float", "format", "hash", "id", "int", "isinstance", "len",
    "ord", "pow", "print", "range", "repr", "round", "str",
}  # fmt: skip
CONTAINERS = {"dict", "list", "set", "sorted"}  # whose value is new, with the old in it
# Methods that change nothing, and of these the ones whose value shares nothing with their object.
READING = {
    "abs", "all", "any", "argmax", "argmin", "argsort", "bool", "cdf", "clamp", "clone", "copy",
    "cos", "count", "cov", "cpu", "cummax", "cumprod", "cumsum", "det", "detach", "diag",
    "diagonal", "diff", "digamma", "dim", "div", "double", "endswith", "entropy", "eq", "erf",
    "exp", "expand", "expand_as", "expm1", "flatten", "flip", "float", "format", "ge", "get",
    "gt", "icdf", "index", "int", "isfinite", "isinf", "isnan", "isoformat", "item", "items",
    "join", "keys", "kthvalue", "le", "lgamma", "log", "log10", "log1p", "log2", "log_prob",
    "logsumexp", "long", "lower", "lt", "matmul", "max", "maximum", "mean", "median", "min",
    "minimum", "movedim", "mul", "nan_to_num", "ndimension", "nelement", "nonzero", "norm",
    "numel", "numpy", "parameters", "permute", "pow", "prod", "quantile", "ravel", "repeat",
    "replace", "reshape", "round", "rsample", "rsplit", "rstrip", "sample", "sigmoid", "sign",
    "sin", "size", "softmax", "split", "splitlines", "sqrt", "square", "squeeze", "startswith",
    "std", "strip", "sub", "sum", "t", "tan", "tanh", "tile", "to", "tolist", "topk", "trace",
    "transpose", "tril", "triu", "unbind", "unflatten", "unfold", "unique", "unsqueeze",
    "upper", "values", "var", "view", "where", "zfill",
}  # fmt: skip
COPIES = {
    "abs", "all", "any", "argmax", "argmin", "argsort", "cdf", "clone", "cos", "count",
    "cummax", "cumprod", "cumsum", "entropy", "exp", "format", "icdf", "isfinite", "item",
    "join", "log", "log10", "log1p", "log_prob", "logsumexp", "max", "mean", "median", "min",
    "norm", "numel", "pow", "prod", "quantile", "repeat", "rsample", "sample", "sigmoid", "sin",
    "softmax", "sqrt", "square", "std", "sum", "tanh", "tolist", "var",
}  # fmt: skip
PROPERTIES = {
    "T", "base_dist", "component_distribution", "concentration0", "concentration1",
    "covariance_matrix", "data", "device", "dtype", "grad", "imag", "is_leaf", "loc", "mT",
    "mixture_distribution", "ndim", "probs", "rate", "raw", "real", "requires_grad", "scale",
    "shape", "stddev", "variance",
}  # fmt: skip
CUTTING = {"detach", "item", "numpy", "tolist"}
# Methods that change their object and what it holds, and take in their arguments.
TAKING_IN = {
    "add", "append", "clear", "discard", "extend", "insert", "pop", "popitem", "remove",
    "reverse", "setdefault", "sort", "step", "update", "zero_grad",
}  # fmt: skip
# What these give can be read once.
ONE_PASS = {"enumerate", "filter", "iter", "map", "open", "reversed", "zip"}


class TooLong(Exception):
    """Code takes more steps to be read than any sheet."""


@dataclass(frozen=True)
class Thing:
    """What an expression may be: the names, as the cell found them, that it holds and comes from.

    Args:
        held: names of what it may be or hold.
        from_: names of what it may have been computed from.
        shows: whether it is a figure, whose methods draw.
        only_inside: names in ``held`` of what it may hold and cannot be: a new list's elements.
    """

    held: frozenset[str] = NOBODY
    from_: frozenset[str] = NOBODY
    shows: bool = False
    only_inside: frozenset[str] = NOBODY

    def __or__(self, other: "Thing") -> "Thing":
        may_be = self.may_be | other.may_be
        held = self.held | other.held
        shows = self.shows and other.shows
        return Thing(held, self.from_ | other.from_, shows, held - may_be)

    @property
    def may_be(self) -> frozenset[str]:
        """Return the names of the objects that it may be itself."""
        return self.held - self.only_inside

    def inside(self) -> "Thing":
        """Return a new container of it."""
        return Thing(self.held, self.from_, False, self.held)


NOTHING = Thing()
ANY_ARGUMENT = Thing(frozenset([ARGUMENT]), frozenset([ARGUMENT]))


@dataclass
class Effects:
    """What running a cell may do to what was there before.

    Args:
        changed: names whose objects, and all that these hold, may be changed.
        reached: names whose objects may be changed with all that they were computed from.
        differentiated: names through which derivatives are taken, and left behind.
        holds: for each name that the cell leaves, the names that its object may be or hold.
        comes_from: the same for what it was computed from.
    """

    changed: set[str] = field(default_factory=set)
    reached: set[str] = field(default_factory=set)
    differentiated: set[str] = field(default_factory=set)
    holds: dict[str, set[str]] = field(default_factory=dict)
    comes_from: dict[str, set[str]] = field(default_factory=dict)


@dataclass
class Function:
    """What calling a function, or making an instance of a class, may do.

    ``ARGUMENT`` in a set stands for what the call is given.

    Args:
        free: the names that it uses from around it.
        held, from_: what its value may be or hold, and come from.
        changed, reached, differentiated: as in ``Effects``.
    """

    free: set[str] = field(default_factory=set)
    held: set[str] = field(default_factory=set)
    from_: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    reached: set[str] = field(default_factory=set)
    differentiated: set[str] = field(default_factory=set)

    @property
    def quiet(self) -> bool:
        """Return whether calling it changes nothing that was there before."""
        return not (self.changed or self.reached or self.differentiated)


@dataclass
class Surroundings:
    """What is known of a notebook's names.

    Args:
        paths: the module or member that a name was imported from, where it is nothing else.
        functions: what calling does, of names that are always a function or a class made here.
        one_pass: names of what can be read once.
        own_methods: names of methods, of classes made here, that change more than their object.
        constant: names of data through which no derivative can be taken.
    """

    paths: dict[str, str] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)
    one_pass: set[str] = field(default_factory=set)
    own_methods: set[str] = field(default_factory=set)
    constant: set[str] = field(default_factory=set)
    steps: int = 0

    def step(self) -> None:
        """Count what is read.

        Raises:
            TooLong: it is too much.
        """
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise TooLong


def surroundings(trees: Iterable[ast.Module]) -> Surroundings:
    """Return what is known of the names that the cells of a notebook make together."""
    trees = list(trees)
    found = Surroundings()
    imported: dict[str, set[str]] = {}
    bound: dict[str, list[ast.expr | None]] = {}
    definitions: dict[str, list[ast.FunctionDef | ast.ClassDef]] = {}
    marked: set[str] = set()  # x.requires_grad_(), x.requires_grad = …
    for node in (n for tree in trees for n in ast.walk(tree)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                path = alias.name if alias.asname else alias.name.split(".")[0]
                imported.setdefault(alias.asname or path, set()).add(path)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                path = f"{node.module}.{alias.name}"
                imported.setdefault(alias.asname or alias.name, set()).add(path)
        elif isinstance(node, ast.Attribute) and "requires_grad" in node.attr:
            marked |= _names(node.value)
    for tree in trees:
        for statement in tree.body:
            for name, value in _bindings(statement):
                bound.setdefault(name, []).append(value)
            if isinstance(statement, ast.FunctionDef | ast.ClassDef):
                definitions.setdefault(statement.name, []).append(statement)
    for name, paths in imported.items():
        if len(paths) == 1 and name not in bound:
            found.paths[name] = next(iter(paths))
    found.one_pass = {
        name for name, values in bound.items()
        if any(isinstance(v, ast.GeneratorExp) or (isinstance(v, ast.Call)
               and _names(v.func) & ONE_PASS) for v in values)
    }  # fmt: skip
    for name, all_of_it in definitions.items():
        readable = all(
            all(_is_known(d, found) for d in one.decorator_list)
            and (isinstance(one, ast.FunctionDef) or _is_plain(one))
            for one in all_of_it
        )
        if readable and len(bound[name]) == len(all_of_it):  # nothing else is ever called so
            around: set[str] = set().union(*map(_around, all_of_it))
            found.functions[name] = Function(around)
    changed = True
    while changed:  # each is thought quiet until one of its statements says otherwise
        changed = False
        for name in found.functions:
            for definition in definitions[name]:
                changed |= _learn(found.functions[name], definition, found)
    found.constant = _constants(bound, found, marked)
    return found


def _constants(
    bound: Mapping[str, list[ast.expr | None]], known: Surroundings, marked: set[str]
) -> set[str]:
    """Return the names of numbers and tensors through which no derivative can be taken."""
    good = {n for n, values in bound.items() if n not in marked and None not in values}

    def plain(value: ast.expr) -> bool:
        for node in ast.walk(value):
            if isinstance(node, ast.keyword) and node.arg == "requires_grad":
                return False
            if isinstance(node, ast.Call):
                path = _path(node.func, known)
                method = isinstance(node.func, ast.Attribute) and node.func.attr in READING
                name = node.func.id if isinstance(node.func, ast.Name) else ""
                builtin = name in BUILTINS and name not in bound
                if not (builtin or method or (_is_in(path, KNOWN) and ".nn" not in path)):
                    return False
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                mine = node.id in good or node.id in known.paths or node.id not in bound
                if not mine and not isinstance(node.ctx, ast.Store):
                    return False
        return True

    while bad := {n for n in good if not all(plain(v) for v in bound[n] if v is not None)}:
        good -= bad
    return good


def _bindings(statement: ast.stmt) -> list[tuple[str, ast.expr | None]]:
    """Return the names that a top-level statement binds, with the value where it is that alone."""
    if isinstance(statement, ast.Assign):
        found: list[tuple[str, ast.expr | None]] = []
        for target in statement.targets:
            parts = target.elts if isinstance(target, ast.Tuple | ast.List) else [target]
            value = statement.value
            values: list[ast.expr] = [value] * len(parts)
            if isinstance(value, ast.Tuple) and len(value.elts) == len(parts) > 1:
                values = value.elts
            for part, one in zip(parts, values, strict=True):
                found += [(name, one) for name in _stored(part)]
        return found
    if isinstance(statement, ast.AugAssign):
        return [(name, statement.value) for name in _stored(statement.target)]
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [(statement.name, None)]
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return []
    inner = [s for part in ("body", "orelse", "finalbody") for s in getattr(statement, part, [])]
    for handler in getattr(statement, "handlers", []):
        inner += handler.body
    known = [pair for s in inner for pair in _bindings(s)]
    names = {name for name, _ in known}
    return known + [(name, None) for name in _stored(statement) - names]


def effects(tree: ast.Module, known: Surroundings) -> Effects:
    """Return what running a cell may do to what was there before."""
    cell = _Cell(known)
    cell.run(tree.body)
    for name, thing in cell.things.items():
        cell.effects.holds[name] = set(thing.held)
        cell.effects.comes_from[name] = set(thing.from_)
    return cell.effects


def _is_plain(node: ast.ClassDef) -> bool:
    """Return whether making an instance of a class runs its ``__init__`` and no more of it."""
    special = {"__new__", "__init_subclass__", "__set_name__", "__call__", "__del__"}
    inside = all(
        isinstance(s, ast.FunctionDef | ast.Pass) or (isinstance(s, ast.Expr)
        and isinstance(s.value, ast.Constant)) for s in node.body
    )  # fmt: skip
    return inside and not node.decorator_list and not node.keywords and not (
        {s.name for s in node.body if isinstance(s, ast.FunctionDef)} & special
    )  # fmt: skip


def _learn(function: Function, node: ast.FunctionDef | ast.ClassDef, known: Surroundings) -> bool:
    """Add what a function's body may do to what is known of it; return whether that is more."""
    found = _instance(node, known) if isinstance(node, ast.ClassDef) else _body(node, known, {})
    more = False
    for kind in ("held", "from_", "changed", "reached", "differentiated"):
        before: set[str] = getattr(function, kind)
        more |= not getattr(found, kind) <= before
        before |= getattr(found, kind)
    return more


def _instance(node: ast.ClassDef, known: Surroundings) -> Function:
    """Return what making an instance of a class does, and what the instance holds."""
    found = Function()
    for method in (s for s in node.body if isinstance(s, ast.FunctionDef)):
        one = _body(method, known, {}, instance=method.name == "__init__")
        if method.name == "__init__":
            found.changed, found.reached = one.changed, one.reached
            found.differentiated = one.differentiated
            found.held |= one.held
            found.from_ |= one.from_
        else:  # called by whoever has the instance
            beyond = (one.changed | one.reached | one.differentiated) - {ARGUMENT}
            found.held |= beyond
            found.from_ |= beyond
            if one.changed | one.reached:
                known.own_methods.add(method.name)
    return found


def _body(
    node: ast.FunctionDef, known: Surroundings, around: Mapping[str, Thing], instance: bool = False
) -> Function:
    """Return what a function's body may do to its arguments and to what is around it.

    Args:
        node: the function.
        known: what is known of the notebook's names.
        around: what the names of the function that this one is made in stand for.
        instance: whether this is ``__init__``, whose value is its new object.
    """
    cell = _Cell(known)
    cell.things = dict(around)
    arguments = [n.arg for n in ast.walk(node.args) if isinstance(n, ast.arg)]
    first = (node.args.posonlyargs + node.args.args)[:1]
    for argument in arguments:
        cell.things[argument] = ANY_ARGUMENT
    if instance and first:  # a new object, which nobody else holds yet
        cell.things[first[0].arg] = NOTHING
    local = {n.id for s in node.body for n in ast.walk(s)
             if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}  # fmt: skip
    shared = {name for n in ast.walk(node)
              if isinstance(n, ast.Global | ast.Nonlocal) for name in n.names}  # fmt: skip
    cell.local = (local | set(arguments)) - shared
    cell.run(node.body)
    value = cell.things[first[0].arg] if instance and first else cell.returned
    did = cell.effects
    return Function(
        set(_around(node)), set(value.held), set(value.from_), did.changed | shared, did.reached,
        did.differentiated,
    )  # fmt: skip


@functools.lru_cache(maxsize=512)  # by the node itself; given cells are parsed once
def _around(node: ast.AST) -> frozenset[str]:
    """Return the names that a function or a class reads from around it, also from inside."""
    return frozenset(n for n in names.used(ast.unparse(node)) if not hasattr(builtins, n))


class _Cell:
    """The reading of one cell, or of a function's body, from its first statement to its last."""

    def __init__(self, known: Surroundings) -> None:
        self.known = known
        self.things: dict[str, Thing] = {}
        self.functions: dict[str, Function] = {}  # made in a function's body
        self.local: set[str] = set()  # names that are the body's own
        self.returned = NOTHING
        self.effects = Effects()

    # Statements

    def run(self, body: list[ast.stmt]) -> None:
        for statement in body:
            self.statement(statement)

    def statement(self, node: ast.stmt) -> None:
        self.known.step()
        if isinstance(node, ast.Assign):
            value = self.value(node.value)
            for target in node.targets:
                self.bind(target, value, node.value)
        elif isinstance(node, ast.AnnAssign):
            if node.value is not None:
                self.bind(node.target, self.value(node.value), node.value)
        elif isinstance(node, ast.AugAssign):
            value = self.value(node.value)
            before = self.value(_loaded(node.target))
            self.effects.changed |= before.may_be
            self.take_in(node.target, value)
        elif isinstance(node, ast.Expr):
            self.value(node.value)
        elif isinstance(node, ast.Return):
            if node.value is not None:
                self.returned |= self.value(node.value)
        elif isinstance(node, ast.For):
            self.bind_elements(node.target, node.iter)
            self.maybe(node.body, node.body, node.orelse)
        elif isinstance(node, ast.While | ast.If):
            self.value(node.test)
            again = [node.body] if isinstance(node, ast.While) else []
            self.maybe(node.body, *again, node.orelse)
        elif isinstance(node, ast.With):
            for item in node.items:
                value = self.value(item.context_expr)
                if item.optional_vars is not None:
                    self.bind(item.optional_vars, value)
            self.run(node.body)
        elif isinstance(node, ast.Try):
            self.maybe(node.body, node.orelse, *(h.body for h in node.handlers), node.finalbody)
        elif isinstance(node, ast.FunctionDef):
            defaults = [d for d in [*node.args.defaults, *node.args.kw_defaults] if d is not None]
            given = self.all_of(defaults)
            for decorator in node.decorator_list:
                thing = self.value(decorator)
                if not _is_known(decorator, self.known):
                    self.unknown(thing | self.all_found(_around(decorator)) | given)
            self.define(node)
        elif isinstance(node, ast.ClassDef):
            for outer in [*node.bases, *node.decorator_list]:
                self.value(outer)
            if node.name in self.known.functions and node.name not in self.local:
                self.things.pop(node.name, None)
            else:
                self.anything(node)
        elif isinstance(node, ast.Delete):
            for target in node.targets:
                self.effects.changed |= _names(target)
        elif isinstance(node, ast.Assert):
            self.value(node.test)
        elif not isinstance(
            node, ast.Import | ast.ImportFrom | ast.Pass | ast.Break | ast.Continue
        ):
            self.anything(node)

    def define(self, node: ast.FunctionDef) -> None:
        """Remember a function; of one in a function's body, what it does as things stand now."""
        self.things.pop(node.name, None)
        if node.name in self.known.functions and not self.local:
            return
        self.functions[node.name] = _body(node, self.known, self.things)
        self.things[node.name] = self.all_found(_around(node))

    def all_found(self, names_: Iterable[str]) -> Thing:
        """Return what names stand for together."""
        things = [self.things.get(n, self.found(n)) for n in names_ if n != ARGUMENT or self.local]
        return Thing(NOBODY.union(*(t.held for t in things)),
                     NOBODY.union(*(t.from_ for t in things)))  # fmt: skip

    def maybe(self, *bodies: list[ast.stmt]) -> None:
        """Read what may be run or not, one after the other; a loop's body is given twice."""
        for body in bodies:
            before = dict(self.things)
            self.run(body)
            for name in before.keys() | self.things.keys():
                old = before.get(name, self.found(name))
                self.things[name] = self.things.get(name, old) | old

    def bind(self, target: ast.expr, value: Thing, source: ast.expr | None = None) -> None:
        if isinstance(target, ast.Name):
            self.things[target.id] = value
        elif isinstance(target, ast.Tuple | ast.List):
            parts: list[ast.expr | None] = [None] * len(target.elts)
            if isinstance(source, ast.Tuple) and len(source.elts) == len(target.elts):
                parts = list(source.elts)
            whole = Thing(value.held, value.from_, value.shows)
            for inner, part in zip(target.elts, parts, strict=True):
                self.bind(inner, whole if part is None else self.value(part), part)
        elif isinstance(target, ast.Starred):
            self.bind(target.value, value)
        else:  # x.y = …, x[0] = …
            place = self.value(_loaded(target))
            self.effects.changed |= place.may_be
            self.take_in(target, value)

    def bind_elements(self, target: ast.expr, source: ast.expr) -> None:
        """Bind a loop's target, of zip and enumerate part by part."""
        name = source.func.id if isinstance(source, ast.Call) and isinstance(
            source.func, ast.Name) and source.func.id not in self.things else ""  # fmt: skip
        if isinstance(source, ast.Call) and isinstance(target, ast.Tuple):
            if name == "zip" and len(source.args) == len(target.elts):
                for inner, part in zip(target.elts, source.args, strict=True):
                    self.bind_elements(inner, part)
                return
            if name == "enumerate" and len(target.elts) == 2 and source.args:
                self.bind(target.elts[0], NOTHING)
                self.bind_elements(target.elts[1], source.args[0])
                return
        thing = self.value(source)
        self.bind(target, Thing(thing.held, thing.from_, thing.shows))

    def take_in(self, target: ast.expr, value: Thing) -> None:
        """Let the object that a target is part of hold a value from now on."""
        for name in _names(target, roots=True):
            if name not in self.known.paths:
                before = self.things.get(name, self.found(name))
                for place in before.may_be:
                    self.effects.holds.setdefault(place, set()).update(value.held)
                    self.effects.comes_from.setdefault(place, set()).update(value.from_)
                taken = Thing(value.held, value.from_, True, value.held)
                self.things[name] = before | taken

    def anything(self, node: ast.AST) -> Thing:
        """Take what is not known to change all that it can reach, and to be any of it."""
        met = _names(node) - self.known.paths.keys()
        whole = self.all_found(met)
        self.effects.reached |= whole.from_ | whole.held
        for name in met:
            self.things[name] = whole
        return whole

    # Expressions

    def found(self, name: str) -> Thing:
        """Return what a name is that the cell did not make."""
        if name in self.known.paths or hasattr(builtins, name) or name in self.local:
            return NOTHING
        if name in self.known.functions:  # handed on, it may be called with what is there
            inside = self.known.functions[name]
            reach = NOBODY if inside.quiet else frozenset(inside.free | {name})
            return Thing(reach, reach)
        return Thing(frozenset([name]), frozenset([name]))

    def value(self, node: ast.expr) -> Thing:
        self.known.step()
        if isinstance(node, ast.Constant):
            return NOTHING
        if isinstance(node, ast.Name):
            if node.id in self.known.one_pass:
                self.effects.changed.add(node.id)
            return self.things.get(node.id, self.found(node.id))
        if isinstance(node, ast.Attribute | ast.Starred | ast.FormattedValue):
            thing = self.value(node.value)
            return Thing(thing.held, thing.from_, thing.shows)
        if isinstance(node, ast.Subscript):
            index = self.value(node.slice)
            thing = self.value(node.value)
            return Thing(thing.held, thing.from_ | index.from_, thing.shows)  # a part of it
        if isinstance(node, ast.Call):
            return self.call(node)
        if isinstance(node, ast.Lambda):
            return self.all_found(_around(node))
        if isinstance(node, ast.NamedExpr):
            value = self.value(node.value)
            self.bind(node.target, value)
            return value
        if isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
            for loop in node.generators:
                self.bind_elements(loop.target, loop.iter)
                for test in loop.ifs:
                    self.value(test)
            parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
            return self.all_of(parts).inside()
        if isinstance(node, ast.BinOp):
            thing = self.value(node.left) | self.value(node.right)
            joins = isinstance(node.op, ast.Add | ast.BitOr) or _has_container(node)
            return Thing(thing.held if joins else NOBODY, thing.from_)
        if isinstance(node, ast.UnaryOp | ast.Compare | ast.JoinedStr):
            parts = [n for n in ast.iter_child_nodes(node) if isinstance(n, ast.expr)]
            return Thing(NOBODY, self.all_of(parts).from_)
        if isinstance(node, ast.List | ast.Tuple | ast.Set | ast.Dict):
            return self.all_of(
                [n for n in ast.iter_child_nodes(node) if isinstance(n, ast.expr)]
            ).inside()
        if isinstance(node, ast.BoolOp | ast.IfExp | ast.Slice):
            return self.all_of([n for n in ast.iter_child_nodes(node) if isinstance(n, ast.expr)])
        return self.anything(node)

    def all_of(self, nodes: Iterable[ast.expr]) -> Thing:
        things = [self.value(node) for node in nodes]
        whole = things[0] if things else NOTHING
        for thing in things[1:]:
            whole |= thing
        return whole

    def call(self, node: ast.Call) -> Thing:
        given_nodes = [*node.args, *(k.value for k in node.keywords)]
        given = self.all_of(given_nodes)
        given = Thing(given.held, given.from_)
        path = _path(node.func, self.known)
        last = path.rsplit(".", 1)[-1]
        if _is_in(path, SHOWING):
            return Thing(shows=True)
        if any(k.arg in ("out", "inplace") for k in node.keywords):
            self.effects.changed |= given.held
        if path and not _is_in(path, KNOWN):
            return self.unknown(given)
        if _is_in(path, KNOWN):
            if last in CHANGING or last.endswith("_") or last.startswith("set_"):
                self.effects.differentiated |= given.from_
                if last not in ("grad", "backward"):
                    self.effects.changed |= given.held
            self.calls_back(given_nodes, given)
            if path.startswith("torch.optim.") and node.args:  # of rates and momenta it copies
                return self.value(node.args[0])
            if last == "Parameter":  # a new beginning of derivatives
                return Thing(given.held, given.held)
            return Thing(NOBODY if last in FRESH else given.held, given.from_)
        if isinstance(node.func, ast.Name):
            return self.call_of_name(node.func.id, given_nodes, given)
        if isinstance(node.func, ast.Attribute):
            return self.call_of_method(node.func, given_nodes, given)
        return self.unknown(self.value(node.func) | given)

    def call_of_name(self, name: str, nodes: list[ast.expr], given: Thing) -> Thing:
        if (function := self.function(name)) is not None:
            self.calls_back(nodes, given)
            return self.called(function, given)
        if name in BUILTINS and name not in self.things:
            self.calls_back(nodes, given)
            thing = Thing(NOBODY if name in NUMBERS else given.held, given.from_)
            return thing.inside() if name in CONTAINERS else thing
        if name == "display":
            return NOTHING
        return self.unknown(self.things.get(name, self.found(name)) | given)

    def function(self, name: str) -> Function | None:
        """Return what is known of a function by name, unless the name stands for something else."""
        if name in self.functions:
            return self.functions[name]
        return self.known.functions.get(name) if name not in self.things else None

    def called(self, function: Function, given: Thing) -> Thing:
        """Do what a function does with what it is given; return what it may return."""
        for kind in ("changed", "reached", "differentiated"):
            effect: set[str] = getattr(function, kind)
            things = self.all_found(effect - {ARGUMENT})
            if ARGUMENT in effect:
                things = Thing(things.held | given.held, things.from_ | given.from_)
            found: set[str] = getattr(self.effects, kind)
            found |= {"changed": things.held, "reached": things.held | things.from_,
                      "differentiated": things.from_}[kind]  # fmt: skip
        held, from_ = self.all_found(function.held), self.all_found(function.from_)
        return Thing(
            held.held | (given.held if ARGUMENT in function.held else NOBODY),
            from_.from_ | (given.from_ if ARGUMENT in function.from_ else NOBODY),
        )

    def call_of_method(self, func: ast.Attribute, nodes: list[ast.expr], given: Thing) -> Thing:
        thing = self.value(func.value)
        if thing.shows:
            return Thing(shows=True)
        if func.attr in READING and func.attr not in self.known.own_methods:
            self.calls_back(nodes, given)
            held = NOBODY if func.attr in COPIES else thing.held | given.held
            if func.attr in CUTTING:  # no derivative leads back from here
                return Thing(held, held)
            return Thing(held, thing.from_ | given.from_)
        if func.attr == "backward":
            self.effects.differentiated |= thing.from_
            return NOTHING
        if func.attr in TAKING_IN or func.attr.endswith("_"):
            deep = func.attr in ("step", "zero_grad")  # an optimizer's: of what it holds
            self.effects.changed |= thing.held if deep else thing.may_be
            self.calls_back(nodes, given)
            self.take_in(func.value, given)
            return Thing(thing.held | given.held, thing.from_ | given.from_)
        return self.unknown(thing | given)

    def calls_back(self, nodes: list[ast.expr], given: Thing) -> None:
        """Take a function that is handed on to be called, with what is handed on beside it."""
        for node in nodes:
            if isinstance(node, ast.Name) and (function := self.function(node.id)) is not None:
                self.called(function, given)
            elif isinstance(node, ast.Attribute) and not _path(node, self.known):
                if node.attr not in READING | PROPERTIES:  # it may be a method
                    self.unknown(self.value(node) | given)
            elif isinstance(node, ast.Lambda):
                before = dict(self.things)
                for argument in [n for n in ast.walk(node.args) if isinstance(n, ast.arg)]:
                    self.things[argument.arg] = given
                self.value(node.body)
                self.things = before

    def unknown(self, thing: Thing) -> Thing:
        self.effects.reached |= thing.from_ | thing.held
        return Thing(thing.held, thing.from_)


def _is_known(decorator: ast.expr, known: Surroundings) -> bool:
    """Return whether a decorator comes from a module whose functions change nothing."""
    node = decorator.func if isinstance(decorator, ast.Call) else decorator
    return _is_in(_path(node, known), KNOWN)


def _path(node: ast.expr, known: Surroundings) -> str:
    """Return the dotted path of an imported thing, empty where a node is none."""
    if isinstance(node, ast.Name):
        return known.paths.get(node.id, "")
    if isinstance(node, ast.Attribute) and (inner := _path(node.value, known)):
        return f"{inner}.{node.attr}"
    return ""


def _is_in(path: str, modules: tuple[str, ...]) -> bool:
    return any(path == m or path.startswith(f"{m}.") for m in modules)


def _has_container(node: ast.AST) -> bool:
    return any(isinstance(n, ast.List | ast.Tuple | ast.Dict | ast.Set) for n in ast.walk(node))


def _loaded(node: ast.expr) -> ast.expr:
    """Return what an assignment's target is a part of: x of x[0] and x.y, and x itself."""
    return node.value if isinstance(node, ast.Attribute | ast.Subscript) else node


def _names(node: ast.AST, roots: bool = False) -> set[str]:
    """Return the plain names below a node; or only the one that attributes and items are of."""
    while roots and isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
        node = node.value
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def _stored(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node)
            if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}  # fmt: skip
