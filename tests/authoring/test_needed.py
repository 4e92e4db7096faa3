"""Are the cells found that an answer builds on, and no others left out of a run?"""

import contextlib
import copy
import io
import time

import matplotlib.pyplot as plt
import pytest
import torch
from nbformat.v4 import new_code_cell, new_notebook
from support import executed
from support.project import PROJECT, SHEETS

from course.authoring import names, needed, sheet
from helpers import data

FLAGS = {"grade": False, "solution": True, "grade_id": "answer"}
TEST = {"grade": True, "solution": False, "grade_id": "test", "points": 1}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("y = x + 1", {"x"}),
        ("x = x + 1", {"x"}),
        ("x = 1\ny = x", set()),
        ("y = x\nx = 1", {"x"}),
        ("x += 1", {"x"}),
        ("x[0] += i", {"x", "i"}),
        ("def f(x):\n    total = 0\n    total += x\n    return total + z", {"z"}),
        ("for i in range(3):\n    loss = i\n    print(loss)", {"range", "print"}),
        ("for i in a:\n    pass\nprint(i)", {"a", "print", "i"}),
        ("if a:\n    x = 1\nprint(x)", {"a", "print", "x"}),
        ("while go:\n    print(x)\n    x = 1", {"go", "print", "x"}),
        ("with a() as b:\n    x = 1\ny = x", {"a", "x"}),
        ("class C:\n    rate = rate", {"rate"}),
        ("def f():\n    global calls\n    calls += 1", {"calls"}),
        ("del losses", {"losses"}),
        ("rate: float\ny = rate", {"rate", "float"}),
        ("for d[k] in a:\n    pass", {"d", "k", "a"}),
        ("n = 5\ndef f():\n    return n", {"n"}),
        ("n = 5\nf = lambda x: n * x", {"n"}),
        ("(a, *b), c = d\ne = a + b + c", {"d"}),
        ("[x for x in y]", {"y"}),
        ("{k: v * z for k, v in d.items()}", {"d", "z"}),
        ("[{x for x in row if x > w} for row in y]", {"y", "w"}),
        ("class A(B):\n    c = d", {"B", "d"}),
        ("try:\n    x = 1\nexcept E:\n    pass\ny = x", {"E", "x"}),
        ("import torch as t\nt.randn(x)", {"x"}),
    ],
)
def test_is_found_what_a_cell_needs_from_above(source, expected):
    assert names.used(source) == expected


def run_of(*given, answer="def f(x):\n    return x * rate", more=()):
    """Return the indices of the given cells that run: 0, 1, … in their order."""
    cells = [new_code_cell(source, id=f"g{i}") for i, source in enumerate(given)]
    cells += [new_code_cell(source, id=f"{sheet.ADDED}{i}") for i, source in enumerate(more)]
    cells.append(new_code_cell(answer, metadata={"nbgrader": FLAGS}))
    cells.append(new_code_cell("assert check.f(f)", metadata={"nbgrader": TEST}))
    cells.append(new_code_cell("rate = 9"))
    kept = needed.for_answers(new_notebook(cells=cells))
    assert len(cells) - 3 in kept, "the answer itself"
    assert not kept & {len(cells) - 2, len(cells) - 1}, "no test, and nothing below the last one"
    assert set(range(len(given), len(cells) - 3)) <= kept, "a student's own cells"
    return sorted(kept & set(range(len(given))))


@pytest.mark.parametrize(
    ("given", "runs"),
    [
        (["rate = 0.5"], [0]),
        (["other = 0.5"], []),
        (["base = 1", "rate = base / 2", "print(rate)"], [0, 1]),
        (["rate = [1]", "rate.append(2)"], [0, 1]),
        (["from helpers import plots\nrate = 1", "plots.curves(rate)"], [0]),
        (["import torch", "torch.set_default_dtype(torch.float64)"], [0, 1]),
        (["import numpy as np", "np.random.seed(0)"], [0, 1]),
        (["from torch import manual_seed", "manual_seed(0)"], [0, 1]),
        (["from helpers import plots\nax = plots.axes()\nrate = 1", "ax.set_xlabel('x')"], [0]),
        (["rate = tensor(1.0)", "rate.grad = None"], [0, 1]),
        (["rate = [1]", "rate[0] += 1"], [0, 1]),
        (["from data import *"], [0]),
        (["globals().update(rate=1)"], [0]),
        (["def slope(t):\n    return n * t", "n = 5", "rate = slope(2)", "n = 6"], [0, 1, 2, 3]),
        (["def double(r):\n    r *= 2", "rate = tensor(1.0)", "double(rate)"], [0, 1, 2]),
        (["rate = 1", "rate = 2"], [0, 1]),
    ],
)
def test_do_the_cells_run_that_an_answer_builds_on(given, runs):
    assert run_of(*given) == runs


