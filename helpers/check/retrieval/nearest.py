"""nearest(queries, items, k, metric): the places of the items that are nearest to each query."""

from collections.abc import Callable

import torch

from helpers.check.kit import message
from helpers.check.kit.asks import Argument, Draws, Given, Jointly
from helpers.check.kit.compare import AnyOf, same
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise

Table = torch.Tensor


def distances(queries: Table, items: Table) -> Table:
    """Return the Euclidean distance of every query from every item, shape (m, n)."""
    return (queries[:, None] - items[None]).norm(dim=2)


def cosines(queries: Table, items: Table) -> Table:
    """Return the cosine of the angle between every query and every item, shape (m, n)."""
    return _unit(queries) @ _unit(items).T


def _unit(x: Table, dim: int = 1) -> Table:
    return x / x.norm(dim=dim, keepdim=True)


def far(queries: Table, items: Table, metric: str) -> Table:
    """Return a number for every pair that is small where the two are near, shape (m, n)."""
    euclidean = metric == "euclidean"
    return distances(queries, items) if euclidean else -cosines(queries, items)


def reference(queries: Table, items: Table, k: int, metric: str) -> Table:
    """Return the places of the k smallest, in their order."""
    return _first(far(queries, items, metric), k)


def _first(badness: Table, k: int) -> Table:
    if k > badness.shape[1]:
        raise ValueError("there are fewer items than k")
    return badness.argsort(dim=1)[:, :k]


def _ranked(badness: Callable[[Table, Table, str], Table]) -> Callable[..., Table]:
    """Return an answer that ranks by another badness."""
    return lambda queries, items, k, metric: _first(badness(queries, items, metric), k)


def _only(metric: str, other: Callable[[Table, Table], Table]) -> Callable[..., Table]:
    """Return an answer that ranks by another badness where the metric is this one."""
    return _ranked(lambda q, x, m: other(q, x) if m == metric else far(q, x, m))


def _without_itself(queries: Table, items: Table, k: int, metric: str) -> Table:
    return reference(queries, items, k + 1, metric)[:, 1:]


def _by_size(queries: Table, items: Table) -> Table:
    return (queries.norm(dim=1)[:, None] - items.norm(dim=1)[None]).abs()


# What may be returned of the k nearest in the place of where they stand.
NUMBERS: tuple[Callable[[Table, str], Table], ...] = (
    lambda smallest, m: smallest,
    lambda smallest, m: smallest if m == "euclidean" else -smallest,
    lambda smallest, m: smallest if m == "euclidean" else 1 + smallest,
    lambda smallest, m: smallest if m == "euclidean" else (-smallest).clamp(-1, 1).acos(),
    lambda smallest, m: smallest**2 if m == "euclidean" else -smallest,
)

POWERS: tuple[Callable[[Table, Table], Table], ...] = (
    lambda q, x: (q[:, None] - x[None]).abs().pow(0.5).sum(2),
    lambda q, x: (q[:, None] - x[None]).abs().pow(3).sum(2),
    lambda q, x: (q[:, None] - x[None]).pow(3).sum(2),
    lambda q, x: (q[:, None] - x[None]).pow(4).sum(2),
    lambda q, x: (q[:, None] - x[None]).pow(-2).sum(2),
)


def _second(got: object, right: Table) -> bool:
    """Return whether the second of two things is right."""
    return isinstance(got, list | tuple) and len(got) == 2 and same(got[1], right)


