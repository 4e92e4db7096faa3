"""The result of a submission: plain data, and the file it is kept in."""

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class TestResult:
    """What became of one test cell, or of one answer that a person grades."""

    state: str
    points: float
    max_points: float
    message: str = ""
    wrong_turn: str = ""


@dataclass(frozen=True)
class Result:
    """The result of one student's submission of one sheet."""

    student: str
    sheet: str
    score: float
    max_score: float
    cage: str
    seconds: float
    tests: dict[str, TestResult]

    def text(self) -> str:
        """Return the result as JSON."""
        return json.dumps(asdict(self), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def load(path: Path) -> Result:
    """Read a result file.

    Raises:
        OSError: it cannot be read.
        ValueError: it holds no result.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        content.pop("data_seed", None)  # kept here by an earlier version
        tests = {name: TestResult(**test) for name, test in content.pop("tests").items()}
        found = Result(**content, tests=tests)
    except (AttributeError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"{path} holds no result ({error})") from error
    texts = [found.student, found.sheet, found.cage]
    texts += [text for t in tests.values() for text in (t.state, t.message, t.wrong_turn)]
    numbers = [found.score, found.max_score, found.seconds]
    numbers += [number for t in tests.values() for number in (t.points, t.max_points)]
    if not all(isinstance(text, str) for text in texts):
        raise ValueError(f"{path} holds no result (text is missing)")
    if not all(type(number) in (int, float) and math.isfinite(number) for number in numbers):
        raise ValueError(f"{path} holds no result (a number is missing)")
    return found
