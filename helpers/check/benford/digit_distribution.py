"""digit_distribution(model, vocabulary, prompt): first digits that a language model expects."""

from collections.abc import Callable, Sequence
from typing import Any

import torch

from helpers.check.kit.agree import Close
from helpers.check.kit.asks import Argument, Draws, Given, Jointly
from helpers.check.kit.compare import AnyOf, as_tensor
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise

Tensor = torch.Tensor
DOUBLE = torch.float64
SIZE = 48  # tokens
REACH = 12  # characters that a small model looks back

ONES = [str(d) for d in range(1, 10)]
SPACED = [f" {d}" for d in range(1, 10)]
# Pieces with more digits than one, whole and not, in front of which a space may stand.
LONG = ["10", "12", "19", "200", "25", "300", " 34", " 4000", "47", "500", " 56", "6000", " 7",
        "75", "80", " 81", "90", " 99"]  # fmt: skip
# Words that every vocabulary has: of spaces alone, or with a digit that is not first.
HIDING = [" ", "05", " 007", "0.3", ".6", " -8", "v2", "no9"]
NO_NUMBERS = ["0", "00", " 0", "0.5", " a", "an", " about", ".", ",", "\n", " town", "-",
              " (", "x8", "es", " the", "no7", " of", "hundred"]  # fmt: skip


class SmallModel:
    """A model that hands out the logits of the next token: a random function of the prompt.

    Args:
        weights: shape (SIZE, REACH + 1).
        shift: added to the logits, shape (SIZE,).
        dtype: of the logits.
    """

    def __init__(
        self, weights: Tensor, shift: Tensor | float = 0.0, dtype: torch.dtype = DOUBLE
    ) -> None:
        self.weights, self.shift, self.dtype = weights, shift, dtype

    def __call__(self, prompt: str) -> Tensor:
        """Return the logits of the next token, shape (SIZE,).

        Args:
            prompt: any text; the last characters count.
        """
        if not isinstance(prompt, str):
            raise TypeError("the model takes the prompt as a str")
        codes = [float(ord(c)) for c in prompt[-REACH:]]
        seen = torch.tensor([1.0] + [0.0] * (REACH - len(codes)) + codes, dtype=DOUBLE)
        return (self.weights @ torch.sin(seen) + self.shift).to(self.dtype)


def first(token: str) -> str:
    """Return the digit that a token begins with after spaces, "" where it begins otherwise."""
    begun = token.strip(" ")[:1]
    return begun if begun and begun in "123456789" else ""


Pick = Callable[[str], str]
Reduce = Callable[[Tensor], Tensor]


def _sums(logits: Tensor, vocabulary: Sequence[str], pick: Pick = first) -> Tensor:
    """Return the log of each digit's summed exponentials, minus infinity where it has no token."""
    return torch.stack([
        logits[[i for i, token in enumerate(vocabulary) if pick(token) == d]].logsumexp(0)
        for d in ONES
    ])  # fmt: skip


def reference(model: Any, vocabulary: Sequence[str], prompt: str) -> Tensor:
    """Return the probabilities of the digits 1 to 9, given that one of them comes next."""
    return _sums(model(prompt).detach().to(DOUBLE), vocabulary).softmax(0)


def _picked(*picks: Pick) -> Callable[..., AnyOf]:
    """Return what comes when tokens are sorted otherwise."""
    return lambda model, vocabulary, prompt: AnyOf(
        *[_sums(model(prompt).to(DOUBLE), vocabulary, pick).softmax(0) for pick in picks]
    )


def _reduced(*reduces: Reduce) -> Callable[..., AnyOf]:
    """Return what comes when a digit's tokens are put together otherwise, then normalised."""

    def gives(model: Any, vocabulary: Sequence[str], prompt: str) -> AnyOf:
        p = model(prompt).to(DOUBLE).softmax(0)
        found = []
        for reduce in reduces:
            parts = [p[[i for i, token in enumerate(vocabulary) if first(token) == d]]
                     for d in ONES]  # fmt: skip
            w = torch.stack([reduce(x) if len(x) else torch.zeros((), dtype=DOUBLE) for x in parts])
            found.append(w / w.sum())
        return AnyOf(*found)

    return gives


