"""Is every answer asked the same questions, without a line in the exercise?"""

import math
from dataclasses import replace

import pytest
import torch

from helpers import data
from helpers.check.kit.agree import Close, Outcome, UpToConstant
from helpers.check.kit.asks import (
    EDGE,
    TYPICAL,
    Argument,
    Case,
    Jointly,
    cases,
    positive,
    real,
    sample,
    whole,
)
from helpers.check.kit.calling import own_copy
from helpers.check.kit.chance import Chance, MayDraw, Scripted
from helpers.check.kit.compare import AnyOf, same
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.elements import by_elements
from helpers.check.kit.entries import Entries
from helpers.check.kit.exercise import Exercise, Together
from helpers.check.kit.learned import Learned
from helpers.check.kit.message import CheckFailed

DOUBLE = torch.float64


def reference(x, loc, scale):
    """Return the sum of squared z, a function that every argument moves."""
    return (((x - loc) / scale) ** 2).sum()


SQUARES = Exercise(
    name="squares",
    arguments=(
        sample(
            "x", lambda u, given, n: u.normal(n, 3.0, 2.0), many=(5, 12), sizes=(1,),
            dtypes=(torch.float32,), edges={"without observations": torch.zeros(0, dtype=DOUBLE)},
            used_instead=lambda: data.normal("test: the sheet's x", 9, 3.0, 2.0),
        ),
        real("loc", -2, 2),
        positive("scale", 0.5, 3),
    ),
    reference=reference,
    turns=(Turn("no root", "σ, not σ².", lambda x, loc, scale: reference(x, loc, scale**0.5)),),
    slopes=("loc",),
    passed="squares.",
)  # fmt: skip


def told(exercise, answer):
    """Return the name that an answer gets, empty where it passes."""
    try:
        exercise.check(answer)
    except CheckFailed as failure:
        return failure.wrong_turn or "nameless"
    return ""


def changes_x(x, loc, scale):
    x -= loc
    return ((x / scale) ** 2).sum()


def tracks_x(x, loc, scale):
    x.requires_grad_(True)
    return reference(x, loc, scale)


def fills_grad(x, loc, scale):
    if not x.requires_grad and x.is_leaf:
        x.requires_grad_(True)
    (x**2).sum().backward()
    x.requires_grad_(False)
    return reference(x.detach(), loc, scale)


def seeds(x, loc, scale):
    torch.manual_seed(3)
    return reference(x, loc, scale)


def switches_off(x, loc, scale):
    torch.set_grad_enabled(False)
    return reference(x, loc, scale)


def sets_dtype(x, loc, scale):
    torch.set_default_dtype(DOUBLE)
    return reference(x, loc, scale)


CALLS = []


def remembers(x, loc, scale):
    CALLS.append(1)
    return reference(x, loc, scale) + (len(CALLS) > len(SQUARES.cases()))


def single(x, loc, scale):
    return reference(x.double(), loc, scale) if x.dtype == DOUBLE else x.sum()


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        (reference, ""),
        (lambda x, loc, scale: reference(x, loc, scale**0.5), "no root"),
        (changes_x, "x changed in place"),
        (tracks_x, "x left tracked"),
        (fills_grad, "x.grad filled"),
        (seeds, "seed set inside"),
        (switches_off, "gradients left off"),
        (sets_dtype, "default dtype changed"),
        (remembers, "differs on the second call"),
        (lambda x, loc, scale: reference(x, loc, 1.0), "scale taken as 1"),
        (lambda x, loc, scale: reference(x, loc, 1.7), "scale ignored"),
        (lambda x, loc, scale: reference(x, scale, loc), "loc and scale exchanged"),
        (lambda x, loc, scale: reference(x, loc, scale**2), "scale squared"),
        (lambda x, loc, scale: reference(x[:3], loc, scale), "only the first 3"),
        (lambda x, loc, scale: reference(x[:-1], loc, scale), "last one left out"),
        (lambda x, loc, scale: reference(SQUARES.arguments[0].used_instead(), loc, scale),
         "the sheet's x"),
        (lambda x, loc, scale: reference(x, int(loc), scale), "loc made whole"),
        (lambda x, loc, scale: 1e-9 * reference(x, loc, scale) ** 2, "nameless"),
        (lambda x, loc, scale: -reference(x, loc, scale), "negated"),
        (lambda x, loc, scale: reference(x, loc, scale) / max(len(x), 1), "mean for sum"),
        (lambda x, loc, scale: reference(x, loc, scale) * 1.37, "constant factor"),
        (lambda x, loc, scale: reference(x, loc, scale) + 0.37, "constant added"),
        (lambda x, loc, scale: round(float(reference(x, loc, scale)), 2), "rounded"),
        (lambda x, loc, scale: reference(x, loc, scale) * (1 + 0.01 * math.sin(float(x.sum()))),
         "near but not equal"),
        (lambda x, loc, scale: reference(x, loc, scale) if len(x) else 1.0,
         "without observations"),
        (lambda x, loc, scale: reference(x, loc, scale) if len(x) != 1 else 7.0, "x of size 1"),
        (single, "in float32"),
        (lambda x, loc, scale: reference(x.detach(), float(loc), float(scale)), "no slope"),
        (lambda x, loc, scale: "many", "text for numbers"),
        (lambda x, loc, scale: torch.ones(2), "many numbers for one"),
        (lambda x, loc, scale: (-2.0) ** 0.5, "complex numbers"),
        (lambda x, loc, scale: x > 0, "truth values"),
        (lambda x, loc, scale: math.nan, "not a number"),
        (lambda x, loc: 1.0, "raised an error"),
        (3.0, "wrong type"),
    ],
)  # fmt: skip
def test_what_is_an_answer_told(answer, name):
    CALLS.clear()
    with data.seeded(5):
        assert told(SQUARES, answer) == name
    assert torch.is_grad_enabled()
    assert torch.get_default_dtype() == torch.float32


