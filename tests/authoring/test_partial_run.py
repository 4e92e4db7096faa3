"""Does a partial run of a sheet make what a full one makes, cell by cell, on fresh data?"""

import contextlib
import io

import matplotlib.pyplot as plt
import pytest
import torch
from support.project import PROJECT

from course.authoring import names, needed, sheet
from helpers import data


@pytest.mark.slow
def test_is_every_cell_that_is_left_out_of_a_run_without_effect_on_the_others(some_sheet):
    """Every name that an answer uses, or a given cell makes which runs, is the same in both runs.

    And no given cell changes anything, derivatives included, that it is not known to touch.
    """
    notebook = sheet.load(PROJECT / "course" / "sheets" / f"{some_sheet}.md")
    code = [i for i, c in enumerate(notebook.cells)
            if c.cell_type == "code" and not sheet.is_test(c)]  # fmt: skip
    kept = needed.for_answers(notebook)
    answers = [i for i in code if sheet.is_answer(notebook.cells[i])]
    used = set().union(*(names.used(notebook.cells[i].source) for i in answers))
    changes = {}
    full, part = (
        run(notebook, places, answers, used, said)
        for places, said in ((code, changes), (sorted(kept), {}))
    )
    assert set(code) - kept, "some cells are only for show"
    assert part.keys() == kept
    for at, seen in part.items():
        assert seen.items() <= full[at].items(), f"cell {at}"
    above = [i for i in code if i <= max(kept)]
    known = needed.gives(notebook.cells, set(above))
    for at in above:
        if at not in answers:
            assert changes[at] <= known[at], f"cell {at} changes {changes[at] - known[at]}"


def run(notebook, places, answers, used, changes):
    """Run cells; return what the names stand for at each: those used, and those that it made."""
    scope, seen = {"__name__": "__main__"}, {}
    with contextlib.redirect_stdout(io.StringIO()), data.seeded(5):
        for place in places:
            before = prints(scope)
            if place in answers:
                seen[place] = {n: print_ for n, print_ in before.items() if n in used}
            source = notebook.cells[place].source
            exec(compile(source, f"<cell {place}>", "exec"), scope)
            after = prints(scope)
            if place not in answers:
                seen[place] = {n: print_ for n, print_ in after.items() if n in names.made(source)}
            changes[place] = {n for n in after.keys() | before.keys()
                              if before.get(n) != after.get(n)}  # fmt: skip
    plt.close("all")
    return seen


def prints(scope):
    """Return a fingerprint of everything in sight that is data, derivatives included."""
    return {
        name: print_of(value)
        for name, value in scope.items()
        if is_data(value) and not name.startswith("__")
    }


def print_of(value):
    if isinstance(value, torch.Tensor):
        plain = value.detach().numpy()
        grad = None if not value.is_leaf or value.grad is None else print_of(value.grad)
        return plain.shape, str(plain.dtype), hash(plain.tobytes()), value.requires_grad, grad
    if isinstance(value, tuple | list):
        return type(value).__name__, *(print_of(v) for v in value if is_data(v))
    if isinstance(value, dict):
        return tuple((repr(k), print_of(v)) for k, v in value.items() if is_data(v))
    if isinstance(value, torch.distributions.Distribution):
        inner = {k: v for k, v in vars(value).items() if is_data(v)}
        return type(value).__name__, print_of(inner)
    if isinstance(value, torch.nn.Module):
        return type(value).__name__, print_of(dict(value.named_parameters()))
    return repr(value)


def is_data(value):
    return isinstance(
        value,
        torch.Tensor | int | float | str | tuple | list | dict | torch.nn.Module
        | torch.distributions.Distribution,
    )  # fmt: skip
