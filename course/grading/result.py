"""The result of a submission: plain data, and the file it is kept in."""

import json
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
    """Read a result file."""
    content = json.loads(path.read_text(encoding="utf-8"))
    content.pop("data_seed", None)  # kept here by an earlier version
    tests = {name: TestResult(**test) for name, test in content.pop("tests").items()}
    return Result(**content, tests=tests)