def test_is_an_unsolved_stub_told_so():
    def stub(x, loc, scale):
        raise NotImplementedError

    assert told(SQUARES, stub) == "unsolved"


def test_does_a_check_leave_the_notebooks_random_state_alone():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    SQUARES.check(reference)
    assert torch.equal(before, torch.get_rng_state())


def test_are_cases_the_same_at_a_desk_and_fresh_elsewhere():
    def first():
        return SQUARES.cases()[0].args[0]

    assert torch.equal(first(), first())
    with data.seeded(7):
        assert not torch.equal(first(), SQUARES.cases()[1].args[0])
        fresh = first()
    assert fresh.shape == first().shape
    assert not torch.equal(fresh, first())


def test_does_a_message_say_how_to_have_the_case_again():
    with pytest.raises(CheckFailed) as caught:
        SQUARES.check(lambda x, loc, scale: 0.0)
    assert caught.value.again.startswith('squares(*check.case("squares", ')
    assert "again" in str(caught.value)


def test_are_functions_of_one_exercise_checked_in_order():
    both = Together((SQUARES, SQUARES), "both.")
    assert both.check(reference, reference)
    with pytest.raises(CheckFailed):
        both.check(reference, lambda *args: 0.0)


TIGHT = Exercise(
    name="total",
    arguments=(sample("x", lambda u, given, n: u.normal(n, 3.0, 2.0), many=(5, 12)),),
    reference=lambda x: x.sum(),
    agree=Close(rtol=1e-9),
    turns=(Turn("doubles left out", "all of them.", lambda x: x.unique().sum()),),
    passed="total.",
)


def test_does_what_changes_nothing_explain_a_small_miss():
    """No value occurs twice: leaving doubles out is right, and no reason for what is rounded."""
    assert told(TIGHT, lambda x: round(float(x.sum()), 4)) == "rounded"
    assert told(TIGHT, lambda x: x.sum() * 1.000001) == "constant factor"


# --- learning ----------------------------------------------------------------------------------


def loss(theta, x):
    """Return the mean negative log-likelihood of Normal(theta, 1)."""
    return 0.5 * ((x - theta) ** 2).mean()


MEAN = Exercise(
    name="fit",
    arguments=(sample("x", lambda u, given, n: u.normal(n, u.real(2, 4), 1.0), many=(50, 90)),),
    reference=lambda x: x.mean(),
    agree=Learned(mean_nll=loss, start=lambda x: AnyOf(0.0, 10.0)),
    turns=(Turn("median", "the mean.", lambda x: x.median(), tolerance=1e-6),),
    passed="fit.",
)


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        (lambda x: x.mean(), ""),
        (lambda x: x.median(), "median"),
        (lambda x: 0.5 * x.mean(), "half of it"),
        (lambda x: 0.42 * x.mean() + 0.1 * x[0], "stops early"),
        (lambda x: -40.0 - 3 * x[0], "uphill"),
    ],
)
def test_is_stopping_early_told_from_going_elsewhere(answer, name):
    assert told(MEAN, answer) == name


# --- chance ------------------------------------------------------------------------------------