def _of_prompts(*of: Callable[[str], str]) -> Callable[..., AnyOf]:
    return lambda model, vocabulary, prompt: AnyOf(
        *[reference(model, vocabulary, f(prompt)) for f in of]
    )


def _one_token_each(token: str) -> str:
    return token if token in ONES else ""


def _one_spaced_token(token: str) -> str:
    return token[1:] if token in SPACED else ""


def _not_normalised(model: Any, vocabulary: Sequence[str], prompt: str) -> AnyOf:
    """Return probabilities among all tokens, of all of a digit's or of one each."""
    log_p = model(prompt).to(DOUBLE).log_softmax(0)
    return AnyOf(*[_sums(log_p, vocabulary, pick).exp()
                   for pick in (first, _one_token_each)])  # fmt: skip


def _zero_in(model: Any, vocabulary: Sequence[str], prompt: str) -> AnyOf:
    """Return what comes with the zero among the digits, which is kept or cut afterwards."""
    logits = model(prompt).to(DOUBLE)
    zeros = [i for i, token in enumerate(vocabulary) if token.strip(" ")[:1] == "0"]
    ten = torch.cat([logits[zeros].logsumexp(0)[None], _sums(logits, vocabulary)]).softmax(0)
    return AnyOf(ten, ten[1:])


def _logits(model: Any, vocabulary: Sequence[str], prompt: str) -> AnyOf:
    logits = model(prompt).to(DOUBLE)
    found = []
    for pick in (first, _one_token_each):
        held = [[i for i, t in enumerate(vocabulary) if pick(t) == d] for d in ONES]
        sums = torch.stack([logits[h].sum() for h in held])
        found += [sums, sums / sums.sum(), _sums(logits, vocabulary, pick),
                  _sums(logits.log_softmax(0), vocabulary, pick),
                  _sums(logits, vocabulary, pick).log_softmax(0)]  # fmt: skip
    return AnyOf(*found)


def _softmax_of(model: Any, vocabulary: Sequence[str], prompt: str) -> AnyOf:
    """Return softmax of summed or averaged logits, or of probabilities."""
    logits = model(prompt).to(DOUBLE)
    held = [[i for i, t in enumerate(vocabulary) if first(t) == d] for d in ONES]
    return AnyOf(*[torch.stack([f(logits[h]) for h in held]).softmax(0)
                   for f in (torch.sum, torch.mean)],
                 *[torch.stack([f(logits.softmax(0)[h]) for h in held]).softmax(0)
                   for f in (torch.sum, lambda p: p.logsumexp(0))])  # fmt: skip


def _last(token: str) -> str:
    return token.strip(" ")[-1:]


def _anywhere(token: str) -> str:
    return next((c for c in token if c in "123456789"), "")


def _in_token(logits: Tensor, vocabulary: Sequence[str]) -> Tensor:
    """Return what comes when a token belongs to every digit in it."""
    held = [[i for i, token in enumerate(vocabulary) if d in token] for d in ONES]
    return torch.stack([logits[h].logsumexp(0) for h in held]).softmax(0)


def by_sums(model: Any, vocabulary: Sequence[str], prompt: str) -> Tensor:
    """Return the sums in logarithms, then softmax over the nine digits."""
    logits = model(prompt).double()
    found = []
    for digit in "123456789":
        places = [i for i, token in enumerate(vocabulary) if token.strip(" ").startswith(digit)]
        found.append(logits[places].logsumexp(0))
    return torch.stack(found).softmax(0)


def by_tokens(model: Any, vocabulary: Sequence[str], prompt: str) -> Tensor:
    """Return the same by a loop over the tokens."""
    sums = torch.full((9,), -torch.inf, dtype=torch.float64)
    for token, logit in zip(vocabulary, model(prompt).double(), strict=True):
        begun = token.lstrip(" ")
        if begun and begun[0] in "123456789":
            digit = int(begun[0]) - 1
            sums[digit] = torch.logaddexp(sums[digit], logit)
    return sums.softmax(0)


def by_shares(model: Any, vocabulary: Sequence[str], prompt: str) -> Tensor:
    """Return shares of the tokens that count, added up."""
    begins = [token.strip(" ")[:1] for token in vocabulary]
    chosen = [i for i, f in enumerate(begins) if f and f in "123456789"]
    p = model(prompt)[chosen].double().softmax(0)
    found = torch.zeros(9, dtype=torch.float64)
    digits = torch.tensor([int(begins[i]) - 1 for i in chosen])
    return found.index_add(0, digits, p)


