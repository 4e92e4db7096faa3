"""Does a given cell run that may change an object of before, by whatever way it reaches it?"""

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from course.authoring import needed, touched

# ruff: noqa: E501  (a case stands on one line)
TORCH = "import torch\nfrom helpers import data, plots"
FLAGS = {"grade": False, "solution": True, "grade_id": "answer"}
TEST = {"grade": True, "solution": False, "grade_id": "test", "points": 1}
ANSWER = "def f(x):\n    return x * w"


def run_of(*given, answer=ANSWER):
    """Return which of the given cells run, for an answer that reads w."""
    cells = [new_code_cell(source, id=f"g{i}") for i, source in enumerate(given)]
    cells.append(new_code_cell(answer, metadata={"nbgrader": FLAGS}))
    cells.append(new_code_cell("assert check.f(f)", metadata={"nbgrader": TEST}))
    kept = needed.for_answers(new_notebook(cells=cells))
    return sorted(kept & set(range(len(given))))


@pytest.mark.parametrize(
    ("given", "runs"),
    [
        (["w = [1.0]", "opt = SGD([w])", "opt.step()"], [0, 1, 2]),
        (
            [
                TORCH,
                "w = torch.tensor(1.0, requires_grad=True)",
                "opt = torch.optim.SGD([w])",
                "opt.step()",
            ],
            [0, 1, 2, 3],
        ),
        (["w = [1]", "b = w", "b.append(2)"], [0, 1, 2]),
        (["w = [1]", "b = w\nb.append(2)"], [0, 1]),
        (["w = [1]", "last = w.pop()"], [0, 1]),
        (
            [TORCH, "w = torch.tensor(1.0, requires_grad=True)", "y = w * 2", "y.backward()"],
            [0, 1, 2, 3],
        ),
        (
            [TORCH, "w = torch.tensor(1.0, requires_grad=True)", "(w * 2).sum().backward()"],
            [0, 1, 2],
        ),
        (
            [
                TORCH,
                "w = torch.tensor(1.0, requires_grad=True)",
                "y = w * 2\nz = torch.autograd.grad(y, w)",
            ],
            [0, 1, 2],
        ),
        (["w = [1]", "c = {'a': w}", "c['a'].append(1)"], [0, 1, 2]),
        (["w = [1]", "c = [w]", "for e in c:\n    e.append(1)"], [0, 1, 2]),
        (["w = [1]", "c = [w]", "c.append(1)"], [0, 1, 2]),
        (["w = [1]", "def g():\n    w.append(1)", "g()"], [0, 1, 2]),
        (["w = [1]", "def g():\n    w.append(1)", "x = [g() for _ in range(3)]"], [0, 1, 2]),
        (["w = [1]", "def g(v):\n    u = v\n    u.append(1)", "x = g(w)"], [0, 1, 2]),
        (["w = [1]", "def g(v):\n    return v[0]", "x = g(w)"], [0]),
        (["w = iter([1, 2])", "first = list(w)"], [0, 1]),
        (["w = (i for i in range(3))", "for i in w:\n    print(i)"], [0, 1]),
        (["w = [1]", "x = unknown(w)"], [0, 1]),
        (["w = [1]", "x = w.unknown()"], [0, 1]),
        (["w = [1]", "x = (lambda v: v.append(2))(w)"], [0, 1]),
        (["w = [3, 1]", "x = sorted(w, key=lambda v: w.append(1))"], [0, 1]),
        (["w = [1]", "print(w.pop())"], [0, 1]),
        (["w = [1]", "f'{w.pop()}'"], [0, 1]),
        (["w = [1]", "x = w\nx += [2]"], [0, 1]),
        (["w = [1]", "if w.pop():\n    pass"], [0, 1]),
        (["w = [1]", "with open('x') as file:\n    w.append(1)"], [0, 1]),
        (["w = [1]", "import copy", "x = copy.copy(w)"], [0]),
        (["w = [1]", "x = [v for v in w]\nx.append(1)"], [0]),
        (
            [
                "w = [1]",
                "class C:\n    def __init__(self, v):\n        self.v = v\n    def go(self):\n        self.v.append(1)",
                "c = C(w)",
                "c.go()",
            ],
            [0, 1, 2, 3],
        ),
        (
            ["w = [1]", "class C:\n    def go(self):\n        w.append(1)", "c = C()", "c.go()"],
            [0, 1, 2, 3],
        ),
        ([TORCH, "w = torch.ones(2)", "v = w[:1]", "v[0] = 5"], [0, 1, 2, 3]),
        ([TORCH, "w = torch.ones(2)", "v = w.view(2)\nv.zero_()"], [0, 1, 2]),
        ([TORCH, "w = torch.ones(2)", "v = w + 1\nv.zero_()"], [0, 1, 2]),
        (
            [
                TORCH,
                "w = torch.ones(2)",
                "ax = plots.curves(w)\nax.set(xlabel='x')\nplots.caption(ax)",
            ],
            [0, 1],
        ),
        ([TORCH, "w = torch.ones(2)", "torch.nn.init.zeros_(w)"], [0, 1, 2]),
        ([TORCH, "w = torch.ones(2)", "x = torch.exp(w, out=w)"], [0, 1, 2]),
        ([TORCH, "w = torch.ones(2)", "x = torch.add(w, 1, out=w)"], [0, 1, 2]),
        (["w = [1]", "del w[0]"], [0, 1]),
        (["w = [1]", "try:\n    w.append(1)\nexcept ValueError:\n    pass"], [0, 1]),
        (["w = [1]", "match w:\n    case [x]:\n        w.append(1)"], [0, 1]),
        (["w = [1]", "x = w.append", "x(1)"], [0, 1, 2]),
        (["w = {}", "w.setdefault('a', []).append(1)"], [0, 1]),
        (["w = [1]", "(v := w).append(1)"], [0, 1]),
        (["w = [1]", "setattr(w, 'a', 1)"], [0, 1]),
        (
            ["w = [1]", "def dec(g):\n    w.append(1)\n    return g", "@dec\ndef h():\n    pass"],
            [0, 1, 2],
        ),
        (["w = [1]", "def h(v=w.append(1)):\n    pass"], [0, 1]),
        (
            [
                "w = [1]",
                "def outer():\n    def inner():\n        w.append(1)\n    inner()",
                "outer()",
            ],
            [0, 1, 2],
        ),
        (
            [
                "w = [1]",
                "def outer():\n    def inner():\n        w.append(1)\n    return inner",
                "outer()()",
            ],
            [0, 1, 2],
        ),
        (["w = [1]", "g = [w.append]", "g[0](1)"], [0, 1, 2]),
        (["w = [1]", "def gen():\n    yield w.append(1)", "x = list(gen())"], [0, 1, 2]),
        (["w = [1]", "x = list(map(w.append, [2]))"], [0, 1]),
        (["w = [1]", "x = w.__iadd__([1])"], [0, 1]),
        (["w = [1]", "x = [*w]", "y = list(x)"], [0]),
        (["w = [1]", "class A:\n    x = w.append(1)"], [0, 1]),
        (
            ["w = [1]", "from functools import partial", "p = partial(w.append, 1)", "p()"],
            [0, 1, 2, 3],
        ),
        (
            [
                "w = [1]",
                "from collections import deque",
                "from functools import reduce",
                "r = reduce(lambda a, b: a.append(b) or a, [1], w)",
            ],
            [0, 2, 3],
        ),
        (["w = [1]", "async def g():\n    w.append(1)\nawait_ = g()"], [0, 1]),
        (["w = [1]", "global z\nz = w.pop()"], [0, 1]),
        (["w = [1]", "import numpy as np", "np.random.shuffle(w)"], [0, 1, 2]),
        (
            [TORCH, "w = torch.ones(2)", "def g(v):\n    v.mul_(2)", "out = torch.vmap(g)(w)"],
            [0, 1, 2, 3],
        ),
        (["w = [1]", "x = 1 if w.append(2) else 3"], [0, 1]),
        (["w = [1]", "k = {w.append(1): 2 for _ in range(2)}"], [0, 1]),
        (["w = [1]", "print(f'{w.append(1)!r:>{w.pop()}}')"], [0, 1]),
        (["w = [1]", "print(end=w.append(2))"], [0, 1]),
        (["w = [1]", "plots.show(w.pop())"], [0, 1]),
        ([TORCH, "w = [1]", "plots.show(w.pop())"], [0, 1, 2]),
        ([TORCH, "w = [1]", "x = data.flips(w.pop(), 2)"], [0, 1, 2]),
        (["w = [1]", "assert w.pop()"], [0, 1]),
        (["w = [1]", "while w.pop():\n    break"], [0, 1]),
        (["w = [1]", "x: int = w.pop()"], [0, 1]),
        (["w = [1]", "raise ValueError(w.pop())"], [0, 1]),
        (["w = [1]", "a = b = w\nb.append(1)"], [0, 1]),
        (["w = [1]", "a, b = 1, w\nb.append(1)"], [0, 1]),
        (["w = [1]", "(a, b) = (w, 2)\na.append(1)"], [0, 1]),
        (["w = [[1]]", "for a in w:\n    for b in w:\n        a.append(1)"], [0, 1]),
        (["w = [[1]]", "x = w[0]", "y = x", "y.append(1)"], [0, 1, 2, 3]),
        (
            ["w = [1]", "def g(a):\n    def h():\n        a.append(1)\n    return h", "g(w)()"],
            [0, 1, 2],
        ),
        (
            [
                "w = [1]",
                "def g(a, b=[]):\n    b.append(a)\n    return b",
                "k = g(w)",
                "k[0].append(1)",
            ],
            [0, 1, 2, 3],
        ),
        (["w = [1]", "class K:\n    pass", "k = K()\nk.w = w", "k.w.append(2)"], [0, 1, 2, 3]),
    ],
)
def test_do_the_cells_run_that_may_change_what_an_answer_reads(given, runs):
    assert run_of(*given) == runs


@pytest.mark.parametrize(
    ("answer", "runs"),
    [
        ("mine = w\nf = abs", [0, 1]),
        ("mine = [w]\nf = abs", [0, 1]),
        ("def f(x):\n    w.append(1)", [0, 1]),
        ("f = None", []),
    ],
)
def test_does_a_given_cell_run_that_changes_what_a_student_uses(answer, runs):
    assert run_of("w = [1]", "w.append(2)", answer=answer) == runs


def test_is_a_function_of_the_students_that_changes_something_called_as_at_the_desk():
    given = ("w = [1]", "shown = f(3)")
    assert run_of(*given, answer="def f(x):\n    w.append(1)\n    return w") == [0, 1]
    assert run_of(*given, answer="def f(x):\n    return w[0] * x") == [0]


def test_does_code_that_nests_deeply_run_all_cells():
    deep = "".join("    " * i + "while x:\n" for i in range(19)) + "    " * 19 + "x = 1"
    assert run_of("w = 1", "other = 2", answer=f"f = abs\n{deep}") == [0, 1]
    known = touched.Surroundings(steps=touched.MOST_STEPS)
    with pytest.raises(touched.TooLong):
        known.step()