ESTIMATE = Exercise(
    name="average",
    arguments=(whole("n", 2, 2),),
    reference=lambda n: 0.0,
    agree=Learned(mean_nll=lambda theta, n: 0 * theta, size=lambda n: 1),
    chance=Chance(lambda u, n: (n,), lambda n: (0.0, 1 / math.sqrt(n)), sizes=(2, 40)),
    passed="average.",
)


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        (lambda n: torch.randn(n).mean(), ""),
        (lambda n: torch.randn(n).mean() + 1 / n, "biased at n = 2"),
        (lambda n: torch.randn(1000).mean(), "draws too many"),
        (lambda n: torch.randn(1).mean(), "draws too few"),
        (lambda n: torch.zeros(()), "no fresh draws"),
        (lambda n: (torch.manual_seed(0), torch.randn(n).mean())[1], "seed set inside"),
    ],
)
def test_is_a_random_answer_asked_freely(answer, name):
    assert told(ESTIMATE, answer) == name


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        (lambda p: p.sample((4,)).mean(), ""),
        (lambda p: torch.randn(4).mean(), "draws of its own"),
    ],
)
def test_is_a_draw_from_elsewhere_told_so(answer, name):
    noise = torch.tensor([0.3, -1.2, 0.7, 0.1], dtype=DOUBLE)
    p = Argument("p", lambda u, given: Scripted("p", 1.0, 2.0, u.choice((noise, 2 * noise))))
    drawn = Exercise("drawn", (p,), lambda p: p.draws(4).mean(), "drawn.", chance=MayDraw())
    assert told(drawn, answer) == name


def test_may_an_argument_be_a_function():
    functions = Argument("f", lambda u, given: u.choice((torch.exp, torch.cos)), alone=False)
    applied = Exercise("applied", (functions, real("x", 0.1, 0.4)),
                       lambda f, x: f(torch.tensor(x)), "applied.")  # fmt: skip
    assert applied.check(lambda f, x: f(torch.tensor(x)))
    assert told(applied, lambda f, x: -f(torch.tensor(x))) == "negated"


def test_may_an_edge_need_several_arguments():
    both = Jointly({"low": 2.0, "high": 2.0})
    asked = cases("f", (real("low", 0, 1), real("high", 1, 2, edges={"both alike": both})), 1)
    assert asked[-1].args == (2.0, 2.0)
    assert asked[-1].described == "f(low=2, high=2), both alike"


def test_may_an_edge_move_several_arguments():
    both = real("x", 1, 2, edges={"both at zero": Jointly(x=0.0, y=0.0)})
    added = Exercise("added", (both, real("y", 1, 2)), lambda x, y: x + y, "added.")
    assert [c.args for c in added.cases() if c.kind == EDGE] == [(0.0, 0.0)]
    assert told(added, lambda x, y: x + y or 1.0) == "both at zero"


# --- values under the keys of a dict -----------------------------------------------------------

RATES = Entries(
    exercises=(
        Exercise('rates["slow"]', (), lambda: 0.1, "slow.", typical=1),
        Exercise('rates["fast"]', (), lambda: (1.0, 2.0), "fast.", typical=1),
    ),
    passed="rates.",
    name="rates",
    keys=("slow", "fast"),
    form='{"slow": ..., "fast": ...}',
)


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        ({"slow": 0.1, "fast": (1.0, 2.0)}, ""),
        ({"slow": 0.1, "fast": [1.0, 2.0], "more": None}, ""),
        ({"slow": 0.2, "fast": (1.0, 2.0)}, "nameless"),
        ({"slow": 0.1, "fast": 1.0}, "one number for many"),
        ({"slow": 0.1}, "wrong shape"),
        ({"slow": None, "fast": (1.0, 2.0)}, "nothing returned"),
        (0.1, "wrong type"),
    ],
)
def test_is_a_dict_checked_key_by_key(answer, name):
    assert told(RATES, answer) == name


def test_does_a_message_on_a_value_speak_of_no_call():
    with pytest.raises(CheckFailed) as caught:
        RATES.check({"slow": 0.2, "fast": (1.0, 2.0)})
    assert caught.value.tested == 'rates["slow"]'
    assert not caught.value.again


@pytest.mark.parametrize(
    "by_chance",
    [
        lambda x, loc, scale: reference(x, loc, scale) * (1 + 1e-3 * torch.rand(())),
        lambda x, loc, scale: torch.rand(()),
    ],
)
def test_is_chance_where_nothing_is_random_told_so(by_chance):
    assert told(SQUARES, by_chance) == "differs on the second call"


def moments(x):
    """Return the mean of rows and their second moments, parts of unlike shapes."""
    return x.mean(0), x.T @ x / len(x)


