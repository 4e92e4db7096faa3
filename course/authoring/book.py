"""The book: the same texts as a site, made by ``make book``.

    release/ (the text), source/ (the outputs) ┐
    docs/ and the pages beside the README      ├→ .cache/book/pages ─Sphinx→ .cache/book/html
    docs/book/ (start page, style, settings)   ┘

A sheet's text comes from its release, which holds no answer and no hidden test; only what the given
cells printed and drew is taken from the source. Nothing is executed.
"""

import copy
import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from course.authoring import build, rules, sheet
from course.errors import CourseError
from course.files import write_whole

PICTURES = {".png", ".svg", ".jpg", ".gif"}
# What a folder's README leads to: the pages beside it.
CHILDREN = b"\n\n```{toctree}\n:hidden:\n:glob:\n\n*\n```\n"
SHEETS, OTHERS = "<!-- the sheets -->", "<!-- the other pages -->"


def make(root: Path, folder: Path) -> Path:
    """Make the site; where nothing changed since the last time, it is left alone.

    Otherwise it is made anew, because Sphinx leaves on a site what came from texts that are gone.

    Args:
        root: the project's folder.
        folder: where the pages and the site go; what else lies there is lost.

    Returns:
        The start page.

    Raises:
        CourseError: a release is stale or gives something away, or Sphinx warned of something.
    """
    pages, html, stamp = folder / "pages", folder / "html", folder / "stamp"
    files = collected(root)
    digest = _digest(root, files)
    if stamp.exists() and stamp.read_text() == digest:
        return html / "index.html"
    shutil.rmtree(folder, ignore_errors=True)
    for name, content in files.items():
        (pages / name).parent.mkdir(parents=True, exist_ok=True)
        (pages / name).write_bytes(content)
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-b", "html", "-q", "-W", "--keep-going",
         "-c", str(root / "docs" / "book"), "-d", str(folder / "read"), str(pages), str(html)],
        cwd=root, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        said = done.stderr.strip() or done.stdout.strip()
        raise CourseError(f"The book is not made; mend what Sphinx says of it:\n{said}")
    write_whole(stamp, digest)
    return html / "index.html"


def _digest(root: Path, files: dict[str, bytes]) -> str:
    digest = hashlib.sha256()
    settings = [path for path in sorted((root / "docs" / "book").rglob("*")) if path.is_file()]
    makers = [*settings, root / "requirements.lock", Path(__file__)]
    for name, content in sorted((files | {str(p): p.read_bytes() for p in makers}).items()):
        digest.update(f"{name} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def collected(root: Path) -> dict[str, bytes]:
    """Return the pages of the book and their pictures, by their path in it.

    Raises:
        CourseError: a release is stale, or gives something away.
    """
    sheets = {name: _read(root, name) for name in build.names(root)}
    files, others = _texts(root)
    for name, notebook in sheets.items():
        text = json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False)
        files[f"sheets/{name}.ipynb"] = text.encode()
    start = (root / "docs" / "book" / "index.md").read_text(encoding="utf-8")
    files["index.md"] = start_page(start, sheets, others).encode()
    return files


def _texts(root: Path) -> tuple[dict[str, bytes], list[str]]:
    """Return the project's pages and pictures by path, and the pages that the start page leads to.

    A folder in docs/ with a README is one of these; its README leads on to the pages beside it. The
    project's own README, whose place the start page takes, is left out.
    """
    files = {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in [*root.glob("*.md"), *(root / "docs").rglob("*")]
        if path.suffix in {".md", *PICTURES}
        and path != root / "README.md"
        and root / "docs" / "book" not in path.parents
    }
    pages = sorted(name for name in files if name.endswith(".md"))
    folders = [name.removesuffix("README.md") for name in pages if name.endswith("/README.md")]
    for folder in folders:
        files[f"{folder}README.md"] += CHILDREN
        pages = [p for p in pages if not p.startswith(folder) or p == f"{folder}README.md"]
    return files, pages


def _read(root: Path, name: str) -> NotebookNode:
    source, release = (
        nbformat.read(root / part / name / f"{name}.ipynb", as_version=4)
        for part in ("source", "release")
    )
    return page(name, source, release)


def page(name: str, source: NotebookNode, release: NotebookNode) -> NotebookNode:
    """Return a sheet as it is read: the released text, and what the given cells show.

    Args:
        name: the sheet's name.
        source: the executed source.
        release: what students get, without answers, hidden tests and outputs.

    Raises:
        CourseError: the release is not what the source gives, or gives something away.
    """
    rules.of_release(name, source, release)
    read = copy.deepcopy(release)
    for cell, executed in zip(read.cells, source.cells, strict=True):
        cell.metadata["tags"] = []
        if cell.cell_type != "code":
            continue
        if sheet.is_answer(cell):
            cell.metadata["tags"] = ["answer"]
        elif sheet.is_test(cell):
            cell.metadata["tags"] = ["hide-input"]
            cell.metadata["mystnb"] = {f"code_prompt_{do}": "The check" for do in ("show", "hide")}
        else:
            cell.outputs = [_once(output) for output in executed.outputs]
    return read


def _once(output: NotebookNode) -> NotebookNode:
    """Return an output with its picture once: the one that has words."""
    shown = copy.deepcopy(output)
    if "text/html" in shown.get("data", {}):
        shown.data.pop("image/png", None)
    return shown


def start_page(text: str, sheets: dict[str, NotebookNode], pages: list[str]) -> str:
    """Return the start page with the sheets, and with the pages that it does not name itself.

    Args:
        text: the start page, marks where the lists go.
        sheets: every sheet by name, in teaching order.
        pages: the paths of all other pages.
    """
    for mark in (SHEETS, OTHERS):
        if mark not in text:
            raise CourseError(f"docs/book/index.md: the line «{mark}» is missing; put it back.")
    lines = []
    for name, notebook in sheets.items():
        title, _, rest = notebook.cells[0].source.lstrip("# ").partition("\n")
        first = rest.strip().split("\n\n")[0].replace("\n", " ")
        lines.append(f"**[{title}](sheets/{name}.ipynb)**\\\n{first}\n")
    named = set(text.splitlines())
    left = [path.removesuffix(".md") for path in pages]
    left = [path for path in left if path not in named]
    return text.replace(SHEETS, "\n".join(lines)).replace(OTHERS, "\n".join(left))


def target(root: Path, page: str, link: str) -> str | None:
    """Return what a link that leads out of the book means inside it.

    Args:
        root: the project's folder.
        page: path of the page in the book, without its suffix; that of a text is the project's.
        link: where the link leads, as written.

    Returns:
        The path of a page without its suffix; an empty string for a file of the project that the
        book does not hold; None where there is no such file.
    """
    path = (root / page).parent.joinpath(link.partition("#")[0]).resolve()
    if not path.exists() or not path.is_relative_to(root.resolve()):
        return None
    if path.stem in build.names(root) and path.suffix in {".ipynb", ".md"}:
        return f"sheets/{path.stem}"
    return "index" if path == root.resolve() / "README.md" else ""


if __name__ == "__main__":
    project = Path(__file__).parent.parent.parent
    try:
        print(make(project, project / ".cache" / "book").relative_to(project))
    except CourseError as error:
        print(f"book: {error}", file=sys.stderr)
        raise SystemExit(2) from None
