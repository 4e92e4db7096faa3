"""Does only text travel from a submission to the notebook that is run?"""

import json

import nbformat
import pytest
from support.project import PROJECT, SHEETS

from course.authoring import sheet
from course.grading import assemble

NAME = SHEETS[0]


def read(part):
    return nbformat.read(PROJECT / part / NAME / f"{NAME}.ipynb", as_version=4)


@pytest.fixture
def parts():
    return read("source"), read("release"), read("release")


def sent(notebook):
    return nbformat.writes(notebook).encode()


def cell_of(notebook, grade_id):
    return next(c for c in notebook.cells if sheet.grade_id(c) == grade_id)


def test_is_an_untouched_release_the_source_with_stubs(parts):
    source, release, _ = parts
    made = assemble.assemble(sent(release), source, release)
    assert len(made.cells) == len(source.cells)
    for cell, given, own in zip(made.cells, release.cells, source.cells, strict=True):
        assert cell.source == (given.source if sheet.is_answer(cell) else own.source)


def test_does_the_answer_travel_and_a_changed_test_not(parts):
    source, release, mine = parts
    cell_of(mine, "derivative").source = "derivative = 42"
    cell_of(mine, "test_derivative").source = "pass  # no test for me"
    made = assemble.assemble(sent(mine), source, release)
    assert cell_of(made, "derivative").source == "derivative = 42"
    assert cell_of(made, "test_derivative").source == cell_of(source, "test_derivative").source
    assert "no test for me" not in sent(made).decode()


def test_does_deleting_or_retyping_a_test_cost_or_gain_anything(parts):
    source, release, mine = parts
    expected = assemble.assemble(sent(mine), source, release)
    cell_of(mine, "test_derivative").cell_type = "markdown"
    mine.cells = [c for c in mine.cells if sheet.grade_id(c) != "test_beta_slope"]
    content = json.loads(json.dumps(mine))
    assert assemble.assemble(json.dumps(content).encode(), source, release) == expected


def test_which_copy_of_a_doubled_answer_counts(parts):
    source, release, mine = parts
    place = mine.cells.index(cell_of(mine, "derivative"))
    double = nbformat.from_dict(mine.cells[place])
    double.source, double.id = "derivative = 'solved in the copy'", "copy"
    mine.cells.insert(place + 1, double)
    made = assemble.assemble(sent(mine), source, release)
    assert cell_of(made, "derivative").source == "derivative = 'solved in the copy'"
    assert sum(sheet.grade_id(c) == "derivative" for c in made.cells) == 1


def test_do_added_and_edited_cells_run_where_they_stood(parts):
    source, release, mine = parts
    imports = next(i for i, c in enumerate(mine.cells) if "import torch" in c.source)
    mine.cells[imports].source += "\nimport cmath"
    mine.cells.insert(imports + 3, nbformat.v4.new_code_cell("half = 0.5"))
    made = assemble.assemble(sent(mine), source, release)
    texts = [c.source for c in made.cells]
    assert texts[imports] == source.cells[imports].source
    assert texts[imports + 1] == mine.cells[imports].source
    assert texts.index("half = 0.5") == imports + 4


@pytest.mark.parametrize(
    ("metadata"),
    [{"nbgrader": {"grade_id": "test_derivative", "solution": True}}, {"nbgrader": 3}, None, []],
)
def test_can_metadata_turn_a_test_into_an_answer(parts, metadata):
    source, release, mine = parts
    content = json.loads(sent(mine))
    content["cells"].insert(
        0, {"cell_type": "code", "source": "derivative = 1", "metadata": metadata}
    )
    made = assemble.assemble(json.dumps(content).encode(), source, release)
    assert cell_of(made, "test_derivative").source == cell_of(source, "test_derivative").source


@pytest.mark.parametrize(
    ("submission", "says"),
    [
        (b"", "no JSON"),
        (b"the dog ate it", "no JSON"),
        (b"\xff\xfe\x00\x01", "not UTF-8"),
        (b"[1, 2]", "not a notebook"),
        (b'{"cells": 3}', "no list of cells"),
        (b"[" * 100_000, "no JSON"),
        (b'{"nbformat": 3, "worksheets": 7}', "old format 3"),
        (b"x" * (assemble.LARGEST + 1), "clear all outputs"),
    ],
)
def test_is_what_is_no_notebook_refused_in_one_sentence(parts, submission, says):
    with pytest.raises(assemble.Refused) as caught:
        assemble.assemble(submission, *parts[:2])
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "cells",
    [[], [None, 3, "x"], [{}], [{"source": ["a", 3, "b"]}], [{"source": {"x": 1}}],
     [{"cell_type": "code", "source": "\ud800"}]],
)  # fmt: skip
def test_does_a_strange_list_of_cells_still_give_the_sheet(parts, cells):
    source, release, _ = parts
    made = assemble.assemble(json.dumps({"cells": cells}).encode(), source, release)
    nbformat.validate(made)
    spine = [c for c in made.cells if not c.id.startswith("added-")]
    assert [c.id for c in spine] == [c.id for c in source.cells]
    assert cell_of(made, "derivative").source == assemble.EMPTY
