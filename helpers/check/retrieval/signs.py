"""signs(x, planes): on which side of each plane through the origin each row lies."""

from collections.abc import Callable
from typing import Any

import torch

from helpers.check.kit import message
from helpers.check.kit.asks import Argument, Draws, Given, Jointly
from helpers.check.kit.compare import AnyOf
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise

Table = torch.Tensor


def reference(x: Table, planes: Table) -> Table:
    """Return 1 where the dot product of a row with a plane's normal vector is at least 0."""
    return (x @ planes.T >= 0).long()


def _bits(of: Callable[[Table, Table], Table]) -> Callable[[Table, Table], Table]:
    return lambda x, planes: (of(x, planes) >= 0).long()


def _distance(x: Table, planes: Table) -> Table:
    return (x[:, None] - planes[None]).norm(dim=2)


def _same_booleans(got: Any, right: Table) -> bool:
    """Return whether an answer is right but for its type, a boolean in the place of each bit."""
    try:
        found = torch.as_tensor(got)
    except (TypeError, ValueError, RuntimeError):
        return False
    return found.dtype == torch.bool and torch.equal(found.long(), right)


TURNS = (
    Turn("booleans", "return numbers, 0 and 1: .long() makes them of booleans.", reference,
         alike=_same_booleans),
    Turn("sides exchanged", "1 is the side that the normal vector points to.",
         lambda x, p: AnyOf((x @ p.T < 0).long(), (x @ p.T <= 0).long())),
    Turn("+1 and −1", "the two sides are told by 1 and 0, not by 1 and −1.",
         lambda x, p: AnyOf((x @ p.T).sign(), 2 * reference(x, p) - 1)),
    Turn("a row on the plane", "a dot product of exactly 0 counts as 1.",
         lambda x, p: AnyOf((x @ p.T > 0).long(), ((x @ p.T).sign() + 1) / 2)),
    Turn("dot products", "only the sign of the dot product is kept, as 1 or 0.",
         lambda x, p: AnyOf(*[products for y in [x @ p.T] for products in (
             y, y.clamp(min=0), y.clamp(0, 1), y.sigmoid(), y.abs(), y.tanh())])),
    Turn("rows centred", "the planes pass through the origin: the mean of the rows is not "
         "subtracted.", _bits(lambda x, p: (x - x.mean(0)) @ p.T)),
    Turn("mean of all subtracted", "the planes pass through the origin: no mean is subtracted.",
         _bits(lambda x, p: (x - x.mean()) @ p.T)),
    Turn("mean of each row", "the planes pass through the origin: a row keeps its mean.",
         _bits(lambda x, p: (x - x.mean(1, keepdim=True)) @ p.T)),
    Turn("split at the median", "a plane through the origin need not halve the rows.",
         _bits(lambda x, p: x @ p.T - (x @ p.T).median(0).values)),
    Turn("planes centred", "the normal vectors are what they are: their mean is not subtracted.",
         _bits(lambda x, p: x @ (p - p.mean(0)).T)),
    Turn("another threshold", "the border lies where the dot product is 0.",
         lambda x, p: AnyOf(*[(x @ p.T >= border).long() for border in (
             1.0, 0.5, (x @ p.T).mean(), p.norm(dim=1), p.square().sum(1),
             x.norm(dim=1)[:, None])])),
    Turn("rounded before the comparison", "a product of −0.4 is negative: compare before anything "
         "is rounded or made a whole number.",
         lambda x, p: AnyOf(*[(way(x @ p.T) >= 0).long() for way in (torch.trunc, torch.round)])),
    Turn("reshape for transpose", "reshape reads the numbers on in their order and mixes the "
         "planes: their transpose is planes.T.",
         _bits(lambda x, p: x @ p.reshape(x.shape[1], -1))),
    Turn("sides of a point", "a plane is met at a right angle by its vector: take the dot product "
         "with it, not the distance from it.",
         lambda x, p: AnyOf((_distance(x, p) <= p.norm(dim=1)).long(),
                            (_distance(x, p) <= 1).long())),
    Turn("signs agree", "add up the products first: the sign of the sum is asked.",
         lambda x, p: AnyOf(((x[:, None] * p[None]).sign().sum(2) >= 0).long(),
                            (x[:, None] * p[None] >= 0).all(2).long(),
                            (x[:, None] * p[None] >= 0).any(2).long())),
    Turn("first numbers alone", "all numbers of a row count, not its first one.",
         _bits(lambda x, p: x[:, :1] @ p[:, :1].T)),
    Turn("sign of the product", "a dot product adds the products up.",
         _bits(lambda x, p: (x[:, None] * p[None]).prod(2))),
    Turn("not summed", "a dot product adds the products up: one number for each row and plane.",
         lambda x, p: (x[:, None] * p[None] >= 0).long()),
    Turn("added up over the planes", "a dot product adds up over the numbers of a vector.",
         lambda x, p: ((x[:, None] * p[None]).sum(1) >= 0).long()),
    Turn("transposed", "a row of bits for each row of x, a column for each plane.",
         lambda x, p: reference(x, p).T),
    Turn("counted, not listed", "each plane has a bit of its own.",
         lambda x, p: AnyOf(reference(x, p).sum(1), reference(x, p).sum(0),
                            reference(x, p).double().mean(1))),
    Turn("one number a row", "keep the bits apart: here they are one number in binary.",
         lambda x, p: AnyOf(*[(reference(x, p) * 2**places).sum(1) for places in (
             torch.arange(len(p)), torch.arange(len(p)).flip(0))])),
    Turn("first row only", "each row of x has bits of its own.",
         lambda x, p: AnyOf(reference(x, p)[0], reference(x, p)[:1].expand(len(x), len(p)))),
    Turn("one plane for all", "each plane has a column of bits.",
         lambda x, p: AnyOf(*[bits for normal in (p[0], p[-1], p.sum(0))
                              for one in [(x @ normal >= 0).long()]
                              for bits in (one, one[:, None], one[:, None].expand(-1, len(p)))])),
    Turn("rows against each other", "the rows of x are compared with the planes.",
         lambda x, p: AnyOf((x @ x.T >= 0).long(), (p @ p.T >= 0).long(),
                            reference(x, p).double() @ reference(x, p).double().T)),
    Turn("planes in reverse", "the bits come in the order of the planes.",
         lambda x, p: reference(x, p).flip(1)),
    Turn("bits sorted", "the bits come in the order of the planes.",
         lambda x, p: AnyOf(reference(x, p).sort(1).values,
                            reference(x, p).sort(1, descending=True).values)),
    Turn("x without its signs", "a negative number of x counts as it is.",
         _bits(lambda x, p: x.abs() @ p.T)),
)  # fmt: skip


