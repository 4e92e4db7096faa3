"""`course new NN-name`: a sheet to begin with, which builds and whose checks pass their bank.

Its texts lie in template/. What is there already is never written over; either all is written or
nothing.
"""

import re
from collections.abc import Callable
from pathlib import Path

from course.errors import CourseError
from course.files import write_whole

TEMPLATE = Path(__file__).parent / "template"


def new(root: Path, name: str, say: Callable[[str], None]) -> None:
    """Begin a sheet: text, bank, check, demo, test, and its lines among those of the others.

    Args:
        root: the project's folder.
        name: the sheet's name, such as ``15-waves``.
        say: takes a line on each file, and on what comes next.

    Raises:
        CourseError: the name is none, or something of this name is there.
    """
    if not re.fullmatch(r"\d\d-[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        raise CourseError(
            f"{name!r} is no name of a sheet: write two digits, a hyphen, and a word in small "
            "letters, such as 15-waves."
        )
    number, _, word = name.partition("-")
    for path in sorted((root / "course" / "sheets").glob(f"{number}-*.md")):
        raise CourseError(f"{path} has the number {number} already; choose another.")
    module = word.replace("-", "_")
    function = f"{module}_mean"
    fields = {"name": name, "number": str(int(number)), "module": module, "function": function,
              "title": word.replace("-", " ").capitalize()}  # fmt: skip
    check = f"helpers/check/{module}"
    made = {
        f"course/sheets/{name}.md": _filled("sheet.md", fields),
        f"course/answers/{name}.md": _filled("answers.md", fields),
        f"{check}/__init__.py": f'"""The checks of sheet {int(number):02d}."""\n',
        f"{check}/analytic.py": _filled("analytic.py.txt", fields),
        f"{check}/{function}.py": _in_order(_filled("exercise.py.txt", fields)),
        f"helpers/demos/{module}.py": _filled("demo.py.txt", fields),
        f"tests/helpers/check/test_{module}.py": _filled("test.py.txt", fields),
    }
    for file in [*made, check]:
        if (root / file).exists():
            raise CourseError(f"{root / file} is there already; choose another name.")
    demos = [f"draw_{module}_squares", f"{module}_squares"]
    changed = {
        "helpers/check/__init__.py": _exported(
            root / "helpers/check/__init__.py", f"helpers.check.{module}.{function}", [function]
        ),
        "helpers/demos/__init__.py": _listed(
            _exported(root / "helpers/demos/__init__.py", f"helpers.demos.{module}", demos),
            demos[-1],
        ),
        "pyproject.toml": _ruled(root / "pyproject.toml", module),
    }
    for file, text in {**made, **changed}.items():
        write_whole(root / file, text)
        say(f"{file}: {'made' if file in made else 'a line for the new sheet'}")
    say(f"next: course build {name}, course check {name}, then replace the example step by step "
        "(docs/add-a-sheet.md)")  # fmt: skip


def _filled(file: str, fields: dict[str, str]) -> str:
    text = (TEMPLATE / file).read_text(encoding="utf-8")
    for field, value in fields.items():
        text = text.replace("{{" + field + "}}", value)
    return text


def _in_order(text: str) -> str:
    """Return a module's text with its imports of helpers sorted: a sheet's name decides on that."""
    lines = text.splitlines(keepends=True)
    places = [i for i, line in enumerate(lines) if line.startswith("from helpers")]
    lines[places[0] : places[-1] + 1] = sorted(lines[places[0] : places[-1] + 1])
    return "".join(lines)


def _exported(path: Path, module: str, names: list[str]) -> str:
    """Return a package's text with names imported from a module and listed, in their order.

    Raises:
        CourseError: the package does not look as it should, or gives such a name already.
    """
    text = path.read_text(encoding="utf-8")
    for name in names:
        if f'"{name}"' in text:
            raise CourseError(f"{path} gives a name {name!r} already; choose another sheet name.")
    line = f"from {module} import {', '.join(sorted(names))}\n"
    imports = list(re.finditer(r"^from (helpers\.[\w.]+) import ", text, re.MULTILINE))
    later = next((m for m in imports if m[1] > module), None)
    place = text.find("\n__all__ = [\n") if later is None else later.start()
    if not imports or place < 0:
        raise CourseError(f"{path} has no imports and no __all__ as before; enter {module} there.")
    text = text[:place] + line + text[place:]
    head, _, rest = text.partition("\n__all__ = [\n")
    listed, _, tail = rest.partition("]\n")
    entries = listed.splitlines(keepends=True)
    for name in names:
        entry = f'    "{name}",\n'
        later_entries = (i for i, e in enumerate(entries) if e > entry and e.strip()[1:2].islower())
        entries.insert(next(later_entries, len(entries)), entry)
    return f"{head}\n__all__ = [\n{''.join(entries)}]\n{tail}"


def _listed(text: str, demo: str) -> str:
    """Return the text of the demos with one more in the list of all."""
    head, mark, rest = text.partition("\nALL: ")
    inner, _, tail = rest.partition("\n]\n")
    return f"{head}{mark}{inner}\n    {demo},\n]\n{tail}"


def _ruled(path: Path, module: str) -> str:
    """Return pyproject.toml with a folder of checks in the two contracts that list them.

    Raises:
        CourseError: the contracts are not where they were.
    """
    text = path.read_text(encoding="utf-8")
    layers = re.search(r'name = "the kit knows no sheet".*?layers = \[\n    "([^"]*)"', text, re.S)
    modules = re.search(
        r'name = "no sheet\'s checks import another sheet\'s".*?modules = \[\n(.*?)\n\]', text, re.S
    )
    if layers is None or modules is None:
        raise CourseError(f"{path}: the two contracts that list the sheets' checks are not found.")
    places = [(modules.end(1), f'\n    "helpers.check.{module}",'), (layers.end(1), f" | {module}")]
    for place, new_text in sorted(places, reverse=True):
        text = text[:place] + new_text + text[place:]
    return text
