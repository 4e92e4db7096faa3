"""What a submission may use."""

from dataclasses import asdict, dataclass


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
