"""Does a partial run of a sheet make what a full one makes, cell by cell, on fresh data?"""

import pytest
from nbformat.v4 import new_code_cell, new_notebook
from support.project import PROJECT

from course.authoring import build, needed, sheet
from course.proving import bank, checking, partial

FLAGS = {"grade": False, "solution": True, "grade_id": "answer"}
TEST = {"grade": True, "solution": False, "grade_id": "test", "points": 1}


@pytest.mark.slow
def test_is_every_cell_that_is_left_out_of_a_run_without_effect_on_the_others(some_sheet):
    """Every name that an answer uses, or a given cell makes which runs, is the same in both runs.

    And no given cell changes anything, derivatives included, that it is not known to touch.
    """
    notebook = sheet.load(PROJECT / "course" / "sheets" / f"{some_sheet}.md")
    code = {i for i, c in enumerate(notebook.cells)
            if c.cell_type == "code" and not sheet.is_test(c)}  # fmt: skip
    assert code - needed.for_answers(notebook), "some cells are only for show"
    assert partial.differences(some_sheet, notebook, 5) == []


def of(*given, answer="def f(x):\n    return x * rate"):
    cells = [new_code_cell(source) for source in given]
    cells.append(new_code_cell(answer, metadata={"nbgrader": FLAGS}))
    cells.append(new_code_cell("assert check.f(f)", metadata={"nbgrader": TEST}))
    return new_notebook(cells=cells)


HIDDEN = "import gc\nfor one in gc.get_objects():\n    if type(one) is Rate:\n        one[0] = 2"
MAKES = "class Rate(list):\n    pass\n\nrate = Rate([1])"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["rate = [1]", "print(rate)"], []),
        (["rate = [1]", "rate.append(2)"], []),
        ([MAKES, HIDDEN], ["cell 2 (import gc): rate, as cell 3 has it, is another"]),
    ],
)
def test_is_a_cell_that_is_wrongly_left_out_named(given, told):
    found = partial.differences("15-new", of(*given), 1)
    assert [line for line in found if "is another" in line] == [
        line for line in found if any(words in line for words in told)
    ]
    assert bool(found) == bool(told), found
    for line in found:
        assert line.startswith("course/sheets/15-new.md, cell ")
        assert line.endswith("or give the result a name of its own (`name = …`).")


def test_is_a_sheet_that_stops_without_what_is_left_out_named(monkeypatch):
    monkeypatch.setattr(needed, "for_answers", lambda notebook: {1, 2})
    (line,) = partial.differences("15-new", of("base = 1", "rate = base"), 1)
    assert "cell 2 (rate = base): it stops where only the cells run" in line
    assert "NameError: name 'base' is not defined" in line


def test_does_course_check_refuse_a_sheet_whose_partial_run_differs(monkeypatch):
    """As it would where the reading of cells forgot one that an answer needs."""
    name = "01-autodiff"
    prepared = build.prepared(PROJECT, name)
    whole = needed.for_answers(prepared)
    made = next(i for i in sorted(whole) if prepared.cells[i].source.startswith("import"))
    monkeypatch.setattr(build, "prepared", lambda root, name: prepared)
    monkeypatch.setattr(bank, "trials", lambda *_: [])
    seen = []
    checking.check(PROJECT, name, [1], lambda _: None, seen.append)
    assert [line for line in seen if "the answers need" in line] == []
    monkeypatch.setattr(needed, "for_answers", lambda notebook: whole - {made})
    checking.check(PROJECT, name, [1], lambda _: None, seen.append)
    assert any("where only the cells run that the answers need" in line for line in seen)
