"""Is what a docstring promises of precision what its check asks?"""

import ast
import re

import pytest
from support.project import PROJECT

from course.authoring import sheet
from course.proving.mutants import declared

PROMISE = re.compile(r"float64|double precision|precision of", re.I)


def promises():
    """Yield each declared function, and what its sheet's docstring says."""
    for path in sorted((PROJECT / "course" / "sheets").glob("*.md")):
        notebook = sheet.load(path)
        for exercise in sheet.exercises(notebook):
            of_name = {e.name: e for e in declared(notebook.cells[exercise.test_index].source)}
            given = notebook.cells[exercise.answer_index].source
            for node in ast.walk(ast.parse(given)):
                if isinstance(node, ast.FunctionDef) and node.name in of_name:
                    text = ast.get_docstring(node) or ""
                    yield pytest.param(of_name[node.name], text, id=node.name)


@pytest.mark.parametrize(("exercise", "docstring"), list(promises()))
def test_is_the_precision_of_a_returned_tensor_asked_where_it_is_promised(exercise, docstring):
    returns = docstring.partition("Returns:")[2].partition("\n\n")[0]
    summary = docstring.partition("Args:")[0]
    of_a_tensor = PROMISE.search(returns) or (PROMISE.search(summary) and "ensor" in returns)
    assert exercise.double == bool(of_a_tensor)
