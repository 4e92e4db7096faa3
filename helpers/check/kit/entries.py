"""An answer that is a dict: what stands under each key is checked as an exercise of its own."""

import math
from dataclasses import dataclass
from typing import Any

from helpers.check.kit import message
from helpers.check.kit.compare import note
from helpers.check.kit.exercise import Together, ask
from helpers.check.kit.message import CheckFailed, show


@dataclass(frozen=True)
class Entries(Together):
    """A dict of values, checked in the order of its keys, with one green line.

    Args:
        exercises: one for each key, without arguments; its reference gives a right value.
        passed: what the green line says.
        name: of the dict.
        keys: one for each exercise.
        form: what a student writes, for the message where it is something else.
    """

    name: str = ""
    keys: tuple[str, ...] = ()
    form: str = ""

    def check(self, *answers: Any) -> bool:
        """Check the dict.

        Raises:
            CheckFailed: no dict, a key is missing, or as :meth:`Exercise.check` does.
        """
        (answer,) = answers
        wanted = ", ".join(map(repr, self.keys))
        if not isinstance(answer, dict):
            raise self._formless(f"a dict with the keys {wanted}", show(answer), message.WRONG_TYPE)
        for exercise, key in zip(self.exercises, self.keys, strict=True):
            if key not in answer:
                got = f"only the keys {', '.join(map(repr, answer))}"
                raise self._formless(f"a dict with the keys {wanted}", got, message.WRONG_SHAPE)
            ask(exercise, lambda key=key: answer[key])
        return message.passed(self.passed)

    def _formless(self, expected: str, got: str, name: str) -> CheckFailed:
        note(name, math.inf)
        return CheckFailed(self.name, expected, got, name, f"write {self.form}.")