def by_product(x: Table, planes: Table) -> Table:
    """Return the bits from the matrix of all dot products."""
    products = x @ planes.T
    return (products >= 0).long()


def by_sum(x: Table, planes: Table) -> Table:
    """Return the bits from sums of products."""
    return ((x[:, None] * planes[None]).sum(dim=2) >= 0).double()


def _x(u: Draws, given: Given, n: int) -> Table:
    """Return rows around a mean that is not the origin."""
    d = given["planes"].shape[1] if "planes" in given else u.whole(3, 5)
    return (u.normal(n * d) * u.real(0.6, 1.2)).reshape(n, d) + u.normal(d, 0.0, 0.6)


def _planes(u: Draws, given: Given, n: int) -> Table:
    """Return vectors of unlike lengths around a mean; of n rows, n + 3 planes or more."""
    d, b = given["x"].shape[1], n + u.whole(3, 6)
    b = len(given["planes"]) if "planes" in given else b  # moved alone
    directions = u.normal(b * d).reshape(b, d) + u.normal(d, 0.0, 0.4)
    return directions * u.uniform(b, -0.7, 0.7).exp()[:, None]


def _with_the_origin(u: Draws, given: Given) -> Table:
    x = _x(u, given, 4)
    x[1] = 0.0
    return x


def _on_the_plane(u: Draws, given: Given) -> Jointly:
    """Return rows and planes along the axes: most of their dot products are exactly 0."""
    x = torch.zeros(4, 3, dtype=torch.float64)
    planes = torch.zeros(6, 3, dtype=torch.float64)
    x[range(4), [0, 1, 2, 0]] = u.uniform(4, 0.5, 2) * torch.tensor([1.0, -1, 1, -1])
    planes[range(6), [0, 1, 2, 0, 1, 2]] = u.uniform(6, 0.5, 2) * torch.tensor(
        [1.0, 1, 1, -1, -1, -1])  # fmt: skip
    return Jointly(x=x, planes=planes)


def _sized(n: int, b: int, d: int) -> Callable[[Draws, Given], Jointly]:
    def drawn(u: Draws, given: Given) -> Jointly:
        return Jointly(x=u.normal(n * d).reshape(n, d), planes=u.normal(b * d).reshape(b, d))

    return drawn


def _near(u: Draws, given: Given) -> Jointly:
    """Return rows of tiny and of huge numbers: their sides do not depend on their lengths."""
    x, planes = u.normal(24).reshape(6, 4), u.normal(32).reshape(8, 4)
    return Jointly(x=x * torch.logspace(-30, 30, 6, dtype=torch.float64)[:, None], planes=planes)


def _small(u: Draws, given: Given) -> Jointly:
    """Return products that are 10⁻⁹ of their terms, whose sign single precision loses.

    Of (1, a + δe) and (a + δf, −1) the product is δ(f − e); no e is near an f.
    """
    n, b, a, delta = 5, 6, u.real(0.6, 1.4), 1e-9
    places = u.uniform(n + b).argsort().double() - (n + b) / 2 + u.uniform(n + b, -0.2, 0.2)
    e, f = places[:n] / n, places[n:] / n
    x = torch.stack([torch.ones_like(e), a + delta * e], dim=1)
    planes = torch.stack([a + delta * f, -torch.ones_like(f)], dim=1)
    lengths = u.uniform(n, 0.5, 2)[:, None], u.uniform(b, 0.5, 2)[:, None]
    return Jointly(x=lengths[0] * x, planes=lengths[1] * planes)


EXERCISE = Exercise(
    name="signs",
    arguments=(
        Argument("x", _x, many=(5, 9, 14), shown=lambda x: f"{len(x)} rows",
                 edges={"rows on the planes": _on_the_plane,
                        "the origin among them": _with_the_origin, "one row": _sized(1, 6, 3),
                        "vectors of one number": _sized(5, 7, 1),
                        "rows of tiny and huge numbers": _near,
                        "products tiny beside their terms": _small}),
        Argument("planes", _planes, many=(5, 9, 14), shown=lambda p: f"{len(p)} rows",
                 edges={"one plane": _sized(7, 1, 4)}),
    ),
    reference=reference,
    turns=TURNS,
    worked=(by_product, by_sum),
    hints={message.TRUTH: "return numbers, 0 and 1: .long() makes them of booleans."},
    passed="signs: a bit for each row and plane, rows on a plane included.",
)  # fmt: skip
signs = EXERCISE.check
