"""first_digit(text): the first significant digit of a number that is written down."""

import math
import re
from collections.abc import Callable

from helpers.check.kit.agree import Exactly
from helpers.check.kit.asks import Argument, Draws, Given
from helpers.check.kit.compare import AnyOf, as_tensor
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise


def reference(text: str) -> int | None:
    """Return the first character from 1 to 9 before the exponent, as an int."""
    found = re.search("[1-9]", re.split("[eE]", text)[0])
    return int(found[0]) if found else None


def by_expression(text: str) -> int | None:
    """Return what a regular expression finds."""
    found = re.search(r"[1-9]", re.split("[eE]", text)[0])
    return int(found.group()) if found else None


def by_stripping(text: str) -> int | None:
    """Return the first character behind signs, zeros and points."""
    left = text.lower().partition("e")[0].lstrip("+-0.")
    return int(left[0]) if left else None


def _digits(u: Draws, n: int) -> str:
    return "".join(str(u.whole(0, 9)) for _ in range(n))


def _number(u: Draws, given: Given) -> str:
    """Return a number with one of six looks, whose first digits differ from each other."""
    d = u.whole(2, 9)
    rest = str(d - 1) + _digits(u, u.whole(1, 3)) + "1"
    look = u.whole(0, 5)
    sign = u.choice(("", "", "-"))
    if look == 0:
        return f"{sign}{d}{rest}"
    if look == 1:
        return f"{sign}{d}{rest}.{_digits(u, 2)}"
    if look == 2:
        return f"{sign}0.{'0' * u.whole(0, 4)}{d}{rest}"
    if look == 3:
        return f"{sign}{d}.{rest}e-{u.whole(5, 300):02d}"
    if look == 4:
        return f"{sign}{d}.{rest}E+{u.whole(10, 300)}"
    return f"{d}{'0' * u.whole(1, 9)}"


def by_search(text: str) -> int | None:
    """Return the first of the characters that is a digit and not a zero."""
    for character in text.lower().split("e")[0]:
        if character in "123456789":
            return int(character)
    return None


def _or_none(of: Callable[[str], object]) -> Callable[[str], object]:
    """Return an answer with a misconception that has no first digit of a zero, as is right."""
    return lambda text: None if reference(text) is None else of(text)


def _mantissa(text: str) -> str:
    return re.split("[eE]", text)[0].lstrip("+-")


def _by_floor(text: str) -> object:
    x = abs(float(text))
    return int(x / 10 ** math.floor(math.log10(x))) if x else None


def _by_fraction(text: str) -> object:
    x = abs(float(text))
    return int(10 ** (math.log10(x) % 1)) if x else None


def _in_loops(text: str) -> object:
    x = abs(float(text))
    while x >= 10:
        x /= 10
    while 0 < x < 1:
        x *= 10
    return int(x) or None


def _anywhere(text: str) -> object:
    found = re.search("[1-9]", text)
    return int(found[0]) if found else None


def _from_the_end(text: str) -> object:
    found = re.findall("[1-9]", _mantissa(text))
    return int(found[-1]) if found else None


def _no_int(got: object, right: object) -> bool:
    """Whether a value is a character, or a number that is no int, or None where that is right."""
    if got is None:
        return right is None
    number = as_tensor(got)
    plain = number is not None and number.ndim == 0 and not bool(number.isnan())
    return isinstance(got, str) or (plain and not isinstance(got, int))


