"""Small edits of a program's text: one operator, constant, name or statement changed.

Two users: a check tries the edits of a right formula on its cases, to name an answer that is one
slip away (:mod:`helpers.check.kit.slips`); `make mutants` tries them on right answers, to see
whether a check refuses what is no right answer any more.
"""

import ast
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

OPERATORS: dict[type, type] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult,
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
}  # fmt: skip
SIGNS: dict[type, str] = {ast.Add: "+", ast.Sub: "−", ast.Mult: "×", ast.Div: "/", ast.Pow: "power"}
NAMES = {
    "sum": "mean", "mean": "sum", "max": "min", "min": "max", "argmax": "argmin",
    "argmin": "argmax", "log": "log2", "exp": "expm1", "sample": "rsample", "rsample": "sample",
    "std": "var", "var": "std", "abs": "neg", "sqrt": "square", "zeros": "ones", "ones": "zeros",
    "cumsum": "cumprod", "cumprod": "cumsum", "randn": "rand", "softplus": "relu",
}  # fmt: skip


@dataclass(frozen=True)
class Edited:
    """A program with one small edit.

    Args:
        what: what was done, in a few words.
        was: the expression or statement that was changed, as text.
        now: what stands in its place.
        code: the whole text.
    """

    what: str
    was: str
    now: str
    code: str


@dataclass(frozen=True)
class _Edit:
    what: str
    was: ast.AST  # the expression that is changed
    now: ast.AST  # what shows the edit afterwards; often the same node
    do: Callable[[], None]


def edited(code: str) -> list[Edited]:
    """Return every edit of a program that changes its text, none of them twice."""
    plain = ast.unparse(ast.parse(code))
    count = sum(1 for _ in _edits(ast.parse(code)))
    found: dict[str, Edited] = {}
    for number in range(count):
        tree = ast.parse(code)
        edit = next(e for i, e in enumerate(_edits(tree)) if i == number)
        was = ast.unparse(edit.was)
        edit.do()
        with contextlib.suppress(Exception):
            new = ast.unparse(ast.fix_missing_locations(tree))
            if new != plain:
                found.setdefault(new, Edited(edit.what, was, ast.unparse(edit.now), new))
    return list(found.values())


def _edits(tree: ast.AST) -> Iterator[_Edit]:
    """Yield the small edits of a tree; each changes the tree in place when it is done."""
    parameters = [a.arg for f in ast.walk(tree) if isinstance(f, ast.FunctionDef)
                  for a in f.args.args]  # fmt: skip
    for node in ast.walk(tree):
        for what, do in _of_expression(node, parameters):
            yield _Edit(what, node, node, do)
        yield from _left_out(node)
        for field in ("body", "orelse"):
            statements = getattr(node, field, None)
            if isinstance(statements, list) and len(statements) > 1:
                for place, statement in enumerate(statements):
                    if isinstance(statement, ast.Assign | ast.AugAssign | ast.Expr):
                        do = _setter(statements, place, ast.Pass())
                        yield _Edit("line left out", statement, ast.Pass(), do)
                    if in_place := _in_place(statement):
                        do = _setter(statements, place, in_place)
                        yield _Edit("in place", statement, in_place, do)


def _of_expression(
    node: ast.AST, parameters: list[str]
) -> Iterator[tuple[str, Callable[[], None]]]:
    if isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in OPERATORS:
        other = OPERATORS[type(node.op)]
        yield f"{SIGNS[other]} for {SIGNS[type(node.op)]}", _attribute(node, "op", other())
    if isinstance(node, ast.Compare) and type(node.ops[0]) in OPERATORS:
        yield "comparison", _setter(node.ops, 0, OPERATORS[type(node.ops[0])]())
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield "minus dropped", _attribute(node, "op", ast.UAdd())
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield "flag", _attribute(node, "value", not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        changed = {node.value + 1, -node.value, 2 * node.value, node.value / 2} - {node.value}
        for number in sorted(changed):
            yield f"{number} for {node.value}", _attribute(node, "value", number)
    if isinstance(node, ast.Attribute) and node.attr in NAMES:
        yield f"{NAMES[node.attr]} for {node.attr}", _attribute(node, "attr", NAMES[node.attr])
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in parameters:
        for name in parameters:
            if name != node.id:
                yield f"{name} for {node.id}", _attribute(node, "id", name)
    if isinstance(node, ast.Call):
        if len(node.args) == 2:
            yield "arguments exchanged", _attribute(node, "args", node.args[::-1])
        for place in range(len(node.keywords)):
            kept = node.keywords[:place] + node.keywords[place + 1 :]
            yield f"{node.keywords[place].arg} dropped", _attribute(node, "keywords", kept)
        if isinstance(node.func, ast.Name) and node.func.id == "range":
            fewer = ast.BinOp(node.args[-1], ast.Sub(), ast.Constant(1))
            yield "one round fewer", _setter(node.args, len(node.args) - 1, fewer)


def _left_out(parent: ast.AST) -> Iterator[_Edit]:
    """Yield the edits that leave out an operand, or a function around its argument."""
    for field, value in ast.iter_fields(parent):
        for place, child in enumerate(value) if isinstance(value, list) else [(-1, value)]:
            for kept in _parts(child):
                left_out = _attribute(parent, field, kept)
                if place >= 0:
                    left_out = _setter(value, place, kept)
                yield _Edit("left out", child, kept, left_out)


def _parts(child: Any) -> list[ast.expr]:
    if isinstance(child, ast.BinOp) and isinstance(child.op, ast.Add | ast.Mult):
        return [child.left, child.right]
    if isinstance(child, ast.BinOp) and isinstance(child.op, ast.Sub | ast.Div | ast.Pow):
        return [child.left]
    if isinstance(child, ast.Call) and len(child.args) == 1 and not child.keywords:
        return [child.args[0]]
    if isinstance(child, ast.Call) and not child.args and isinstance(child.func, ast.Attribute):
        return [child.func.value]
    return []


def _in_place(statement: ast.stmt) -> ast.stmt | None:
    """Return ``x -= y`` for ``x = x - y``, else None."""
    if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.BinOp):
        (target, *_), left = statement.targets, statement.value.left
        if isinstance(target, ast.Name) and isinstance(left, ast.Name) and target.id == left.id:
            return ast.AugAssign(target, statement.value.op, statement.value.right)
    return None


def _setter(where: list[Any], place: int, what: Any) -> Callable[[], None]:
    return lambda: where.__setitem__(place, what)


def _attribute(node: ast.AST, name: str, what: Any) -> Callable[[], None]:
    return lambda: setattr(node, name, what)
