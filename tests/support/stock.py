"""nbgrader's own commands, as an instructor types them in an activated environment."""

import os
import subprocess
import sys
from pathlib import Path


def nbgrader(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command of nbgrader in a course folder."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [sys.executable, "-m", "nbgrader", *words], cwd=folder, capture_output=True, text=True,
        timeout=3600, env={**os.environ, "PATH": path, **environment},
    )  # fmt: skip
