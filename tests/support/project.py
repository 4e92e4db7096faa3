"""The project that is tested, its sheets, and a tiny sheet to break rules with."""

import copy
from pathlib import Path

from nbformat import NotebookNode

from course.authoring import build, sheet

PROJECT = Path(__file__).parent.parent.parent
SHEETS = build.names(PROJECT)
# One whose answers are functions, and one that has parameters learned; both have a written answer.
FEW_SHEETS = ("01-autodiff", "05-constraints")

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
assert check.derivative(derivative) is True
### END HIDDEN TESTS
```
'''


def with_hidden_test(notebook: NotebookNode) -> NotebookNode:
    """Return a sheet's source whose first test cell holds a hidden test as well."""
    changed = copy.deepcopy(notebook)
    cell = next(c for c in changed.cells if sheet.is_test(c))
    shown = sheet.without_hidden(cell.source).rstrip()
    again = shown.splitlines()[-1]
    cell.source = f"{shown}\n{sheet.BEGIN_HIDDEN}\n{again} is True\n{sheet.END_HIDDEN}"
    return changed
