"""What a built sheet was built from, so that a second build does nothing and a new one says why.

Of the checks and demos those count that the sheet's text names: a change to another sheet's check
rebuilds that other sheet and no more.
"""

import ast
import hashlib
import json
import re
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from course.authoring import sheet
from course.files import listed, write_whole

MOST_REASONS = 3
# Of this package and beside it, what decides on a built notebook.
BUILDERS = ("course/authoring/*.py", "course/notebooks.py", "course/verdict.py",
            "course/stock_nbgrader.py")  # fmt: skip
NOT_BUILDING = (
    "course/authoring/book.py", "course/authoring/new.py", "course/authoring/stamps.py",
)  # fmt: skip
NOT_IN_SHEETS = ("helpers/desk.py", "helpers/jupyter/")
BY_SHEET = "check", "demos"  # packages of helpers with a part for each sheet


def inputs(root: Path, name: str) -> dict[str, str]:
    """Return a hash of everything that a built sheet depends on, and of the built sheet itself.

    Args:
        root: the project's folder.
        name: the sheet's name.

    Returns:
        Hashes by the words for it, "absent" for what is not there.
    """
    text = root / "course" / "sheets" / f"{name}.md"
    paths = {"its text": text}
    for pattern in BUILDERS:
        paths |= {str(p.relative_to(root)): p for p in sorted(root.glob(pattern))}
    paths |= {str(p.relative_to(root)): p for p in helpers_of(root, text)}
    for file in ("nbgrader_config.py", "requirements.lock"):
        paths[file] = root / file
    for part in ("source", "release"):
        paths[f"{part}/"] = root / part / name / f"{name}.ipynb"
    return {
        words: _imports_aside(path) if path.name == "__init__.py" and path.parent.name in BY_SHEET
        else _hash(path)
        for words, path in paths.items() if words not in NOT_BUILDING
    }  # fmt: skip


def helpers_of(root: Path, text: Path) -> list[Path]:
    """Return the files of helpers that a sheet may use: all but other sheets' checks and demos.

    What a text names as ``check.…`` or ``demos.…`` leads to a part by the imports of the package;
    a name that leads nowhere makes all parts count.
    """
    files = [p for p in sorted((root / "helpers").rglob("*")) if p.is_file() and p.suffix != ".pyc"
             and not p.relative_to(root).as_posix().startswith(NOT_IN_SHEETS)]  # fmt: skip
    words = text.read_text(encoding="utf-8", errors="replace") if text.exists() else ""
    aside: set[Path] = set()
    for package in BY_SHEET:
        folder = root / "helpers" / package
        origins = _origins(folder / "__init__.py")
        named = set(re.findall(rf"\b{package}\.(\w+)", words))
        if not named <= origins.keys() | {"case"}:
            continue
        used = {origins[n] for n in named if n in origins}
        aside |= {folder / part for part in set(origins.values()) - used}
    kept = [p for p in files if not any(_is_in(p, part) for part in aside)]
    # One that a part in use imports counts as well; the packages themselves import all.
    inits = {root / "helpers" / package / "__init__.py" for package in BY_SHEET}
    code = "\n".join(
        p.read_text(encoding="utf-8") for p in kept if p.suffix == ".py" and p not in inits
    )
    parts = rf"\bhelpers\.({'|'.join(BY_SHEET)})\.(\w+)"
    aside -= {root / "helpers" / package / part for package, part in re.findall(parts, code)}
    return [p for p in files if not any(_is_in(p, part) for part in aside)]


def why_not_built(root: Path, name: str) -> str:
    """Return what changed since a sheet was built, in words; nothing where nothing did."""
    before, now = _kept(root, name), inputs(root, name)
    if now["source/"] == "absent" or now["release/"] == "absent":
        return "never built"
    if before is None:
        return "no note of an earlier build here"
    changed = [words for words in {**before, **now} if before.get(words) != now.get(words)]
    if not changed:
        return ""
    return f"changed: {listed(changed, MOST_REASONS)}"


def is_of_text(root: Path, name: str) -> bool:
    """Return whether the last build here made the source at hand from the text at hand."""
    before = _kept(root, name) or {}
    text = root / "course" / "sheets" / f"{name}.md"
    source = root / "source" / name / f"{name}.ipynb"
    return before.get("its text") == _hash(text) and before.get("source/") == _hash(source)


def is_older_than_text(root: Path, name: str) -> bool:
    """Return whether a sheet's text says something else than the source built from it.

    What was built here is known by its stamp; in a fresh clone the cells are compared. A course
    folder without the texts has nothing to compare.
    """
    text = root / "course" / "sheets" / f"{name}.md"
    built = root / "source" / name / f"{name}.ipynb"
    if not text.exists() or not built.exists() or is_of_text(root, name):
        return False
    try:
        wanted = sheet.load(text)
        found = nbformat.read(built, as_version=4)
    except Exception:  # whoever builds or grades the sheet says what is wrong with it
        return False
    return _cells(wanted) != _cells(found)


def _cells(notebook: NotebookNode) -> list[tuple[str, str, dict]]:
    return [(cell.cell_type, cell.source, sheet.flags(cell)) for cell in notebook.cells]


def write(root: Path, name: str) -> None:
    """Note what a sheet was built from."""
    write_whole(_path(root, name), json.dumps(inputs(root, name), indent=1) + "\n")


def _kept(root: Path, name: str) -> dict[str, str] | None:
    try:
        kept = json.loads(_path(root, name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return kept if isinstance(kept, dict) else None


def _path(root: Path, name: str) -> Path:
    return root / ".cache" / "build" / f"{name}.json"


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:32] if path.exists() else "absent"


def _is_in(path: Path, part: Path) -> bool:
    return path == part.with_suffix(".py") or path.is_relative_to(part)


def _origins(init: Path) -> dict[str, str]:
    """Return which part of a package each name that it gives comes from."""
    found: dict[str, str] = {}
    package = f"helpers.{init.parent.name}."
    for node in _tree(init).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(package):
            part = str(node.module)[len(package) :].split(".")[0]
            found |= {alias.asname or alias.name: part for alias in node.names}
    return found


def _imports_aside(path: Path) -> str:
    """Return a hash of a package's own code: a line for another sheet is no change."""
    tree = _tree(path)
    tree.body = [node for node in tree.body if not _lists(node)]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()[:32]


def _lists(node: ast.stmt) -> bool:
    """Return whether a statement imports a part, or lists what there is."""
    if isinstance(node, ast.ImportFrom):
        return (node.module or "").startswith("helpers.")
    targets = node.targets if isinstance(node, ast.Assign) else []
    targets = [node.target] if isinstance(node, ast.AnnAssign) else targets
    return any(isinstance(t, ast.Name) and t.id in ("__all__", "ALL") for t in targets)


def _tree(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError):
        return ast.Module([], [])