MOMENTS = Exercise(
    name="moments",
    arguments=(sample("x", lambda u, given, n: u.normal(2 * n, 3.0, 2.0).reshape(n, 2),
                      many=(5, 12), sizes=(1,)),),
    reference=moments,
    parts=("mean", "matrix"),
    passed="moments.",
)  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        (moments, ""),
        (lambda x: [v.tolist() for v in moments(x)], ""),
        (lambda x: moments(x)[0], "one value for several"),
        (lambda x: (*moments(x), 1.0), "too many or too few values"),
        (lambda x: moments(x)[::-1], "an axis too many or too few"),
        (lambda x: (moments(x)[0], moments(x)[1][0]), "an axis too many or too few"),
        (lambda x: (moments(x)[0], moments(x)[1] * len(x)), "matrix sum for mean"),
        (lambda x: (moments(x)[0] / 2, moments(x)[1]), "mean half of it"),
        (lambda x: (moments(x)[0] + x[0], moments(x)[1]), "mean is off"),
        (lambda x: moments(x[:-1] if len(x) > 1 else x), "last row left out"),
        (lambda x: moments(x.flip(1)), "columns of x reversed"),
        (lambda x: (moments(x)[0], math.nan * moments(x)[1]), "not a number"),
    ],
)
def test_are_parts_of_unlike_shapes_compared_and_told_one_by_one(answer, name):
    assert told(MOMENTS, answer) == name


# --- many numbers --------------------------------------------------------------------------------


def stretched(y, low):
    """Return one number for each y, which every y moves."""
    return low + y.exp()


LISTS = Exercise(
    name="stretched",
    arguments=(
        Argument("y", lambda u, given, n: u.uniform(5 * n, -2, 2).reshape(5, n), many=(3, 4)),
        real("low", 1, 2),
    ),
    reference=stretched,
    typical=2,
    passed="stretched.",
)


def first_off(y, low):
    x = stretched(y, low)
    x[..., 0] += y[..., 0] ** 2
    return x


def only_first(y, low):
    return torch.cat([stretched(y, low)[..., :1], y[..., 1:] ** 2], dim=-1)


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        (lambda y, low: stretched(2 * y, low), "y doubled"),
        (lambda y, low: stretched(-y, low), "sign of y"),
        (lambda y, low: stretched(y.clamp(min=0), low), "negative y cut"),
        (lambda y, low: stretched(y.clamp(max=1), low), "wrong for large y"),
        (lambda y, low: stretched(y.clamp(-1, 1), low), "wrong for far-out y"),
        (lambda y, low: stretched(y, 2.5 * low + 1), "shifted"),
        (lambda y, low: low**3 * stretched(y, low), "another factor"),
        (lambda y, low: low**2 + (1 + low) * y.exp(), "shifted and stretched"),
        (first_off, "first one is off"),
        (only_first, "only the first agrees"),
        (lambda y, low: y**3 - low**2 * y, "nameless"),
    ],
)
def test_is_it_said_which_of_many_numbers_are_off_and_how(answer, name):
    assert told(LISTS, answer) == name


def test_does_an_argument_without_a_length_move_alone():
    kinds = Argument("kind", lambda u, given, k: {"scale": u.real(1, 2) + k}, many=(0, 1))
    counted = Exercise("counted", (kinds, real("x", 1, 2)),
                       lambda kind, x: kind["scale"] * x, "counted.")  # fmt: skip
    assert counted.check(lambda kind, x: kind["scale"] * x)
    assert [c.moved for c in counted.cases()] == ["", "", "", "kind", "x"]


def logs(theta, scale):
    """Return the log-density of a normal without its constant."""
    return -0.5 * (theta / scale) ** 2


UP_TO_CONSTANT = Exercise(
    name="logs",
    arguments=(
        Argument("theta", lambda u, given, k: u.uniform(k, -3, 3), many=(4, 7), sizes=(2,)),
        positive("scale", 0.5, 3),
    ),
    reference=logs,
    agree=UpToConstant(),
    turns=(Turn("½ forgotten", "½.", lambda theta, scale: 2 * logs(theta, scale)),),
    passed="logs.",
)


@pytest.mark.parametrize("constant", [0.0, -40.0, 3e3])
def test_is_a_constant_free_where_only_differences_are_asked(constant):
    assert UP_TO_CONSTANT.check(lambda theta, scale: logs(theta, scale) + constant)
    with pytest.raises(CheckFailed) as failed:
        UP_TO_CONSTANT.check(lambda theta, scale: 2 * logs(theta, scale) + constant)
    assert failed.value.wrong_turn == "½ forgotten"


