"""`course similar`: pairs of submissions that are more alike than the class is.

What the release gives to everybody is left out. Of code a piece is five tokens in a row, the names
that an answer makes up replaced by places, comments and layout left out; of words, four in a row.
The likeness of a pair is the share of the pieces of either that both wrote, where a piece that m of
n students wrote counts log(n / m) / log(n / 2): fully where nobody else has it, nothing where all
have. Likeness has many causes, and the words printed here name none.
"""

import ast
import builtins
import io
import itertools
import keyword
import math
import re
import tokenize
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from course.files import shown
from course.grading import submitted
from course.grading.ledger import records
from course.notebooks import parse
from course.term import answers
from course.term.answers import Written

TOKENS, WORDS = 5, 4  # in a row make a piece
FEWEST = 12  # pieces of a pair: below it there is too little to compare
FENCE = 3.0  # quartile distances above the upper quartile of all pairs
MOST_PAIRS = 20
Pieces = frozenset[tuple[str, ...]]


@dataclass(frozen=True)
class Pair:
    """Two students, and how alike they are, between 0 and 1, in all and where most."""

    one: str
    other: str
    likeness: float
    where: tuple[tuple[str, float], ...]


def similar(root: Path, sheet: str, must_see: Callable[[str], None]) -> str:
    """Return the pairs of a sheet that stand out, as text.

    Args:
        root: an nbgrader course folder, graded.
        sheet: name of the sheet.
        must_see: told what else a person should know of the records.

    Raises:
        CourseError: an unknown sheet, or nothing graded.
    """
    submitted.sheets(root, [sheet])
    results = records.graded(root, [sheet], must_see)
    release = parse((root / "release" / sheet / f"{sheet}.ipynb").read_text(encoding="utf-8"))
    found = pairs({r.student: answers.of(root, r) for r in results}, answers.of_notebook(release))
    head = f"{sheet}: {len(results)} submissions"
    if not found:
        return f"{head}, none to compare"
    all_of_it = [p.likeness for p in found]
    middle, above = float(np.median(all_of_it)), fence(all_of_it)
    out = [p for p in found if p.likeness > above]
    lines = [
        f"{head}, {len(found)} pairs. Half of them are alike in {middle:.0%} or less of what "
        f"they wrote themselves; {len(out)} stand out with more than {above:.0%}.",
    ]
    for pair in out[:MOST_PAIRS]:
        where = ", ".join(f"{shown(name)} {share:.0%}" for name, share in pair.where[:4])
        lines.append(f"  {shown(pair.one)} and {shown(pair.other)}: {pair.likeness:.0%} ({where})")
    if len(out) > MOST_PAIRS:
        lines.append(f"  and {len(out) - MOST_PAIRS} more")
    lines.append(
        "Left out: the released text, comments, and the names that an answer makes up; the more "
        "wrote something, the less it counts. Likeness alone does not say how it came about: a "
        "group that was allowed to work together, a common source and chance look the same."
    )
    return "\n".join(lines)


def fence(likenesses: Iterable[float]) -> float:
    """Return what the likeness of an ordinary pair stays below: Tukey's outer fence."""
    low, high = np.percentile(list(likenesses), [25, 75])
    return float(max(high + FENCE * (high - low), 0.3))


def pairs(written: Mapping[str, Written], release: Written) -> list[Pair]:
    """Return all pairs that can be compared, the most alike first.

    Args:
        written: what each student handed in.
        release: the same of the released sheet, which is nobody's own.
    """
    nothing: Pieces = frozenset()
    given_code = nothing.union(*(_of_code(c) for c in release.code.values()))
    given_words = nothing.union(*(_of_words(w) for w in release.words.values()))
    own: dict[str, dict[str, Pieces]] = {}
    for student, theirs in written.items():
        pieces = {n: _of_code(c) - given_code for n, c in theirs.code.items()}
        pieces |= {n: _of_words(w) - given_words for n, w in theirs.words.items()}
        own[student] = {name: found for name, found in pieces.items() if found}
    n = len(own)
    met: dict[str, Counter[tuple[str, ...]]] = {}
    for answered in own.values():
        for name, found in answered.items():
            met.setdefault(name, Counter()).update(found)
    weights = {
        name: {piece: rarity(m, n) for piece, m in counted.items()}
        for name, counted in met.items()
    }  # fmt: skip
    all_of_it = [
        pair for one, other in itertools.combinations(sorted(own), 2)
        if (pair := _pair(one, other, own, weights)) is not None
    ]  # fmt: skip
    return sorted(all_of_it, key=_order)


def rarity(m: int, n: int) -> float:
    """Return what a piece counts that m of n students wrote: 1 for two of them, 0 for all."""
    return min(1.0, math.log(n / m) / math.log(n / 2)) if n > 2 else 1.0


def _order(pair: Pair) -> tuple[float, str, str]:
    return -pair.likeness, pair.one, pair.other


def _pair(
    one: str, other: str, own: Mapping[str, Mapping[str, Pieces]],
    weights: Mapping[str, Mapping[tuple[str, ...], float]],
) -> Pair | None:  # fmt: skip
    both, either = 0.0, 0
    where = []
    for name in own[one].keys() & own[other].keys():
        a, b, weight = own[one][name], own[other][name], weights[name]
        shared = a & b
        common, whole = sum(weight[p] for p in shared), len(a) + len(b) - len(shared)
        both, either = both + common, either + whole
        if common:
            where.append((name.removeprefix("test_"), common, common / whole))
    if either < FEWEST:
        return None
    where.sort(key=lambda w: (-w[1], w[0]))
    return Pair(one, other, both / either, tuple((name, share) for name, _, share in where))


def _of_code(code: str) -> Pieces:
    """Return the pieces of an answer's code; those of text that is no code are its words."""
    plain = answers.plain(code)
    try:
        made = _made_up(ast.parse(plain))
        tokens = [
            t for t in tokenize.generate_tokens(io.StringIO(plain).readline)
            if t.string.strip() and t.type != tokenize.COMMENT
        ]  # fmt: skip
    except (SyntaxError, ValueError, RecursionError, MemoryError, tokenize.TokenError):
        return _of_words(code)
    words, before = [], ""
    for token in tokens:
        # A name that the answer makes up is a place: another one in its place is the same.
        own = token.string in made and before != "."
        words.append("·" if own else token.string)
        before = token.string
    return _in_a_row(words, TOKENS)


def _made_up(tree: ast.Module) -> set[str]:
    """Return the names of variables and arguments that code makes."""
    made = {
        node.id for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }  # fmt: skip
    made |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    return {n for n in made if not keyword.iskeyword(n) and not hasattr(builtins, n)}


def _of_words(text: str) -> Pieces:
    return _in_a_row(re.findall(r"\w+", text.casefold()), WORDS)


def _in_a_row(words: list[str], n: int) -> Pieces:
    return frozenset(tuple(words[i : i + n]) for i in range(len(words) - n + 1))
