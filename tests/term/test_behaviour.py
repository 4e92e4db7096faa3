"""Do answers without a name fall into the groups that the bank's titles make?"""

import random
import sys
from collections import Counter

import numpy as np
import pytest
import torch
from support.listening import listening
from support.project import PROJECT, SHEETS

from course.authoring import sheet
from course.grading.result import TestResult as Said
from course.proving import bank
from course.term import behaviour
from course.term.behaviour import Behaviour, Reply
from helpers.check.kit.exercise import Exercise

STUDENTS = 60


@pytest.fixture
def without_half_of_the_turns():
    """Take half of all wrong turns out of every check."""
    modules = [m for name, m in sys.modules.items() if name.startswith("helpers.check.")]
    found = {id(e): e for m in modules for e in vars(m).values() if isinstance(e, Exercise)}
    before = [(one, one.turns) for one in found.values()]
    names = sorted({turn.name for _, turns in before for turn in turns})
    out = set(random.Random(5).sample(names, len(names) // 2))
    for one, turns in before:
        object.__setattr__(one, "turns", tuple(t for t in turns if t.name not in out))
    yield out
    for one, turns in before:
        object.__setattr__(one, "turns", turns)


def measured(truth, groups):
    """Return purity and recall of groups, given the title of each member."""
    n = len(truth)
    of = {member: place for place, group in enumerate(groups) for member in group}
    purity = sum(max(Counter(truth[m] for m in g).values()) for g in groups) / n
    titles = Counter((truth[m], of[m]) for m in truth)
    best = {}
    for (title, _), count in titles.items():
        best[title] = max(best.get(title, 0), count)
    return purity, sum(best.values()) / n


def of(said):
    return Said(said.state, 0, 1, str(said.message), said.wrong_turn)


def a_class(heard, seed):
    """Return what each of 60 students wrote to each exercise, of those that lost their name."""
    nameless = [key for key, (_, said, _) in heard.items() if behaviour.nameless(of(said))]
    choose = random.Random(seed)
    by_exercise = {}
    for key in sorted(nameless):
        by_exercise.setdefault(key[0], []).append(key)
    return {
        exercise: {f"s{i}": choose.choice(keys) for i in range(STUDENTS)}
        for exercise, keys in by_exercise.items()
    }


@pytest.mark.parametrize(
    ("name", "exercises"),
    [("01-autodiff", ["derivative"]),
     *(pytest.param(name, [], marks=pytest.mark.night) for name in SHEETS)],
)  # fmt: skip
def test_do_groups_recover_the_banks_titles(
    name, exercises, monkeypatch, without_half_of_the_turns, capsys
):
    notebook = sheet.load(PROJECT / "course" / "sheets" / f"{name}.md")
    answers = [
        a for a in bank.load(PROJECT / "course" / "answers" / f"{name}.md", notebook)
        if a.kind == "wrong" and (not exercises or a.exercise in exercises)
    ][: 12 if exercises else None]  # fmt: skip
    with listening(monkeypatch) as heard:
        list(bank.trials(notebook, answers, [7]))
    titles, turns, groups = {}, {}, []
    for exercise, wrote in a_class(heard, name).items():
        said = {s: of(heard[key][1]) for s, key in wrote.items()}
        known = {s: heard[key][2] for s, key in wrote.items()}
        for student, key in wrote.items():
            titles[exercise, student] = key
            turns[exercise, student] = exercise, heard[key][0].wrong_turn
        groups += [[(exercise, s) for s in g] for g, _ in behaviour.grouped(said, known)]
    by_title, by_turn = measured(titles, groups), measured(turns, groups)
    lost = [s for a, s, _ in heard.values() if a.wrong_turn in without_half_of_the_turns]
    with capsys.disabled():
        print(
            f"\n{name}: of {len(lost)} answers that lost their turn "
            f"{sum(behaviour.nameless(of(s)) for s in lost)} have no name; "
            f"{len(set(titles.values()))} titles in {len(groups)} groups: purity "
            f"{by_title[0]:.3f}, recall {by_title[1]:.3f}; of their turns {by_turn[0]:.3f}, "
            f"{by_turn[1]:.3f}"
        )
    assert len(set(titles.values())) >= (3 if exercises else 20)
    assert by_title[0] >= 0.85
    assert by_title[1] >= 0.95


def one(**replies):
    return Behaviour({k: behaviour.reply(v) for k, v in replies.items()}, False, True, "")


def test_are_answers_of_another_precision_or_form_alike():
    value = torch.tensor([1.0, 2.5], dtype=torch.float64)
    for other in (value.float(), value.numpy(), np.float32(value.numpy())):
        assert behaviour.alike(one(a=value), one(a=other))
    assert behaviour.alike(one(a=value, b=1), one(a=value, c=2)), "what both were asked counts"
    assert behaviour.alike(one(a=float("nan")), one(a=float("nan")))


@pytest.mark.parametrize(
    "other",
    [torch.tensor([1.0, 2.501]), torch.tensor([[1.0, 2.5]]), torch.tensor([1.0, float("nan")]),
     None, "text", ValueError("no")],
)  # fmt: skip
def test_are_answers_that_differ_alike(other):
    assert not behaviour.alike(one(a=torch.tensor([1.0, 2.5])), one(a=other))
    assert not behaviour.alike(one(a=1.0), one(b=1.0)), "nothing was asked of both"


def test_do_errors_of_unlike_data_count_as_the_same():
    one = behaviour.reply(ValueError("size 12 for 40"))
    assert one == behaviour.reply(ValueError("size 3 for 7"))
    assert behaviour.reply(ValueError("no")) != behaviour.reply(TypeError("no"))


def test_do_words_decide_where_chance_does():
    said = {s: Said("failed", 0, 1, f"✗ draws: {i}.5 of 9", "") for i, s in enumerate("abc")}
    said["d"] = Said("failed", 0, 1, "✗ another case", "")
    known = {
        s: Behaviour({"k": Reply("n[]", (float(i),))}, True, True, "") for i, s in enumerate("abd")
    }
    found = behaviour.grouped(said, known)
    assert sorted(found) == [(("a", "b", "c"), "words"), (("d",), "words")]