TURNS = (
    Turn("farthest for nearest", "a small distance is near, and so is a large cosine.",
         _ranked(lambda q, x, m: -far(q, x, m))),
    Turn("farthest by distance", "near in the sense of Euclid is a small distance: topk takes "
         "the largest unless you say largest=False.",
         _only("euclidean", lambda q, x: -distances(q, x))),
    Turn("farthest by cosine", "the cosine is largest where the angle is smallest.",
         _only("cosine", cosines)),
    Turn("norm forgotten", "a dot product is a cosine only after both vectors are divided by "
         "their norms: a long item wins here because it is long.",
         _only("cosine", lambda q, x: -q @ x.T)),
    Turn("normalised over items", "each row is divided by its own norm: that is dim=1.",
         _only("cosine", lambda q, x: -_unit(q, 0) @ _unit(x, 0).T)),
    Turn("cosine for both", "for the metric \"euclidean\" the vectors keep their lengths.",
         _ranked(lambda q, x, m: far(q, x, "cosine"))),
    Turn("distance for both", "for the metric \"cosine\" only the direction counts: divide by "
         "the norms.", _ranked(lambda q, x, m: far(q, x, "euclidean"))),
    Turn("metrics exchanged", "\"euclidean\" goes by the distance, \"cosine\" by the angle.",
         lambda q, x, k, m: reference(q, x, k, "cosine" if m == "euclidean" else "euclidean")),
    Turn("dot product for both", "a dot product is neither a distance nor, without the norms, a "
         "cosine.", _ranked(lambda q, x, m: -q @ x.T)),
    Turn("sign of the cosine lost", "a cosine of −1 is opposite, not near.",
         _only("cosine", lambda q, x: -cosines(q, x).abs())),
    Turn("mean subtracted", "the angle is that between the vectors as they are: this one is "
         "between vectors without their means.",
         _only("cosine", lambda q, x: -cosines(q - q.mean(1, keepdim=True),
                                               x - x.mean(1, keepdim=True)))),
    Turn("sum of absolute differences", "Euclid squares the differences before they are added.",
         _only("euclidean", lambda q, x: (q[:, None] - x[None]).abs().sum(2))),
    Turn("largest difference alone", "Euclid adds up the squares of all differences.",
         _only("euclidean", lambda q, x: (q[:, None] - x[None]).abs().amax(2))),
    Turn("multiplied by the norm", "the dot product is divided by both norms.",
         _only("cosine", lambda q, x: -(q @ x.T) * x.norm(dim=1))),
    Turn("another power", "Euclid squares the differences.",
         lambda q, x, k, m: AnyOf(*[_only("euclidean", way)(q, x, k, m) for way in POWERS])),
    Turn("difference of the sums", "square the differences before they are added: with their "
         "signs they cancel.",
         _only("euclidean", lambda q, x: (q[:, None] - x[None]).sum(2).abs())),
    Turn("differences with their signs", "square the differences before they are added.",
         _only("euclidean", lambda q, x: (q[:, None] - x[None]).sum(2))),
    Turn("lengths compared", "subtract the vectors first, and take the norm afterwards.",
         _only("euclidean", _by_size)),
    Turn("nearest one left out", "an item that is nearest counts, even if it equals the query.",
         _without_itself),
    Turn("not in order", "the nearest one comes first: these are the right places, sorted by "
         "their number.", lambda *given: reference(*given).sort(dim=1).values),
    Turn("farthest of them first", "the right items, from the far one to the near one.",
         lambda *given: reference(*given).flip(1)),
    Turn("ranks for places", "this is the rank of each of the first items; the other way round, "
         "the place of each rank is asked.",
         lambda q, x, k, m: far(q, x, m).argsort(1).argsort(1)[:, :k]),
    Turn("distances for places", "return where the nearest items stand, not how far away they "
         "are.", lambda q, x, k, m: AnyOf(*[way(far(q, x, m).sort(dim=1).values[:, :k], m)
                                            for way in NUMBERS])),
    Turn("the items themselves", "return the places of the items, which are whole numbers.",
         lambda q, x, k, m: x[reference(q, x, k, m)]),
    Turn("counted from 1", "the first item has the place 0.", lambda *given: reference(*given) + 1),
    Turn("transposed", "a row for each query, a column for each of its k items.",
         lambda *given: reference(*given).T),
    Turn("first query only", "there is a row for each query.",
         lambda q, x, k, m: AnyOf(reference(q, x, k, m)[0],
                                  reference(q, x, k, m)[:1].expand(len(q), k))),
    Turn("nearest alone", "k items are asked for each query, not one.",
         lambda q, x, k, m: AnyOf(reference(q, x, 1, m), reference(q, x, 1, m)[:, 0])),
    Turn("items against items", "the rows of the result belong to the queries.",
         lambda q, x, k, m: reference(x, x, k, m)),
    Turn("added up over the items", "add up over the numbers of a vector, which is the last "
         "dimension of the differences.",
         lambda q, x, k, m: reference(q, x, k, m) if m == "cosine" else
         ((q[:, None] - x[None]) ** 2).sum(1).argsort(dim=1)[:, :k]),
    Turn("ranked along the queries", "for each query the items are ranked, so along its row: that "
         "is dim=1.", lambda q, x, k, m: far(q, x, m).argsort(dim=0)[:, :k]),
    Turn("not ranked", "these are the numbers of the first items: rank them, and return places.",
         lambda q, x, k, m: AnyOf(far(q, x, m)[:, :k], far(q, x, m)[:, :k] ** 2)),
    Turn("one too few", "k items are asked for each query: a slice ends before its last number.",
         lambda q, x, k, m: reference(q, x, k - 1, m)),
    Turn("one too many", "k items are asked for each query.",
         lambda q, x, k, m: reference(q, x, k + 1, m)),
    *[Turn("a number for k", "as many items as k says are asked, another number in every call.",
           lambda q, x, k, m, n=n: reference(q, x, n, m)) for n in (2, 3, 4, 5, 10)],
    Turn("numbers and places", "topk, sort and min return two things, the numbers and where they "
         "stand: the second one is asked.", reference, alike=_second),
    Turn("all items ranked", "stop after the k nearest ones.",
         lambda q, x, k, m: reference(q, x, len(x), m)),
    Turn("queries and items exchanged", "for each query its nearest items are asked, not for "
         "each item its nearest queries.",
         lambda q, x, k, m: reference(x, q, k, m)),
)  # fmt: skip


