"""A student's own desk: copies of the released sheets, opened in JupyterLab.

python -m helpers.desk [--folder desk] [options for jupyter lab]
"""

import argparse
import os
import shutil
import sys
from pathlib import Path

RELEASE = Path(__file__).parent.parent / "release"
# Of nbgrader's buttons and menus a student needs Validate only; the others want a course folder.
SETTINGS = Path(__file__).parent / "jupyter"


def lay_out(release: Path, desk: Path) -> list[str]:
    """Copy every released sheet that the desk does not hold; never touch one that it holds.

    Args:
        release: folder of released sheets, release/SHEET/SHEET.ipynb.
        desk: the student's folder.

    Returns:
        One line for each sheet on what was done.
    """
    said = []
    for path in sorted(release.glob("*/*.ipynb")):
        own = desk / path.relative_to(release)
        if own.exists():
            said.append(f"{own}: yours, left as it is")
            continue
        own.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, own)
        said.append(f"{own}: a fresh copy")
    return said


def main(arguments: list[str] | None = None) -> None:
    """Lay out the desk and open JupyterLab on it."""
    parser = argparse.ArgumentParser(prog="python -m helpers.desk", description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("desk"))
    chosen, rest = parser.parse_known_args(arguments)
    if not any(RELEASE.glob("*/*.ipynb")):
        sys.exit(f"{RELEASE} holds no sheets; run this in a clone of the course.")
    print("\n".join(lay_out(RELEASE, chosen.folder)))
    others = os.environ.get("JUPYTER_CONFIG_PATH", "")
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(filter(None, [str(SETTINGS), others]))
    from jupyterlab.labapp import main as lab

    lab([f"--notebook-dir={chosen.folder.resolve()}", *rest])


if __name__ == "__main__":
    main()
