"""What students wrote, from the graded notebooks; and as an example that names nobody."""

import ast
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nbformat import NotebookNode

from course.authoring import names, sheet
from course.grading.ledger import records
from course.grading.ledger.records import Of
from course.notebooks import parse
from course.term.collecting.roster import Student

SOMEBODY = "somebody"


@dataclass(frozen=True)
class Written:
    """What one submission holds.

    Args:
        code: text of the answer cells by the grade_id of their tests.
        words: written answers by grade_id.
    """

    code: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)


def of(root: Path, of: Of) -> Written:
    """Return the answers of a graded submission; none where its notebook cannot be read."""
    try:
        path = records.folder(root, of) / f"{of.sheet}.ipynb"
        return of_notebook(parse(path.read_text(encoding="utf-8")))
    except Exception:  # nbformat raises many kinds
        return Written()


def of_notebook(notebook: NotebookNode) -> Written:
    """Return the answers that a notebook holds."""
    code = {e.test: notebook.cells[e.answer_index].source for e in sheet.exercises(notebook)}
    words = {sheet.grade_id(c): c.source for c in notebook.cells if sheet.is_manual(c)}
    return Written(code, words)


def plain(code: str) -> str:
    """Return code without comments and docstrings, laid out as everybody's is.

    Code that is none is returned without the lines that begin with a comment.
    """
    try:
        if not names.readable(code):
            raise SyntaxError
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        lines = [line for line in code.splitlines() if not line.lstrip().startswith("#")]
        return "\n".join(lines).strip()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            texts = [
                s
                for s in body
                if isinstance(s, ast.Expr)
                and isinstance(s.value, ast.Constant)
                and isinstance(s.value.value, str)
            ]
            node.body = [s for s in body if s not in texts] or [ast.Pass()]  # type: ignore[attr-defined]
    try:
        return ast.unparse(tree)
    except (ValueError, RecursionError):
        return code.strip()


def unnamed(code: str, author: Student | None, student: str) -> str:
    """Return code as an example: plain, and without its author's names."""
    own = {student}
    if author is not None:
        own |= {author.first_name, author.last_name, author.github, author.email}
    text = plain(code)
    for name in sorted((n for n in own if len(n) > 2), key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", SOMEBODY, text, flags=re.IGNORECASE)
    return text


def typical(examples: Iterable[str], most: int = 3) -> list[tuple[str, int]]:
    """Return the texts that were written most often, and how often, the shortest first of each."""
    counted = Counter(text for text in examples if text.strip())
    return sorted(counted.items(), key=lambda one: (-one[1], len(one[0]), one[0]))[:most]