def by_matrix(model: Any, vocabulary: Sequence[str], prompt: str) -> Tensor:
    """Return a matrix of zeros and ones times exponentials, the largest of which is one."""
    logits = model(prompt).double()
    rows = [[token.lstrip(" ").startswith(d) for token in vocabulary] for d in "123456789"]
    belongs = torch.tensor(rows, dtype=torch.float64)
    logits = logits - logits[belongs.sum(0) > 0].max()
    weights = belongs @ torch.where(belongs.sum(0) > 0, logits, -torch.inf).exp()
    return weights / weights.sum()


def _another_number(got: object, right: Tensor) -> bool:
    """Whether there are more or fewer than nine numbers."""
    value = as_tensor(got)
    return value is not None and value.shape != right.shape


TURNS = (
    Turn("tokens left out", "a token such as 300 begins with a digit as well: add up all tokens "
         "that do, not the nine single digits.", _picked(_one_token_each)),
    Turn("spaces not passed over", "a token may begin with a space: its digit stands behind it.",
         _picked(lambda token: token[:1] if token[:1] in ONES else "", _one_spaced_token,
                 lambda token: first(token) if token[:1] == " " else "",
                 lambda token: token.strip(" ") if token.strip(" ") in ONES else "")),
    Turn("not normalised", "these probabilities are shares of all tokens; divide by the sum "
         "of the nine digits.", _not_normalised),
    Turn("zero taken in", "a first digit is never 0: leave the tokens that begin with it out "
         "before you normalise.", _zero_in),
    Turn("prompt cut", "the model is asked for what follows the prompt as it is, its last "
         "character and its spaces included.",
         _of_prompts(lambda p: p[:-1], str.strip, str.rstrip, lambda p: p[1:])),
    Turn("prompt changed", "the model is asked for what follows the prompt as it is: no space "
         "added, no letter changed.",
         _of_prompts(lambda p: p + " ", lambda p: " " + p, str.lower, str.upper,
                     lambda p: p[::-1], lambda p: p + "\n", lambda p: "")),
    Turn("logits for probabilities", "logits are no probabilities yet: take exponentials, add "
         "them, and divide.", _logits),
    Turn("logits added", "probabilities of tokens add up, logits do not: take the exponential of "
         "each first.", _softmax_of),
    Turn("mean for sum", "a digit with more tokens is likelier for it: add, do not average.",
         _reduced(torch.mean)),
    Turn("likeliest token only", "every token that begins with the digit counts, not the likeliest "
         "or the first one alone.",
         _reduced(torch.max, lambda p: p[0], lambda p: p[-1])),
    Turn("product for sum", "one token comes next, not all: probabilities of alternatives add up.",
         _reduced(torch.prod)),
    Turn("counted tokens", "how many tokens begin with a digit says nothing yet: their "
         "probabilities do.", _reduced(lambda p: torch.tensor(float(len(p)), dtype=DOUBLE))),
    Turn("last digit", "the first digit of a token is asked for.", _picked(_last)),
    Turn("digit anywhere", "a token begins a number only where the digit stands first, spaces "
         "aside; it counts once.", lambda model, vocabulary, prompt: _in_token(
             model(prompt).to(DOUBLE), vocabulary)),
    Turn("digit anywhere", "a token begins a number only where the digit stands first, spaces "
         "aside.", _picked(_anywhere, lambda token: first(token.strip(" 0.(-,")),
                           lambda token: "" if any(map(str.isalpha, token)) else
                           _anywhere(token))),
    Turn("zeros passed over", "a token that begins with a zero belongs to no digit: pass over "
         "spaces alone.", _picked(lambda token: first(token.strip(" 0")),
                                  lambda token: first(token.lstrip(" ").lstrip("0.")))),
    Turn("tokens of spaces", "of a token of spaces alone no character is left: it belongs to no "
         "digit.", _picked(*[lambda token, d=d: first(token) if token.strip(" ") else d
                             for d in ("1", "9")]),
         raises=lambda error: "index out of range" in str(error) or ": ''" in str(error)),
    Turn("whole tokens only", "the first character decides; what follows it need not be a digit.",
         _picked(lambda token: first(token) if token.strip(" ").isdigit() else "",
                 lambda token: first(token) if token.isdigit() else "")),
    Turn("not nine numbers", "nine digits, nine probabilities, in a single row.",
         reference, alike=_another_number),
    Turn("far below the others", "next to a likely word all digits round to zero: subtract in the "
         "logarithms, or take the softmax over the digits' tokens alone.",
         lambda model, vocabulary, prompt: _through_all(model, vocabulary, prompt)),
    Turn("overflow", "exp of a large logit is infinite: softmax and logsumexp avoid it.",
         lambda model, vocabulary, prompt: _by_exponentials(model, vocabulary, prompt)),
)  # fmt: skip


