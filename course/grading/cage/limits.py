"""What a submission may use."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from course.errors import CourseError


@dataclass(frozen=True)
class Limits:
    """What a submission may use. Sizes in bytes, times in seconds.

    ``memory`` bounds what a process allocates, and what all processes of a kernel use together;
    ``disk`` each of its temporary folders, ``output`` the text that one cell may print before the
    rest is dropped.
    """

    memory: int = 3 << 30
    file_size: int = 64 << 20
    disk: int = 64 << 20
    processes: int = 128
    open_files: int = 1024
    output: int = 200_000
    cell_seconds: float = 30.0
    submission_seconds: float = 240.0

    def of_kernel(self) -> dict[str, int]:
        """Return the limits that the kernel's own process sets."""
        kept = ("memory", "file_size", "disk", "processes", "open_files")
        return {k: v for k, v in asdict(self).items() if k in kept}


def configured(given: Mapping[str, Any]) -> Limits:
    """Return the limits that the settings give under ``CourseLimits``, else the defaults.

    Raises:
        CourseError: a limit that does not exist, or is no number above zero.
    """
    usual = asdict(Limits())
    unknown = set(given) - set(usual)
    if unknown:
        raise CourseError(
            f"nbgrader_config.py: CourseLimits has no {', '.join(sorted(unknown))}; it has "
            f"{', '.join(usual)}."
        )
    checked: dict[str, Any] = {n: _limit(n, value, usual[n]) for n, value in given.items()}
    return replace(Limits(), **checked)


def _limit(name: str, value: Any, usual: int | float) -> int | float:
    kind = type(usual)
    is_number = type(value) in (int, float) and math.isfinite(value)
    if not is_number or not 0 < value < 2**63 or (kind is int and value != int(value)):
        what = "bytes or a count, a whole number" if kind is int else "seconds, a number"
        raise CourseError(
            f"nbgrader_config.py: CourseLimits.{name} is {value!r}; it is {what} above 0, such as "
            f"{usual}."
        )
    return kind(value)
