"""recall(theta, k, L): how probably an item at an angle is found in one of L tables of k bits."""

import math
from collections.abc import Callable

import torch

from helpers.check.kit.asks import Argument, Draws, Given, Jointly
from helpers.check.kit.compare import AnyOf
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise

Angles = torch.Tensor


def agree(theta: Angles) -> Angles:
    """Return the probability that one bit agrees."""
    return 1 - theta / math.pi


def of_share(p: Angles, k: int, tables: int) -> Angles:
    """Return the probability of at least one match in so many tables, if a bit agrees with p."""
    return 1 - (1 - p**k) ** tables


def reference(theta: Angles, k: int, tables: int) -> Angles:
    """Return 1 − (1 − (1 − θ/π)^k)^L."""
    return of_share(agree(theta), k, tables)


def _share(of: Callable[[Angles], Angles]) -> Callable[[Angles, int, int], Angles]:
    """Return what comes of another probability that one bit agrees."""
    return lambda theta, k, tables: of_share(of(theta), k, tables)


TURNS = (
    Turn("k and L exchanged", "k bits must all agree in a table, and one of L tables is enough.",
         lambda t, k, n: reference(t, n, k)),
    Turn("all tables must match", "one table that matches is enough; here all L of them have to.",
         lambda t, k, n: agree(t) ** (k * n)),
    Turn("one of k L bits", "a table matches if all of its k bits agree; here one bit of all "
         "would be enough.", lambda t, k, n: 1 - (1 - agree(t)) ** (k * n)),
    Turn("one minus all bits", "the tables are independent: multiply the L chances of no match.",
         lambda t, k, n: 1 - agree(t) ** (k * n)),
    Turn("and for or", "all k bits agree in one table, or in another one; here each bit has to "
         "agree in some table.", lambda t, k, n: AnyOf((1 - (1 - agree(t)) ** n) ** k,
                                                       (1 - (1 - agree(t)) ** k) ** n)),
    Turn("chance of a miss", "this is the chance that no table matches; one minus it is asked.",
         lambda t, k, n: (1 - agree(t) ** k) ** n),
    Turn("differing for agreeing", "θ/π is the chance that a bit differs; it agrees with one minus "
         "that.", _share(lambda t: t / math.pi)),
    Turn("one table alone", "this is the chance of a match in one table; there are L.",
         lambda t, k, n: agree(t) ** k),
    Turn("one bit a table", "a table matches if k bits agree, not one.",
         lambda t, k, n: 1 - (1 - agree(t)) ** n),
    Turn("chances added up", "chances of events that may come together are not added up: above 1 "
         "one sees it.", lambda t, k, n: AnyOf(n * agree(t) ** k,
                                               (n * agree(t) ** k).clamp(max=1))),
    Turn("degrees", "theta is in radians already.",
         lambda t, k, n: AnyOf(of_share(1 - t / 180, k, n), of_share(1 - t.deg2rad() / math.pi, k,
                                                                     n),
                               of_share(1 - t.rad2deg() / math.pi, k, n),
                               of_share(1 - t * 180 / math.pi**2, k, n))),
    Turn("full turn", "a bit always differs at θ = π, half a turn.",
         _share(lambda t: 1 - t / (2 * math.pi))),
    Turn("right angle", "a bit always differs at θ = π; at π/2 it does so every other time.",
         lambda t, k, n: AnyOf(*[of_share(q, k, n) for q in (
             1 - 2 * t / math.pi, (1 - 2 * t / math.pi).clamp(min=0))])),
    Turn("cosine for the share", "the chance of a bit falls with the angle on a straight line, not "
         "like a cosine.", lambda t, k, n: AnyOf(*[of_share(q, k, n) for q in (
             t.cos(), (t / 2).cos(), (1 + t.cos()) / 2, t.cos().clamp(min=0), t.cos().abs(),
             (1 - t.cos()) / 2)])),
    Turn("another share of π", "the chance that a bit agrees is 1 − θ/π: divide first, and "
         "subtract then.",
         lambda t, k, n: AnyOf(of_share(1 - t, k, n), of_share((1 - t).clamp(min=0), k, n),
                               of_share((1 - t) / math.pi, k, n))),
    Turn("tables share the bits", "each of the L tables has k bits of its own.",
         lambda t, k, n: AnyOf(1 - (1 - agree(t) ** (k / n)) ** n,
                               1 - (1 - agree(t) ** (k // n)) ** n)),
    Turn("power of a power", "a ** k ** L is a ** (k ** L): set brackets round a ** k.",
         lambda t, k, n: AnyOf(*[f(agree(t) ** float(k**n)) for f in (
             lambda x: -x, lambda x: x, lambda x: 1 - x)])),
    Turn("logarithm of it", "the probability itself is asked, not its logarithm.",
         lambda t, k, n: reference(t, k, n).log()),
    Turn("exactly one table", "two tables that match are welcome too.",
         lambda t, k, n: n * agree(t) ** k * (1 - agree(t) ** k) ** (n - 1)),
    Turn("exponential for power", "exp(−L pᵏ) comes near (1 − pᵏ)ᴸ, and is not it.",
         lambda t, k, n: AnyOf(1 - (-n * agree(t) ** k).exp(),
                               1 - (1 - (-k * t / math.pi).exp()) ** n)),
    Turn("product for power", "k chances of independent bits are multiplied, which is a power.",
         lambda t, k, n: AnyOf(1 - (1 - k * agree(t)) ** n, 1 - (1 - agree(t) / k) ** n,
                               1 - (1 - agree(t) ** k) * n, 1 - (1 - agree(t) ** k) / n)),
    Turn("one bit may differ", "under the query's own key stand items with all k bits the same.",
         lambda t, k, n: 1 - (1 - agree(t) ** k - k * agree(t) ** (k - 1) * t / math.pi) ** n),
    Turn("rounded", "all digits of the chance are asked for.",
         lambda t, k, n: AnyOf(*[reference(t, k, n).round(decimals=d) for d in (1, 2, 3, 4)])),
    Turn("mean of the angles", "each angle has a chance of its own.",
         lambda t, k, n: AnyOf(reference(t, k, n).mean(), reference(t.mean(), k, n).expand_as(t),
                               reference(t, k, n).mean().expand_as(t))),
)  # fmt: skip


def by_steps(theta: Angles, k: int, L: int) -> Angles:
    """Return the probability step by step."""
    bit = 1 - theta / math.pi
    miss = 1 - bit**k
    return 1 - miss**L


def by_logs(theta: Angles, k: int, L: int) -> Angles:
    """Return the probability by logarithms, which keep tiny ones."""
    match = (k * torch.log1p(-theta / torch.pi)).exp()
    return -torch.expm1(L * torch.log1p(-match))


def _far(u: Draws, given: Given) -> Jointly:
    """Return far items alone, with chances of a few millionths.

    Of these single precision keeps two digits and double precision ten, however they are computed.
    """
    theta = math.pi * (1 - u.uniform(4, 0.09, 0.14))
    return Jointly(theta=theta, k=6, L=3)


def _ends(u: Draws, given: Given) -> Jointly:
    """Return the ends, where the chance is a bit's own: whoever keeps it off them shows."""
    return Jointly(theta=torch.tensor([0.0, math.pi], dtype=torch.float64), k=1, L=1)


def _theta(u: Draws, given: Given, m: int) -> Angles:
    """Return angles from a few degrees to beyond a right angle, a small one at the end."""
    return torch.cat([u.uniform(m - 1, 0.2, 2.2), u.uniform(1, 0.2, 0.6)])


def _k(u: Draws, given: Given) -> int:
    return u.choice([k for k in (5, 6, 7, 8) if k != given.get("k")])


def _tables(u: Draws, given: Given) -> int:
    return u.choice([n for n in (2, 3, 4) if n != given.get("L")])


EXERCISE = Exercise(
    name="recall",
    arguments=(
        Argument("theta", _theta, many=(4, 7, 15), sizes=(1,),
                 edges={"angles of 0 and π, by one bit": _ends,
                        "angles of 0 and π": torch.tensor([0.0, math.pi, 0.4],
                                                          dtype=torch.float64),
                        "chances of a millionth": _far}),
        Argument("k", _k, edges={"one bit a table": 1, "sixteen bits a table": 16}),
        Argument("L", _tables, edges={"one table": 1, "sixty tables": 60}),
    ),
    reference=reference,
    double=True,
    turns=TURNS,
    worked=(by_steps, by_logs),
    passed="recall: for any angles, bits and tables.",
)  # fmt: skip
recall = EXERCISE.check