def test_does_a_cell_run_that_calls_what_an_answer_calls_too():
    given = ("import torch\nfrom torch.distributions import Normal\nx = torch.ones(3)",
             "mu = torch.tensor(2.0, requires_grad=True)",
             "Normal(mu, 1).log_prob(x).sum().backward()")  # fmt: skip
    assert run_of(*given, answer="def f(x):\n    return Normal(0, 1).log_prob(x)") == [0]


@pytest.mark.parametrize(
    "answer",
    [
        "import __main__\n\ndef f(x):\n    return x * __main__.rate",
        "import sys as s\nf = s.modules['__main__'].make()",
        "def f(x):\n    return eval('x * rate')",
        "f = globals()['make']()",
        "%run it.py",
        "f = (",
    ],
)
def test_do_all_cells_run_where_an_answer_may_look_at_any_name(answer):
    assert run_of("make = dict", "rate = 1", answer=answer) == [0, 1]


def test_does_a_students_own_cell_get_what_it_uses():
    assert run_of("base = 1", "more = 2", answer="f = abs", more=["mine = base"]) == [0]


@pytest.mark.parametrize(
    "own",
    [
        "own = " + " + ".join(["1.5"] * 400),
        "own = 0x" + "f" * 5000,
        "a;" * 300_000,
        "\n".join("一=1\nif 1:0" for _ in range(60_000)),
    ],
    ids=["many terms", "a long number", "many statements", "many branches"],
)
def test_does_code_that_cannot_be_read_in_time_run_all_cells(own):
    begun = time.monotonic()
    assert run_of("base = 1", "more = 2", more=[own]) == [0, 1]
    assert time.monotonic() - begun < 10, "and it is not read for ever"


@pytest.mark.slow
@pytest.mark.parametrize("name", SHEETS)
def test_do_the_cells_that_run_make_what_a_full_run_makes(name):
    """Every name that a sheet's answers use from above has the same value in both runs."""
    notebook = sheet.load(PROJECT / "course" / "sheets" / f"{name}.md")
    code = [i for i, c in enumerate(notebook.cells)
            if c.cell_type == "code" and not sheet.is_test(c)]  # fmt: skip
    kept = needed.for_answers(notebook)
    assert set(code) - kept, "some cells are only for show"
    full = executed.values(name, notebook) or run(notebook, code)  # nbval has run it in full
    part = run(notebook, sorted(kept))
    assert sorted(full) == sorted(part) == executed.answers(notebook)
    for at, seen in full.items():
        assert same(seen, part[at]), f"cell {at}: {seen} and {part[at]}"


def run(notebook, places):
    """Run cells, and return what the names stand for at each answer."""
    answers, used = executed.answers(notebook), executed.used(notebook)
    scope, seen = {"__name__": "__main__"}, {}
    with contextlib.redirect_stdout(io.StringIO()), data.seeded(data.PRACTICE_SEED):
        for place in places:
            if place in answers:
                seen[place] = {n: copy.deepcopy(scope[n]) for n in used
                               if is_data(scope.get(n))}  # fmt: skip
            exec(compile(notebook.cells[place].source, f"<cell {place}>", "exec"), scope)
    plt.close("all")
    return seen


def is_data(value):
    return isinstance(value, torch.Tensor | int | float | str | tuple | list | dict)


def same(one, other):
    if isinstance(one, torch.Tensor):
        return torch.equal(one.nan_to_num(), other.nan_to_num())
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, tuple | list):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other
