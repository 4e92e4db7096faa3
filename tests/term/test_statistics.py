"""Are the report's numbers right: against numbers by hand, and against abilities that are known?"""

import math

import numpy as np
import pytest

from course.grading.ledger.standing import Mark, Standing
from course.grading.result import Result
from course.grading.result import TestResult as Said
from course.term import statistics

SHEET = "01-tiny"


def submission(student, **points):
    """Return a result of tests worth 2 points each; None is a written answer that waits."""
    tests = {}
    for name, got in points.items():
        state = "manual" if got is None else "passed" if got else "failed"
        tests[name] = Said(state, got or 0.0, 2.0)
    return Result(student, SHEET, 0.0, 2.0 * len(tests), "none", 0.1, tests)


def of(rows):
    results = [submission(f"s{i}", **row) for i, row in enumerate(rows)]
    return {q.test: q for q in statistics.questions(results, {})}


def test_are_difficulty_and_discrimination_those_computed_by_hand():
    a, b, c = [2, 2, 2, 2, 0, 0], [2, 2, 0, 0, 0, 0], [2, 0, 2, 0, 2, 0]
    found = of([{"a": x, "b": y, "c": z} for x, y, z in zip(a, b, c, strict=True)])
    assert found["a"].difficulty == pytest.approx(1 - 8 / 12)
    assert found["b"].difficulty == pytest.approx(1 - 4 / 12)
    assert found["c"].difficulty == pytest.approx(0.5)
    # a with b + c = 4, 2, 2, 0, 2, 0: mean 4/3 and 5/3; by hand, sums of products of differences.
    # Σ(a − 4/3)(y − 5/3) = 2·(4 + 2 + 2 + 0) − 6·(4/3)·(5/3) = 16 − 40/3 = 8/3
    # Σ(a − 4/3)² = 16 − 32/3 = 16/3; Σ(y − 5/3)² = 28 − 50/3 = 34/3
    assert found["a"].discrimination == pytest.approx((8 / 3) / math.sqrt(16 / 3 * 34 / 3))
    # c with a + b = 4, 4, 2, 2, 0, 0: Σ c·y − 6·1·2 = 2·(4 + 2 + 0) − 12 = 0
    assert found["c"].discrimination == pytest.approx(0, abs=1e-12)
    r = found["a"].discrimination
    low, high = found["a"].interval
    assert math.atanh(high) - math.atanh(r) == pytest.approx(1.959964 / math.sqrt(3))
    assert math.atanh(r) - math.atanh(low) == pytest.approx(1.959964 / math.sqrt(3))


def test_is_a_class_of_known_abilities_found_again():
    """Two-parameter logistic questions: chance to pass 1 / (1 + exp(−slope·(ability − place)))."""
    rng = np.random.default_rng(3)
    n, places, slopes = 1500, [-1.5, -0.5, 0, 0.5, 1.5, 0], [1.5, 1.5, 3.0, 1.5, 1.5, 0.0]
    ability = rng.normal(size=n)
    chances = 1 / (1 + np.exp(-np.array(slopes) * (ability[:, None] - np.array(places))))
    passed = rng.random(chances.shape) < chances
    found = of([{f"q{i}": 2.0 * x for i, x in enumerate(row)} for row in passed])
    for i, chance in enumerate(chances.T):
        error = 5 * math.sqrt(0.25 / n)
        assert found[f"q{i}"].difficulty == pytest.approx(1 - chance.mean(), abs=error)
        others = [j for j in range(6) if j != i]
        y = passed[:, others].sum(axis=1)
        assert found[f"q{i}"].discrimination == pytest.approx(np.corrcoef(passed[:, i], y)[0, 1])
    # The steepest question tells most, the one that ability does not help with nothing.
    told = {name: q.discrimination for name, q in found.items()}
    assert max(told, key=told.get) == "q2"
    assert abs(told["q5"]) < 5 / math.sqrt(n)
    assert min(told[f"q{i}"] for i in range(5)) > 0.2


def test_does_what_a_person_gave_count():
    rows = [submission(f"s{i}", a=2.0 * (i % 2), b=2.0 * (i > 2)) for i in range(6)]
    marks = {"a": Mark(0.0, 1.0, 0.5, False, 2.0), "b": Mark(0.0, None, None, False, 2.0)}
    standings = {("s0", SHEET): Standing("s0", SHEET, None, None, None, None, marks)}
    before = of([{"a": 2.0 * (i % 2), "b": 2.0 * (i > 2)} for i in range(6)])["a"]
    after = {q.test: q for q in statistics.questions(rows, standings)}["a"]
    assert before.difficulty == pytest.approx(0.5)
    assert after.difficulty == pytest.approx(1 - 7.5 / 12)
    assert after.discrimination != pytest.approx(before.discrimination)


def test_is_a_file_that_is_no_notebook_a_hard_question():
    rows = [submission(f"s{i}", a=2.0 * (i % 2), b=2.0 * (i > 2)) for i in range(6)]
    refused = Result("x", SHEET, 0, 4, "none", 0, {
        name: Said("refused", 0.0, 2.0) for name in "ab"
    })  # fmt: skip
    one, other = statistics.questions(rows, {}), statistics.questions([*rows, refused], {})
    assert one == other


def test_do_written_answers_count_before_all_are_read():
    rows = [{"a": 2.0 * (i % 2), "b": 2.0 * (i > 2), "w": None if i else 1.0} for i in range(6)]
    found = of(rows)
    assert found["w"].difficulty is None
    assert found["w"].waiting == 5
    assert found["w"].written
    without = of([{k: v for k, v in row.items() if k != "w"} for row in rows])
    assert found["a"].discrimination == pytest.approx(without["a"].discrimination)


@pytest.mark.parametrize("n", [1, 4])
def test_is_anything_said_of_a_handful(n):
    assert of([{"a": 2.0 * (i % 2), "b": 2.0 * (i % 2)} for i in range(n)])["a"].interval is None


def test_is_a_question_that_all_pass_said_to_tell_nothing():
    found = of([{"a": 2.0, "b": 2.0 * (i % 2)} for i in range(8)])
    assert found["a"].difficulty == 0
    assert found["a"].discrimination is None


def test_who_is_stuck():
    rows = [submission("all", a=2, b=2, c=2), submission("one", a=2, b=0, c=0),
            submission("half", a=2, b=2, c=0)]  # fmt: skip
    latest, found = statistics.stuck(rows, {}, ["all", "one", "half", "absent"])
    assert latest == SHEET
    assert [(s.student, s.passed, s.of, s.handed_in) for s in found] == [
        ("absent", 0, 3, False), ("one", 1, 3, True),
    ]  # fmt: skip
