"""The bank of hostile submissions: small named entries, read from the files beside this one."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from support.attacks.files import FILES
from support.classes import NAME, solved

HERE = Path(__file__).parent
BLOCK = re.compile(r"```python (\w+)\n(.*?)```", re.DOTALL)


@dataclass(frozen=True)
class Attack:
    """One hostile submission.

    Args:
        group: the file it stands in.
        name: what it is called.
        idea: one sentence.
        expected: the states that each exercise may end in; "rest" stands for all others.
        cells: the text of answer cells by name, and "added" for a cell at the top of the sheet.
        fill: fills the student's folder, in place of cells.
    """

    group: str
    name: str
    idea: str
    expected: dict[str, list[str]]
    cells: dict[str, str] = field(default_factory=dict)
    fill: Callable[[Path], None] | None = None

    @property
    def student(self) -> str:
        """The student who hands this in."""
        return re.sub(r"\W+", "-", f"{self.group} {self.name}")

    def hand_in(self, root: Path, project: Path) -> None:
        """Put the submission into a course."""
        folder = root / "submitted" / self.student
        folder.parent.mkdir(parents=True, exist_ok=True)
        if self.fill is not None:
            self.fill(folder)
            return
        here = {"ROOT": str(root), "PROJECT": str(project)}
        cells = {
            name: re.sub("|".join(here), lambda m: here[m[0]], code)
            for name, code in self.cells.items()
        }
        content = json.loads(solved(cells))
        if "added" in cells:
            content["cells"].insert(
                3, {"cell_type": "code", "id": "attack", "metadata": {}, "outputs": [],
                    "execution_count": None, "source": cells["added"]},
            )  # fmt: skip
        (folder / NAME).mkdir(parents=True)
        (folder / NAME / f"{NAME}.ipynb").write_text(json.dumps(content))


def states(text: str) -> dict[str, list[str]]:
    """Read «derivative: failed | refused, rest: passed»."""
    pairs = [part.split(":") for part in text.split(",")]
    return {name.strip(): allowed.replace(" ", "").split("|") for name, allowed in pairs}


def read(path: Path) -> list[Attack]:
    """Read the attacks of a Markdown file."""
    head, *entries = re.split(r"^### ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    prelude = dict(BLOCK.findall(head)).get("prelude", "")
    found = []
    for entry in entries:
        title, rest = entry.split("\n", 1)
        name, expected = title.split(" → ")
        cells = {cell: f"{prelude}\n{code}" for cell, code in BLOCK.findall(rest)}
        idea = " ".join(rest.split("```")[0].split())
        found.append(Attack(path.stem, name.strip(), idea, states(expected), cells))
    return found


def attacks() -> list[Attack]:
    """Return all attacks."""
    found = [attack for path in sorted(HERE.glob("*.md")) for attack in read(path)]
    for fill, expected in FILES:
        idea = " ".join((fill.__doc__ or "").split())
        name = fill.__name__.replace("_", " ")
        found.append(Attack("files", name, idea, states(expected), fill=fill))
    return found
