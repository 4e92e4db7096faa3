"""kl_monte_carlo(p, q, n): KL divergence by sampling, with its standard error."""

import math
from collections.abc import Callable

import torch
from torch.distributions import Normal, kl_divergence

from helpers.check.kit.asks import Argument, Draws, Given, Jointly
from helpers.check.kit.chance import TOO_MANY, Chance, Scripted
from helpers.check.kit.compare import AnyOf, several
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise
from helpers.check.kl import analytic

N = (30, 61)


def _p(u: Draws, given: Given) -> Scripted:
    return Scripted("p", u.real(-3, 3), u.real(3, 5), u.normal(max(N)))


def _q(u: Draws, given: Given) -> Scripted:
    p = given["p"]
    loc = float(p.loc) + u.choice((-1, 1)) * u.real(1.2, 2.2) * float(p.scale)
    return Scripted("q", loc, float(p.scale) * u.real(1.2, 1.5), u.normal(max(N)))


def _nearer(u: Draws, given: Given) -> Jointly:
    """Return draws that lie, by chance as it were, where q has more mass than p."""
    loc, scale = u.real(-3, 3), u.real(3, 5)
    p = Scripted("p", loc, scale, u.normal(max(N), 1.3, 0.6))
    return Jointly(p=p, q=Scripted("q", loc + 1.5 * scale, 0.7 * scale, u.normal(max(N))))


def _narrow(u: Draws, given: Given) -> Scripted:
    """Return a q so narrow that its density underflows at most draws from p, not its log."""
    return Scripted("q", u.real(-3, 3), u.real(0.02, 0.03), u.normal(max(N)))


def _shown(normal: Normal) -> str:
    return f"Normal({float(normal.loc):.2f}, {float(normal.scale):.2f})"


def _with_error(terms: torch.Tensor, n: int | None = None) -> AnyOf:
    """Return mean and standard error, with n or n − 1 in the variance."""
    root = math.sqrt(len(terms) if n is None else n)
    return AnyOf(*[(terms.mean(), terms.std(correction=c) / root) for c in (1, 0)])


def reference(p: Scripted, q: Scripted, n: int) -> AnyOf:
    """Return the mean of n log-ratios, and their standard deviation over √n."""
    x = p.draws(n)
    return _with_error(p.log_prob(x) - q.log_prob(x))


def by_mean(p: Scripted, q: Scripted, n: int) -> object:
    """Mean and standard error as the sheet leads to them."""
    x = p.sample((n,))
    log_ratios = p.log_prob(x) - q.log_prob(x)
    return log_ratios.mean(), (log_ratios.var() / n) ** 0.5


def _ratios(p: Scripted, q: Scripted, n: int) -> torch.Tensor:
    x = p.draws(n)
    return p.log_prob(x) - q.log_prob(x)


def _of_terms(change: Callable[[torch.Tensor], torch.Tensor]) -> Callable[..., AnyOf]:
    return lambda p, q, n: _with_error(change(_ratios(p, q, n)))


def _other_error(error: Callable[[torch.Tensor], object]) -> Callable[..., AnyOf]:
    def gives(p: Scripted, q: Scripted, n: int) -> AnyOf:
        terms = _ratios(p, q, n)
        return AnyOf(*[(terms.mean(), e) for e in several(error(terms))])

    return gives


def _from_q(p: Scripted, q: Scripted, n: int) -> AnyOf:
    x = q.draws(n)
    return _with_error(p.log_prob(x) - q.log_prob(x))