def _through_all(model: Any, vocabulary: Sequence[str], prompt: str) -> Tensor:
    p = model(prompt).to(DOUBLE).softmax(0)
    w = torch.stack([p[[i for i, t in enumerate(vocabulary) if first(t) == d]].sum() for d in ONES])
    return w / w.sum()


def _by_exponentials(model: Any, vocabulary: Sequence[str], prompt: str) -> Tensor:
    p = model(prompt).to(DOUBLE).exp()
    w = torch.stack([p[[i for i, t in enumerate(vocabulary) if first(t) == d]].sum() for d in ONES])
    return w / w.sum()


def _model(u: Draws, given: Given) -> SmallModel:
    return SmallModel(u.normal(SIZE * (REACH + 1)).reshape(SIZE, REACH + 1) * 0.8)


def _shuffled(u: Draws, tokens: list[str]) -> list[str]:
    return [tokens[i] for i in u.uniform(len(tokens)).argsort().tolist()]


def _vocabulary(u: Draws, given: Given) -> list[str]:
    """Return tokens in any order: the nine digits, longer numbers, and words."""
    others = _shuffled(u, [*LONG, *SPACED[:5], "7.5", "3rd"])[:20]
    words = HIDING + _shuffled(u, NO_NUMBERS)
    return _shuffled(u, (ONES + others + words)[:SIZE])


def _spaced_only(u: Draws, given: Given) -> list[str]:
    """Return tokens of which none is a digit without a space and none a 4, some with two spaces."""
    tokens = [t for t in (*SPACED, *LONG) if first(t) != "4"]
    tokens += [f" {t}" for t in tokens if t.startswith(" ")]
    words = [f"{w}s" for w in NO_NUMBERS if w.strip()]
    return _shuffled(u, (tokens + HIDING + NO_NUMBERS + words)[:SIZE])


def _unlikely(u: Draws, given: Given) -> Jointly:
    """Return a model to which a word is some e⁹⁰⁰ times as likely as any digit."""
    model, vocabulary = _model(u, given), _vocabulary(u, given)
    shift = torch.tensor([-900.0 if first(t) else 0.0 for t in vocabulary], dtype=DOUBLE)
    return Jointly(model=SmallModel(model.weights, shift), vocabulary=vocabulary)


EXERCISE = Exercise(
    name="digit_distribution",
    arguments=(
        Argument("model", _model, shown=lambda model: "a model", edges={
            "digits far less likely than a word": _unlikely,
            "logits above 1000": lambda u, given: SmallModel(_model(u, given).weights, 1500.0),
            "logits in float32": lambda u, given: SmallModel(
                _model(u, given).weights, 0.0, torch.float32),
        }),
        Argument("vocabulary", _vocabulary, shown=lambda tokens: f"{len(tokens)} tokens", edges={
            "no token for a 4": _spaced_only,
        }),
        Argument("prompt", lambda u, given: " ".join(_shuffled(
            u, ["The", "town", "with", "Area", "of", "some", "people", "in", "it"])[:6])
            + u.choice((" ", "  ", ": ")), edges={
            "an empty prompt": "",
            "no space at the end": "A population of",
            "a space in front": " A town of ",
        }),
    ),
    reference=reference,
    agree=Close(single=True),
    turns=TURNS,
    worked=(by_sums, by_tokens, by_shares, by_matrix),
    passed="digit_distribution: every token that begins with the digit, and nothing else.",
)  # fmt: skip
digit_distribution = EXERCISE.check