TURNS = (
    Turn("not an int", "this is a character, a float or a tensor: make an int of it.", reference,
         alike=_no_int),
    Turn("exponent's digit", "what stands after the e says where the point goes; no digit of the "
         "number is in it.", _anywhere),
    Turn("leading zero", "zeros before the first other digit do not count: pass over them and over "
         "the point.",
         lambda text: AnyOf(int(_mantissa(text).lstrip(".")[0]),
                            *([None] if reference(text) is None else [])),
         raises=lambda error: "invalid literal" in str(error) and "'.'" in str(error)),
    Turn("floats and logarithms", "log₁₀ of a float is rounded, and lands on the wrong side of a "
         "power of ten now and then: look at the characters.",
         _by_floor),
    Turn("floats and logarithms", "log₁₀ of a float is rounded, and lands on the wrong side of a "
         "power of ten now and then: look at the characters.", _by_fraction),
    Turn("floats and logarithms", "a float may be too small or too large for its logarithm: look "
         "at the characters.", raises=lambda error: "cannot convert float" in str(error)),
    Turn("floats and loops", "each division or multiplication by ten is rounded, and many of them "
         "change a digit: look at the characters.", _in_loops),
    Turn("through a float", "a float has sixteen digits or so, and rounds the others: the first "
         "can change with them, and beyond 10³⁰⁸ all are lost.",
         lambda text: _anywhere(repr(abs(float(text))).split("e")[0])),
    Turn("through a float", "a float has sixteen digits or so, and rounds the others: a format "
         "that shows more of them shows the rounding.",
         lambda text: int(f"{abs(float(text)):.17e}"[0]) or None),
    Turn("rounded", "a format with few digits rounds, and 99 becomes 1e+02: read the first digit "
         "from what is written.",
         lambda text: int(f"{abs(float(text)):.0e}"[0]) or None),
    Turn("sign not passed over", "a number may begin with a sign; pass over it.",
         raises=lambda error: "invalid literal" in str(error)
         and any(f"{sign}'" in str(error) for sign in "+-")),
    Turn("sign kept", "a digit has no sign.",
         _or_none(lambda text: -int(reference(text) or 0) if text[0] == "-" else reference(text))),
    Turn("0 for None", "where every digit is a zero there is no first one: return None.",
         lambda text: reference(text) or 0),
    Turn("last for first", "this is the last digit that is no zero; read from the left.",
         _from_the_end),
    Turn("largest digit", "the first digit is asked for, not the largest.",
         _or_none(lambda text: max(int(c) for c in _mantissa(text) if c != "."))),
    Turn("smallest digit", "the first digit is asked for, not the smallest.",
         _or_none(lambda text: min(int(c) for c in _mantissa(text) if c in "123456789"))),
    Turn("second digit", "this is the digit after the first one.", lambda text: _second(text)),
    Turn("after the point", "digits before the point come first, where one of them is no zero.",
         lambda text: _after_the_point(text)),
    Turn("number of digits", "the digit itself is asked for, not how many there are.",
         _or_none(lambda text: len(_mantissa(text).replace(".", "")))),
    Turn("first character only", "the first character may be a sign, a zero or a point: pass over "
         "them.", lambda text: int(text[0]) if text[0] in "123456789" else None),
    Turn("no digit behind signs", "a number with a sign has the same first digit as without.",
         lambda text: AnyOf(*[None if text[0] in signs else reference(text)
                              for signs in ("-", "+-")])),
    Turn("zeros after the point", "zeros do not count on either side of the point: pass over all "
         "of them.", lambda text: _no_later_zeros(text)),
    Turn("whole part only", "a number below 1 has a first digit too, after the point.",
         lambda text: int(str(int(abs(float(text))))[0]) or None),
    Turn("whole part only", "a number below 1 has a first digit too, after the point.",
         lambda text: reference(_mantissa(text).split(".")[0])),
)  # fmt: skip


def _no_later_zeros(text: str) -> object:
    """Return what comes where zeros are passed over in front of the point alone."""
    left = _mantissa(text).lstrip("0").lstrip(".")
    return int(left[0]) or None if left else None


def _second(text: str) -> object:
    digits = _mantissa(text).replace(".", "").lstrip("0")
    return int(digits[1]) if len(digits) > 1 else None


def _after_the_point(text: str) -> object:
    whole, point, after = _mantissa(text).partition(".")
    return reference(after if point else whole)


EXERCISE = Exercise(
    name="first_digit",
    arguments=(
        Argument("text", _number, edges={
            "below one": lambda u, given: f"0.000{u.whole(2, 9)}17",
            "an exponent": lambda u, given: f"{u.whole(2, 9)}e-05",
            "a large exponent": lambda u, given: f"{u.whole(2, 9)}.25E+22",
            "a digit that a logarithm loses": "3e-30",
            "another digit that a logarithm loses": "5e-29",
            "a digit that multiplying by ten loses": "2e-14",
            "three tenths": "0.3",
            "a negative number": lambda u, given: f"-{u.whole(2, 9)}10.5",
            "a sign in front": lambda u, given: f"+0.{u.whole(2, 9)}1",
            "no digit before the point": lambda u, given: f".0{u.whole(2, 9)}1",
            "no digit after the point": lambda u, given: f"{u.whole(2, 9)}1.",
            "more digits than a float holds": "9" * 40,
            "smaller than a float can be": lambda u, given: f"{u.whole(2, 9)}.1e-400",
            "hundreds of zeros in front": lambda u, given: f"-0.{'0' * 450}{u.whole(2, 9)}1e400",
            "zeros before the point": lambda u, given: f"{'0' * 90}{u.whole(2, 9)}1.5",
            "hundreds of zeros": f"0.{'0' * 450}e17",
            "zero": "0", "zero with a point": "-0.000", "zero with an exponent": "0e7",
            "zero with a capital exponent": "-0.0E+5",
            "a round number": lambda u, given: f"{u.whole(2, 9)}00000",
        }),
    ),
    reference=reference,
    agree=Exactly(),
    typical=12,
    turns=TURNS,
    worked=(by_search, by_expression, by_stripping),
    passed="first_digit: signs, leading zeros, exponents, and None for a zero.",
)  # fmt: skip
first_digit = EXERCISE.check