TURNS = (
    TOO_MANY,
    Turn("direction reversed", "this is KL(q‖p); draw from p, and put p on top of the ratio.",
         lambda p, q, n: reference(q, p, n)),
    Turn("sampled from q", "the draws must come from p: the average stands for p's integral.",
         _from_q),
    Turn("closed form", "this is the formula for two normals; here it is estimated from draws.",
         lambda p, q, n: kl_divergence(p, q), alike=lambda got, wrong: _first_alike(got, wrong)),
    Turn("sign", "the ratio is p over q: log p comes first.", _of_terms(lambda r: -r)),
    Turn("absolute log-ratio", "a log-ratio below zero counts as such: leave its sign.",
         _of_terms(torch.abs)),
    Turn("cut at zero", "an estimate may come out below zero: leave it as it is.",
         lambda p, q, n: AnyOf(*[(f(m), e) for m, e in reference(p, q, n).values
                                 for f in (torch.abs, lambda v: v.clamp(min=0))])),
    Turn("median for mean", "a divergence is a mean of log-ratios, not their median.",
         lambda p, q, n: AnyOf(*[(m, e) for _, e in reference(p, q, n).values
                                 for m in (_ratios(p, q, n).median(),
                                           _ratios(p, q, n).quantile(0.5))])),
    Turn("log of the mean", "take the logarithm of each ratio first, and average afterwards.",
         lambda p, q, n: _ratios(p, q, n).exp().mean().log(),
         alike=lambda got, wrong: _first_alike(got, wrong)),
    Turn("second moment", "a spread is measured from the mean: subtract it before you square.",
         lambda p, q, n: (_ratios(p, q, n).mean(), ((_ratios(p, q, n) ** 2).mean() / n).sqrt())),
    Turn("width of a band", "one standard error is asked for, not the width of a band.",
         _other_error(lambda r: AnyOf(*[c * r.std() / math.sqrt(len(r)) for c in (1.96, 2, 3)]))),
    Turn("log base 2", "your unit is the bit; take natural logarithms.",
         _of_terms(lambda r: r / math.log(2))),
    Turn("log forgotten", "average the logarithms of the ratios, not the ratios.",
         _of_terms(torch.exp)),
    Turn("weighted twice", "draws from p carry its weights already: do not multiply with p again.",
         lambda p, q, n: _with_error(_ratios(p, q, n) * p.log_prob(p.draws(n)).exp())),
    Turn("entropy forgotten", "this is the cross-entropy: log p(x) is missing from the log-ratio.",
         lambda p, q, n: _with_error(-q.log_prob(p.draws(n)))),
    Turn("sum for mean", "divide the sum of the log-ratios by their number.",
         lambda p, q, n: AnyOf(*[(n * m, e) for m, s in _with_error(_ratios(p, q, n)).values
                                 for e in (s, n * s, s * math.sqrt(n))])),
    Turn("pair in wrong order", "the estimate comes first, its standard error second.",
         lambda p, q, n: AnyOf(*[pair[::-1] for pair in reference(p, q, n).values])),
    Turn("spread of one term", "this is how far one log-ratio strays; a mean of n of them strays "
         "less.", _other_error(lambda r: r.std())),
    Turn("n for its root", "the error of a mean shrinks with the root of n, not with n.",
         _other_error(lambda r: r.std() / len(r))),
    Turn("variance for standard error", "the standard error has the unit of the estimate: take the "
         "root of the variance.",
         lambda p, q, n: AnyOf(*[(r.mean(), r.var(correction=c) / d) for r in [_ratios(p, q, n)]
                                 for c in (0, 1) for d in (1, n, math.sqrt(n))])),
    Turn("error of the draws", "you measured how far the draws stray; it is the log-ratios that "
         "are averaged.",
         lambda p, q, n: AnyOf(*[(_ratios(p, q, n).mean(), s / math.sqrt(n))
                                 for s in (p.draws(n).std(), p.draws(n).std(correction=0),
                                           p.scale)])),
    Turn("entropy in closed form", "both logarithms are taken at each draw, and averaged.",
         lambda p, q, n: AnyOf(*[(mean - p.entropy(), error) for mean, error
                                 in _with_error(-q.log_prob(p.draws(n))).values])),
    Turn("two kinds of draws", "both log-densities are taken at the same draws, those from p.",
         lambda p, q, n: _with_error(p.log_prob(p.draws(n)) - q.log_prob(q.draws(n)))),
    Turn("another estimator", "the mean of the log-ratios themselves is asked for.",
         lambda p, q, n: AnyOf(*[pair for r in [_ratios(p, q, n)]
                                 for terms in (r + (-r).exp() - 1, r**2 / 2)
                                 for pair in _with_error(terms).values])),
    Turn("fewer draws than n", "the estimate is the mean of fewer than n draws: use all of them.",
         lambda p, q, n: AnyOf(*[_ratios(p, q, k).mean() for k in range(1, n)]),
         alike=lambda got, wrong: any(_first_alike(got, w) for w in wrong.values)),
)  # fmt: skip


def _first_alike(got: object, wrong: torch.Tensor) -> bool:
    try:
        return abs(float(got[0]) - float(wrong)) < 1e-4 * abs(float(wrong))  # type: ignore[index]
    except (TypeError, ValueError, IndexError):
        return False


def _free(u: Draws, n: int) -> tuple[Normal, Normal, int]:
    p = _p(u, {})
    q = _q(u, {"p": p})
    return Normal(p.loc, p.scale), Normal(q.loc, q.scale), n


def _moments(p: Normal, q: Normal, n: int) -> tuple[float, float]:
    given = [float(v) for v in (p.loc, p.scale, q.loc, q.scale)]
    kl, variance, _ = analytic.log_ratio_cumulants(*given)
    return kl, math.sqrt(variance / n)


EXERCISE = Exercise(
    name="kl_monte_carlo",
    arguments=(
        Argument("p", _p, shown=_shown, alone=False),
        Argument("q", _q, shown=_shown, edges={
            "an estimate below zero": _nearer, "a narrow q": _narrow}),
        Argument("n", lambda u, given: u.choice(N), edges={"of two draws": 2}, alone=False),
    ),
    reference=reference,
    turns=TURNS,
    worked=(by_mean,),
    parts=("estimate", "standard error"),
    chance=Chance(_free, _moments, sizes=(2, 50), times=400),
    passed="kl_monte_carlo: estimate and standard error, on given draws and on 800 sets of new "
    "ones.",
)  # fmt: skip
kl_monte_carlo = EXERCISE.check
