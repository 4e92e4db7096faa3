"""Do a full and a partial run of a sheet agree? What a run leaves out must change nothing else.

A submission is graded from the cells that its answers need (`course/authoring/needed.py`), found by
reading. Here a sheet's own source runs twice, in full and in part: what every name stands for at
each answer is compared, and what each given cell changes is held against what is known of it.
"""

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any

import torch
from nbformat import NotebookNode

from course.authoring import names, needed, rules, sheet, touched
from course.proving import bank
from helpers import data

Run = dict[int, dict[str, Any]]
REMEDY = (
    "make that in the cell in which the name is made, or give the result a name of its own "
    "(`name = …`)"
)


def differences(name: str, notebook: NotebookNode, seed: int) -> list[str]:
    """Return a sentence for each way in which a partial run of a sheet differs from a full one.

    Args:
        name: the sheet's name.
        notebook: the sheet, solutions inside.
        seed: the data seed of both runs.

    Raises:
        Exception: whatever a cell of the sheet raises in the full run.
    """
    code = [i for i, c in enumerate(notebook.cells)
            if c.cell_type == "code" and not sheet.is_test(c)]  # fmt: skip
    kept = needed.for_answers(notebook)
    answers = {i for i in code if sheet.is_answer(notebook.cells[i])}
    used = set().union(*(names.used(notebook.cells[i].source) for i in answers))
    changes: dict[int, set[str]] = {}
    full = _run(notebook, code, answers, used, seed, changes)
    left_out = [i for i in code if i not in kept]

    def at(index: int) -> str:
        return rules.where(name, notebook, index)

    found = []
    part: Run = {}
    try:
        _run(notebook, sorted(kept), answers, used, seed, {}, part)
    except Exception as error:
        stopped = max(part, default=-1)
        found.append(f"{at(stopped)}: it stops where only the cells run that the answers need "
                     f"({type(error).__name__}: {error}); {REMEDY}.")  # fmt: skip
    for index, seen in part.items():
        for other in sorted(n for n in seen if seen[n] != full[index].get(n)):
            by = [i for i in left_out if i < index and other in changes[i]]
            found.append(
                f"{at(by[-1] if by else index)}: {other}, as cell {index + 1} has it, is another "
                "where only the cells run that the answers need, and this one is "
                f"{'left out' if by else 'kept'}; {REMEDY}."
            )
    above = [i for i in code if i <= max(kept, default=-1)]
    try:
        known = needed.gives(notebook.cells, set(above))
    except (touched.TooLong, RecursionError):
        return found  # every cell runs
    for index in above:
        hidden = changes[index] - known[index]
        if index not in answers and hidden:
            found.append(f"{at(index)}: it changes {', '.join(sorted(hidden))}, which its text "
                         f"does not show; {REMEDY}.")  # fmt: skip
    return found


def _run(
    notebook: NotebookNode, places: Iterable[int], answers: set[int], used: set[str], seed: int,
    changes: dict[int, set[str]], seen: Run | None = None,
) -> Run:  # fmt: skip
    """Run cells; return what the names stand for at each: those used, and those that it made.

    Args:
        notebook: the sheet.
        places: the cells to run, in their order.
        answers: the answer cells.
        used: the names that some answer uses.
        seed: the data seed.
        changes: takes the names whose data each cell changes.
        seen: takes what is returned, as far as the run comes.
    """
    import matplotlib.pyplot as plt

    scope: dict[str, Any] = {"__name__": "__main__"}
    seen = {} if seen is None else seen
    with _no_windows(), bank.hushed(), data.seeded(seed):
        for place in places:
            before = _prints(scope)
            seen[place] = {n: p for n, p in before.items() if n in used} if place in answers else {}
            source = notebook.cells[place].source
            exec(compile(source, f"<cell {place + 1}>", "exec"), scope)
            plt.close("all")
            after = _prints(scope)
            if place not in answers:
                seen[place] = {n: p for n, p in after.items() if n in names.made(source)}
            changes[place] = {
                n for n in after.keys() | before.keys() if before.get(n) != after.get(n)
            }
    return seen


@contextlib.contextmanager
def _no_windows() -> Iterator[None]:
    import matplotlib as mpl

    before = mpl.get_backend()
    mpl.use("agg")
    try:
        yield
    finally:
        mpl.use(before)


def _prints(scope: dict[str, Any]) -> dict[str, Any]:
    """Return a fingerprint of everything in sight that is data, derivatives included."""
    return {
        name: _print(value)
        for name, value in scope.items()
        if _is_data(value) and not name.startswith("__")
    }


def _print(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        plain = value.detach().numpy()
        grad = None if not value.is_leaf or value.grad is None else _print(value.grad)
        return plain.shape, str(plain.dtype), hash(plain.tobytes()), value.requires_grad, grad
    if isinstance(value, tuple | list):
        return type(value).__name__, *(_print(v) for v in value if _is_data(v))
    if isinstance(value, dict):
        return tuple((repr(k), _print(v)) for k, v in value.items() if _is_data(v))
    if isinstance(value, torch.distributions.Distribution):
        inner = {k: v for k, v in vars(value).items() if _is_data(v)}
        return type(value).__name__, _print(inner)
    if isinstance(value, torch.nn.Module):
        return type(value).__name__, _print(dict(value.named_parameters()))
    return repr(value)


KINDS = (
    torch.Tensor, int, float, str, tuple, list, dict, torch.nn.Module,
    torch.distributions.Distribution,
)  # fmt: skip


def _is_data(value: Any) -> bool:
    return isinstance(value, KINDS)
