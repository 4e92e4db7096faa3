"""How far every check's bound is from the worst right answer and from the nearest wrong one."""

import math
import multiprocessing
import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

from course.authoring import sheet
from course.proving import bank, measured
from course.proving.measured import COURSE, Part

# A converged right answer stays ten times below its bound, a wrong one ten times above.
ROOM = 10
ROOM_OF_TAILS = 1.5  # where a distance is the logarithm of a probability: 1.5 is a million rarer
LONG = 40  # data seeds from which on a measurement is worth writing down
# A wrong answer that stays as far away as this on the first data seeds is not asked on the others.
FAR, FIRST = 1e4, 20


@dataclass
class Margin:
    """The margins of one exercise, in units of the bound, over all answers and data seeds."""

    exercise: str
    worst_right: float = 0.0
    worst_right_title: str = ""
    nearest_wrong: float = math.inf
    nearest_wrong_title: str = ""
    kinds: set[str] = field(default_factory=set)
    trials: int = 0

    @property
    def wide(self) -> bool:
        """Whether there is room on both sides; a sampled check states its error rate instead."""
        right_is_wide = self.worst_right <= (1.0 if self.sampled else 1 / ROOM)
        room = ROOM_OF_TAILS if "sampled tail" in self.kinds else ROOM
        return right_is_wide and self.nearest_wrong >= room

    @property
    def sampled(self) -> bool:
        """Whether the bound is a quantile: a right answer may then come near it, by chance."""
        return any(kind.startswith("sampled") for kind in self.kinds)


Key = tuple[str, str]  # an answer: its exercise and its title


def tried(
    part: Part, seeds: Iterable[int], only: Collection[Key] | None = None
) -> list[tuple[int, bank.Trial]]:
    """Try the bank of a sheet, or only some answers of it, on several data seeds."""
    notebook = sheet.load(COURSE / "sheets" / f"{part.sheet}.md")
    answers = bank.load(COURSE / "answers" / f"{part.sheet}.md", notebook)
    asked = [
        a for a in answers
        if part.holds(a.exercise) and (only is None or (a.exercise, a.title) in only)
    ]  # fmt: skip
    return list(bank.trials(notebook, asked, seeds))


def tried_in_parallel(part: Part, seeds: int) -> list[tuple[int, bank.Trial]]:
    """Try the bank of a sheet on many data seeds, one process a processor.

    Every answer is asked on the first of them; on the others right answers, wrong ones that came
    near, and those that did not get what they deserve.
    """
    os.environ["OMP_NUM_THREADS"] = "1"  # inherited: the processes are the parallelism
    workers = os.cpu_count() or 1
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:

        def on(chosen: range, only: Collection[Key] | None = None) -> list[tuple[int, bank.Trial]]:
            shares = [chosen[w::workers] for w in range(workers)]
            given = [[each] * workers for each in (part, only)]
            found = pool.map(tried, given[0], shares, given[1])
            return sorted((pair for share in found for pair in share), key=lambda pair: pair[0])

        first = on(range(1, min(FIRST, seeds) + 1))
        near = {(t.answer.exercise, t.answer.title) for _, t in first if _is_near(t)}
        return first + on(range(FIRST + 1, seeds + 1), near)


def _is_near(trial: bank.Trial) -> bool:
    """Return whether a trial says that its answer must be asked on every data seed."""
    if trial.answer.kind != "wrong" or not trial.as_expected:
        return trial.answer.kind != "missing"
    return max((m.ratio for m in trial.measured), default=0.0) < FAR


def margins(trials: Iterable[bank.Trial]) -> list[Margin]:
    """Return the margins of each exercise.

    An answer's distance is its largest measured ratio. Answers marked «stops early» are a matter
    of degree, those of too few draws one of chance: both are left out of the nearest wrong one.
    """
    found: dict[str, Margin] = {}
    for trial in trials:
        answer = trial.answer
        margin = found.setdefault(answer.exercise, Margin(answer.exercise))
        margin.trials += 1
        if not trial.measured:
            continue
        ratio = max(m.ratio for m in trial.measured)
        if answer.kind == "right":
            margin.kinds |= {m.kind for m in trial.measured}
            if ratio >= margin.worst_right:
                margin.worst_right, margin.worst_right_title = ratio, answer.title
        elif (
            answer.kind == "wrong"
            and "stops early" not in (answer.title, answer.wrong_turn)
            and answer.wrong_turn != "too few draws"
            and ratio < margin.nearest_wrong
        ):
            margin.nearest_wrong, margin.nearest_wrong_title = ratio, answer.title
    return list(found.values())


