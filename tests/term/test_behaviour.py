"""Do answers without a name fall into the groups that the bank's titles make?"""

import gc
import random
from collections import Counter

import numpy as np
import pytest
import torch
from support.listening import listening
from support.project import PROJECT

from course.authoring import sheet
from course.grading.result import TestResult
from course.proving import bank
from course.term import behaviour
from course.term.behaviour import Behaviour, Reply
from helpers.check.kit.exercise import Exercise

STUDENTS = 60


@pytest.fixture
def without_half_of_the_turns():
    """Take half of all wrong turns out of every check."""
    before = [(one, one.turns) for one in gc.get_objects() if isinstance(one, Exercise)]
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


def a_class(heard, seed):
    """Return what each of 60 students wrote to each exercise, of those that lost their name."""
    nameless = [
        key for key, (answer, said, _) in heard.items()
        if answer.kind == "wrong" and behaviour.nameless(TestResult(said.state, 0, 1, "", said.wrong_turn))
    ]  # fmt: skip
    choose = random.Random(seed)
    by_exercise = {}
    for key in sorted(nameless):
        by_exercise.setdefault(key[0], []).append(key)
    return {
        exercise: {f"s{i}": choose.choice(keys) for i in range(STUDENTS)}
        for exercise, keys in by_exercise.items()
    }


def test_do_groups_recover_the_banks_titles(
    some_sheet, monkeypatch, without_half_of_the_turns, record_property
):
    notebook = sheet.load(PROJECT / "course" / "sheets" / f"{some_sheet}.md")
    answers = bank.load(PROJECT / "course" / "answers" / f"{some_sheet}.md", notebook)
    with listening(monkeypatch) as heard:
        bank.trials(notebook, [a for a in answers if a.kind == "wrong"], seed=7)
    truth, groups = {}, []
    for exercise, wrote in a_class(heard, some_sheet).items():
        said = {
            s: TestResult("failed", 0, 1, str(heard[k][1].message), heard[k][1].wrong_turn)
            for s, k in wrote.items()
        }
        known = {s: heard[k][2] for s, k in wrote.items()}
        truth |= {(exercise, s): k for s, k in wrote.items()}
        groups += [[(exercise, s) for s in g] for g, _ in behaviour.grouped(said, known)]
    purity, recall = measured(truth, groups)
    titles = len(set(truth.values()))
    print(f"{some_sheet}: {titles} titles, purity {purity:.3f}, recall {recall:.3f}")
    record_property("purity and recall", (purity, recall))
    assert titles >= 5
    assert purity >= 0.85
    assert recall >= 0.9


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
    assert behaviour.reply(ValueError("size 12 for 40")) == behaviour.reply(
        ValueError("size 3 for 7")
    )
    assert behaviour.reply(ValueError("no")) != behaviour.reply(TypeError("no"))


def test_do_words_decide_where_chance_does():
    said = {s: TestResult("failed", 0, 1, f"✗ draws: {i}.5 of 9", "") for i, s in enumerate("abc")}
    said["d"] = TestResult("failed", 0, 1, "✗ another case", "")
    known = {
        s: Behaviour({"k": Reply("n[]", (float(i),))}, True, True, "") for i, s in enumerate("abd")
    }
    found = behaviour.grouped(said, known)
    assert sorted(found) == [(("a", "b", "c"), "words"), (("d",), "words")]
