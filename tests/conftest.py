"""What the tests share: the project, its sheets, and a tiny sheet to break rules with."""

from pathlib import Path

import pytest

from course import build, sheet
from course.grading import cage

PROJECT = Path(__file__).parent.parent
SHEETS = build.names(PROJECT)

# ruff: noqa: E501  (nbgrader metadata stands on one line, as in the sheets)
TINY = '''---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

# A tiny sheet

The slope is 4.50 here.

```{code-cell} ipython3
print("slope", 4.5)
```

```{code-cell} ipython3
---
nbgrader: {grade: false, grade_id: derivative, locked: false, points: 0, schema_version: 3, solution: true, task: false}
---
def derivative(f, x):
    """Return the slope of f at each element of x."""
    ### BEGIN SOLUTION
    x = x.detach().clone().requires_grad_(True)
    f(x).sum().backward()
    return x.grad
    ### END SOLUTION
```

```{code-cell} ipython3
---
nbgrader: {grade: true, grade_id: test_derivative, locked: true, points: 3, schema_version: 3, solution: false, task: false}
---
from helpers import check

assert check.derivative(derivative)
### BEGIN HIDDEN TESTS
assert check.derivative(derivative, shapes="fresh")
### END HIDDEN TESTS
```
'''


@pytest.fixture
def tiny(tmp_path: Path):
    """Return a function that writes the tiny sheet, with a replacement, and reads it back."""

    def make(old: str = "", new: str = ""):
        assert old in TINY
        path = tmp_path / "tiny.md"
        path.write_text(TINY.replace(old, new) if old else TINY, encoding="utf-8")
        return build.prepare("tiny", sheet.read(path))

    return make


@pytest.fixture(scope="session")
def built():
    """Return a function that builds a sheet's source afresh from its text, once a session."""
    done: dict = {}

    def make(name: str):
        if name not in done:
            done[name] = build.build_source(PROJECT, name)
        return done[name]

    return make


@pytest.fixture(scope="session")
def caged() -> bool:
    """Return whether cages work here; where they do not, grading tests run without one."""
    return not cage.works()