def by_cdist(queries: Table, items: Table, k: int, metric: str) -> Table:
    """Return the places by torch's distances, of unit vectors for the cosine."""
    if metric == "cosine":
        queries = queries / queries.norm(dim=1, keepdim=True)
        items = items / items.norm(dim=1, keepdim=True)
    return torch.cdist(queries, items).topk(k, dim=1, largest=False).indices


def by_scores(queries: Table, items: Table, k: int, metric: str) -> Table:
    """Return the places by a score that is large for near items."""
    if metric == "cosine":
        scores = (queries @ items.T) / items.norm(dim=1)
    else:
        scores = 2 * (queries @ items.T) - (items**2).sum(dim=1)
    return scores.topk(k, dim=1).indices


def _clear(badness: Table) -> bool:
    """Return whether no two items are nearly as far from a query."""
    ordered = badness.sort(dim=1).values
    return bool(((ordered[:, 1:] - ordered[:, :-1]) > 1e-6).all())


def _table(u: Draws, rows: int, columns: int) -> Table:
    """Return vectors of unlike lengths, most of them on one side of the origin."""
    directions = u.normal(rows * columns, 0.6).reshape(rows, columns)
    return directions * u.uniform(rows, -0.7, 1.1).exp()[:, None]


def _queries(u: Draws, given: Given, m: int) -> Table:
    return _table(u, m, u.whole(3, 5))


def _items(u: Draws, given: Given, m: int) -> Table:
    queries = given["queries"]
    while True:
        items = _table(u, u.whole(14, 20), queries.shape[1])
        if _clear(distances(queries, items)) and _clear(cosines(queries, items)):
            return items


def _moved(u: Draws, given: Given, m: int) -> Table:
    """Return other queries of the same number of columns, where items are there already."""
    return _table(u, m, given["items"].shape[1]) if "items" in given else _queries(u, given, m)


def _metric(u: Draws, given: Given, m: int) -> str:
    """Return the metrics in turn, by the number of queries; moved alone, the other one."""
    turn = "euclidean" if m % 2 else "cosine"
    return {"euclidean": "cosine", "cosine": "euclidean"}[turn] if "metric" in given else turn


def _k(u: Draws, given: Given, m: int) -> int:
    return u.choice([k for k in (2, 3, 4) if k != given.get("k")])


def _edge(m: int, metric: str, k: int | None = None) -> Callable[[Draws, Given], Jointly]:
    """Return an edge: so many queries, and k items or all of them."""

    def drawn(u: Draws, given: Given) -> Jointly:
        queries = _queries(u, {}, m)
        items = _items(u, {"queries": queries}, m)
        return Jointly(queries=queries, items=items, metric=metric, k=k or len(items))

    return drawn


def _itself(metric: str) -> Callable[[Draws, Given], Jointly]:
    """Return an edge: all items as queries, so that rounding lifts some cosine above 1."""

    def drawn(u: Draws, given: Given) -> Jointly:
        items = _items(u, {"queries": _queries(u, {}, 4)}, 4)
        return Jointly(queries=items.flip(0), items=items, metric=metric, k=1)

    return drawn


def _on_a_line(u: Draws, given: Given) -> Jointly:
    queries = u.uniform(3, -4, 4)[:, None]
    while True:
        items = u.uniform(9, -5, 5)[:, None]
        if _clear(distances(queries, items)):
            return Jointly(queries=queries, items=items, k=3, metric="euclidean")


def _opposite(u: Draws, given: Given) -> Jointly:
    """Return items on all sides, so that most of the k nearest have a cosine below zero."""
    queries = u.normal(6).reshape(2, 3)
    items = torch.cat([-_unit(queries) * u.uniform(2, 1, 3)[:, None],
                       u.normal(15).reshape(5, 3)])  # fmt: skip
    return Jointly(queries=queries, items=items, k=6, metric="cosine")


EXERCISE = Exercise(
    name="nearest",
    arguments=(
        Argument("queries", _moved, many=(5, 6, 7, 8), shown=lambda x: f"{len(x)} rows",
                 edges={"one query, by distance": _edge(1, "euclidean", 3),
                        "one query, by cosine": _edge(1, "cosine", 3),
                        "vectors of one number": _on_a_line,
                        "queries that are items, by distance": _itself("euclidean"),
                        "queries that are items, by cosine": _itself("cosine")}),
        Argument("items", _items, many=(5, 6, 7, 8), shown=lambda x: f"{len(x)} rows"),
        Argument("k", _k, many=(5, 6, 7, 8),
                 edges={"k = 1": 1, "all items, by distance": _edge(4, "euclidean"),
                        "all items, by cosine": _edge(5, "cosine")}),
        Argument("metric", _metric, many=(5, 6, 7, 8), edges={"items opposite": _opposite}),
    ),
    typical=4,
    reference=reference,
    turns=TURNS,
    worked=(by_cdist, by_scores),
    hints={message.WRONG_TYPE: "return the places as whole numbers: what argsort gives, or the "
           "indices of topk."},
    passed="nearest: the places of the k nearest items, by distance and by angle.",
)  # fmt: skip
nearest = EXERCISE.check
