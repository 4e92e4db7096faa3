"""Which of many numbers are off: those in one place of each list, or those for large arguments."""

from collections.abc import Sequence

import torch

from helpers.check.kit.agree import Outcome
from helpers.check.kit.asks import ALONE, TYPICAL, Argument
from helpers.check.kit.compare import as_tensor
from helpers.check.kit.diagnose import Name

FEWEST = 3  # right ones and wrong ones: below that a border between them is chance


def by_elements(arguments: Sequence[Argument], outcomes: Sequence[Outcome]) -> Name | None:
    """Return which numbers are off, where some are and others are not, alike in every case.

    Args:
        arguments: of the exercise.
        outcomes: of all cases; those at an edge are left to their place.
    """
    failing = [o for o in outcomes if o.failure is not None and o.case.kind in (TYPICAL, ALONE)]
    wrong = [_wrong(o) for o in failing]
    known = [w for w in wrong if w is not None]
    if not known or len(known) < len(wrong):
        return None
    off = torch.cat([w.flatten() for w in known])
    if min(int(off.sum()), int((~off).sum())) < FEWEST:
        return None
    return _by_position(known) or _by_size(arguments, failing, known)


def _wrong(outcome: Outcome) -> torch.Tensor | None:
    """Return for each number whether it is off, or None where the shape is another."""
    got, expected = as_tensor(outcome.value), as_tensor(outcome.expected)
    if got is None or expected is None or got.shape != expected.shape or not expected.ndim:
        return None
    got, expected = got.double(), expected.double()
    scale = torch.where(expected == 0, torch.ones_like(expected), expected.abs())
    return ~((got - expected).abs() <= 1e-4 * scale) | ~got.isfinite() | ~expected.isfinite()


def _by_position(wrong: Sequence[torch.Tensor]) -> Name | None:
    found = set()
    for mask in wrong:
        rows = mask.reshape(-1, mask.shape[-1])
        if mask.ndim < 2 or len(rows) < 2 or not torch.equal(rows.all(0), rows.any(0)):
            return None
        off = rows[0]
        last = len(off) - 1
        places = {i for i in range(len(off)) if off[i]}
        if places == {0}:
            found.add(("first one is off", "the first one of each list is off, the others agree."))
        elif places == {last}:
            found.add(("last one is off", "the last one of each list is off, the others agree."))
        elif places == set(range(1, last + 1)):
            found.add(("only the first agrees", "the first one of each list agrees, and no other."))
        elif places == set(range(last)):
            found.add(("only the last agrees", "the last one of each list agrees, and no other."))
        else:
            found.add(("some places are off", "the lists agree in some places and not in others."))
    return found.pop() if len(found) == 1 else None


def _by_size(
    arguments: Sequence[Argument], outcomes: Sequence[Outcome], wrong: Sequence[torch.Tensor]
) -> Name | None:
    for place, argument in enumerate(arguments):
        values = [as_tensor(o.case.args[place]) for o in outcomes]
        given = [v.double() for v in values if v is not None]
        pairs = list(zip(given, wrong, strict=False))
        if len(given) < len(values) or any(v.shape != w.shape for v, w in pairs):
            continue
        for kind, of in (("large", given), ("small", [-v for v in given]),
                         ("far-out", [v.abs() for v in given])):  # fmt: skip
            right_up_to = max(float(v[~w].max()) for v, w in zip(of, wrong, strict=True) if
                              bool((~w).any()))  # fmt: skip
            wrong_from = min(float(v[w].min()) for v, w in zip(of, wrong, strict=True) if
                             bool(w.any()))  # fmt: skip
            if right_up_to < wrong_from:
                return f"wrong for {kind} {argument.name}", (
                    f"numbers agree up to a border, and those for a {kind} {argument.name} do "
                    "not: is something cut there, or taken by cases?"
                )
    return None
