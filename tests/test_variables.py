"""Are the cells found that an answer builds on, and no others left out of a run?"""

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from course import variables
from course.grading import assemble

FLAGS = {"grade": False, "solution": True, "grade_id": "answer"}
TEST = {"grade": True, "solution": False, "grade_id": "test", "points": 1}


@pytest.mark.parametrize(
    ("source", "names"),
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
        ("with a() as b:\n    x = 1\ny = x", {"a"}),
        ("[x for x in y]", {"y"}),
        ("class A(B):\n    c = d", {"B", "d"}),
        ("try:\n    x = 1\nexcept E:\n    pass\ny = x", {"E", "x"}),
        ("import torch as t\nt.randn(x)", {"x"}),
    ],
)
def test_is_found_what_a_cell_needs_from_above(source, names):
    assert variables.used(source) == names


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("x.grad = None", {"x"}),
        ("x[i] = 1", {"x", "i"}),
        ("x += 1", {"x"}),
        ("x.backward()", {"x"}),
        ("step(x, rate)", {"step", "x", "rate"}),
        ("print(x)", set()),
        ("plots.curves(x)", set()),
        ("ax.plot(x)", {"ax"}),
        ("torch.set_default_dtype(torch.float64)", {"torch"}),
        ("y = f(x)", set()),
        ("for i in a:\n    a.append(i)", {"a"}),
    ],
)
def test_is_found_what_a_cell_may_change(source, names):
    assert variables.changed(source) == names


def run_of(*given, answer="def f(x):\n    return x * rate", more=()):
    """Return the indices of the given cells that run: 0, 1, … in their order."""
    cells = [new_code_cell(source, id=f"g{i}") for i, source in enumerate(given)]
    cells += [new_code_cell(source, id=f"{assemble.ADDED}{i}") for i, source in enumerate(more)]
    cells.append(new_code_cell(answer, metadata={"nbgrader": FLAGS}))
    cells.append(new_code_cell("assert check.f(f)", metadata={"nbgrader": TEST}))
    cells.append(new_code_cell("rate = 9"))
    kept = assemble.needed(new_notebook(cells=cells))
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
        (["rate = 1", "plots.curves(rate)"], [0]),
        (["import torch", "torch.set_default_dtype(torch.float64)"], []),
        (["def double(r):\n    r *= 2", "rate = tensor(1.0)", "double(rate)"], [0, 1, 2]),
        (["rate = 1", "rate = 2"], [0, 1]),
    ],
)
def test_do_the_cells_run_that_an_answer_builds_on(given, runs):
    assert run_of(*given) == runs


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