def test_is_a_constant_that_moves_with_theta_refused():
    with pytest.raises(CheckFailed):
        UP_TO_CONSTANT.check(lambda theta, scale: logs(theta, scale) + 1e-3 * theta)


def _network(u, given):
    """Return a network of one layer, its weight drawn, as an answer is handed one."""
    layer = torch.nn.Linear(2, 1, bias=False, dtype=DOUBLE)
    layer.weight.data = u.normal(2).reshape(1, 2)
    return layer


NETWORK = Exercise(
    name="network",
    arguments=(Argument("model", _network), sample("x", lambda u, given, n: u.normal(n), (3, 4))),
    reference=lambda model, x: float((model.weight.detach().sum() * x).sum()),
    passed="network.",
)


def reads(model, x):
    return model.weight.detach().sum() * x.sum()


def fills_its_gradient(model, x):
    total = model.weight.sum() * x.sum()
    total.backward()
    return total


def changes_it(model, x):
    total = reads(model, x)
    with torch.no_grad():
        model.weight += 1
    return total


def freezes_it(model, x):
    model.requires_grad_(False)
    return reads(model, x)


@pytest.mark.parametrize(
    ("answer", "name"),
    [(reads, ""), (fills_its_gradient, ""), (changes_it, "model changed in place"),
     (freezes_it, "model frozen")],
)  # fmt: skip
def test_is_a_network_watched_like_a_tensor(answer, name):
    assert told(NETWORK, answer) == name


def test_does_the_copy_of_a_network_keep_the_gradients_of_an_earlier_step():
    layer = torch.nn.Linear(2, 1)
    layer(torch.ones(1, 2)).sum().backward()
    copied = own_copy(layer)
    assert torch.equal(copied.weight.grad, torch.ones(1, 2))
    assert copied.weight is not layer.weight
    assert copied.weight.grad is not layer.weight.grad


def test_are_values_that_cannot_be_compared_unlike():
    pair = ("dead", torch.tensor([1, 2]))
    assert not same(pair, ("dead", torch.tensor([1, 2, 3])))
    assert not same(pair, ("dead", torch.tensor([3, 4])))


def test_is_a_result_in_32_bits_refused_where_the_docstring_promises_more():
    promising = replace(SQUARES, double=True, slopes=())
    assert told(promising, lambda *args: reference(*args).float()) == "single precision"
    assert told(promising, lambda *args: reference(*args).to(args[0].dtype)) == ""
    assert told(replace(SQUARES, slopes=()), lambda *args: reference(*args).float()) == ""


def test_is_a_relation_found_that_an_edge_hides():
    """Where there is nothing to add up, twice of it is zero as well, and a mean is no number."""

    def twice(x, loc, scale):
        return 2 * reference(x, loc, scale) if len(x) else torch.tensor(1.0)

    assert told(SQUARES, twice) == "twice of it"


def test_is_a_part_found_that_an_edge_hides():
    pair = replace(
        SQUARES, parts=("first", "second"), turns=(), slopes=(),
        reference=lambda x, loc, scale: (reference(x, loc, scale), x.sum() + loc),
    )  # fmt: skip

    def second_off(x, loc, scale):
        one, other = pair.reference(x, loc, scale)
        return (one if len(x) else one + 1), other + loc**2 / 7 + x.sum() ** 2

    assert told(pair, second_off) == "second is off"


def test_is_there_a_verdict_where_a_diagnosis_breaks(monkeypatch):
    def breaks(*_):
        raise RuntimeError("min(): an empty row")

    monkeypatch.setattr("helpers.check.kit.exercise.by_elements", breaks)
    off = lambda x, loc, scale: reference(x, loc, scale) + 0.1 * loc**2 + x.sum()  # noqa: E731
    with pytest.raises(CheckFailed, match="an empty row") as raised:
        SQUARES.check(off)
    assert raised.value.wrong_turn == "not diagnosed"


def test_are_numbers_compared_by_size_where_those_of_one_case_are_hardly_off():
    """By so little that each counts as right, as at the end of a descent that is cut short."""
    few, many = torch.arange(1.0, 6.0).double(), torch.arange(1.0, 21.0).double()
    outcomes = [
        Outcome(Case(0, TYPICAL, "", (few,), "f"), few, few * 1.00002, CheckFailed("f")),
        Outcome(Case(1, TYPICAL, "", (many,), "f"), many, many + (many > 12), CheckFailed("f")),
    ]
    name, _ = by_elements(SQUARES.arguments[:1], outcomes)
    assert name == "wrong for large x"