HEAD = """# Margins of the checks

Measured by `make margins`: every answer of the bank, on fresh data, as many data seeds as the table
says. A wrong answer whose distance is above 10000 on each of the first twenty is asked on those
only. Distances are in units of the bound: 1 is the bound itself. A check has room when its worst
right answer is at most 0.1 and its nearest wrong answer at least 10. A sampled bound is a quantile,
z = 6.5, with a false-failure rate below 1e-9: right answers may come nearer to it, by chance. A
sampled tail is measured by the logarithm of its probability, 2e-12 at 1: there 1.5 is room. «inf»
is an answer that is no number at all.

| sheet | exercise | bound on | seeds | worst right | its title | nearest wrong | its title | room |
|---|---|---|---|---|---|---|---|---|
"""


def rows(name: str, found: list[Margin], seeds: int) -> list[str]:
    """Return a sheet's rows of docs/margins.md."""
    return [
        f"| {name} | {m.exercise} | {', '.join(sorted(m.kinds))} | {seeds} "
        f"| {m.worst_right:.1g} | {m.worst_right_title} | {m.nearest_wrong:.1g} "
        f"| {m.nearest_wrong_title} | {'yes' if m.wide else 'NO'} |"
        for m in found
    ]


OTHER_NAMES = """
## Told another name on some data seeds

"""


def unlike(trials: Iterable[tuple[int, bank.Trial]]) -> dict[Key, list[tuple[int, bank.Trial]]]:
    """Return the trials of each answer that did not always get what it deserves."""
    found: dict[Key, list[tuple[int, bank.Trial]]] = defaultdict(list)
    for seed, trial in trials:
        if not trial.as_expected:
            found[trial.answer.exercise, trial.answer.title].append((seed, trial))
    return dict(found)


def complaints(trials: Iterable[tuple[int, bank.Trial]]) -> list[str]:
    """Return a paragraph for each answer that did not get what it deserves, once an answer."""
    found = []
    for (exercise, title), some in unlike(trials).items():
        answer, verdict = some[-1][1].answer, some[-1][1].verdict
        found.append(
            f"{exercise}, «{title}» (data seeds {[seed for seed, _ in some]}) "
            f"deserves {answer.state} {answer.wrong_turn!r}, "
            f"got {verdict.state} {verdict.wrong_turn!r}:\n{verdict.message}"
        )
    return found


def other_names(name: str, trials: Iterable[tuple[int, bank.Trial]], seeds: int) -> list[str]:
    """Return a line for each answer that did not get what it deserves on some data seeds."""
    lines = []
    for (exercise, title), some in unlike(trials).items():
        told = {t.verdict.wrong_turn or f"{t.verdict.state}, no name" for _, t in some}
        others = " or ".join(f"«{each}»" for each in sorted(told))
        deserved = some[0][1].answer.wrong_turn or some[0][1].answer.state
        lines.append(
            f"- {name} {exercise}: «{title}», on {len(some)} of {seeds} {others} "
            f"in the place of «{deserved}»"
        )
    return lines


def main(seeds: int = 200, words: Sequence[str] = ()) -> int:
    """Measure sheets, all by default, or some of their exercises; return how much is amiss.

    Prints complaints, and writes docs/margins.md sheet by sheet.
    """
    bad = 0
    for part in measured.parts(words):
        trials = tried_in_parallel(part, seeds)
        for complaint in complaints(trials):
            bad += 1
            print(f"{part.sheet}: {complaint}\n")
        found = margins(trial for _, trial in trials)
        bad += sum(not m.wide for m in found)
        table = rows(part.sheet, found, seeds)
        print("\n".join(table), flush=True)
        if seeds >= LONG:
            new = [*table, *other_names(part.sheet, trials, seeds)]
            measured.rewrite(COURSE.parent / "docs" / "margins.md", HEAD, part, new, OTHER_NAMES)
    return bad


if __name__ == "__main__":
    import sys

    raise SystemExit(min(1, main(int(sys.argv[1]), sys.argv[2:])))
