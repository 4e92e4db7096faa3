"""Does every mutated notebook end in a notebook or a refusal, and in the engine in a result?"""

import json

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.classes import NAME, copied
from support.project import PROJECT

from course.authoring import sheet
from course.grading import assemble, submitted
from course.grading.cage.limits import Limits
from course.grading.submission import grade_submission

pytestmark = pytest.mark.slow

SOURCE = nbformat.read(PROJECT / "source" / NAME / f"{NAME}.ipynb", as_version=4)
RELEASE = nbformat.read(PROJECT / "release" / NAME / f"{NAME}.ipynb", as_version=4)
TEXT = (PROJECT / "release" / NAME / f"{NAME}.ipynb").read_text()

junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
code = st.sampled_from(
    ["", "derivative = 3",
     "def derivative(f, x):\n    return x", "1/0", "while", "x = " + "(" * 99,
     "import torch", "raise SystemExit", "\x00", "%%bash\nls", "!ls", "del torch", "é = '\u2028'"]
)  # fmt: skip


@st.composite
def mutated(draw):
    """Change a released notebook as students, tools and attackers do."""
    content = json.loads(TEXT)
    for _ in range(draw(st.integers(1, 6))):
        cells = content.get("cells")
        how = draw(st.integers(0, 9))
        if not isinstance(cells, list) or not cells:
            break
        place = draw(st.integers(0, len(cells) - 1))
        cell = cells[place]
        if how == 0:
            del cells[place]
        elif how == 1:
            cells.insert(draw(st.integers(0, len(cells))), json.loads(json.dumps(cell)))
        elif how == 2 and isinstance(cell, dict):
            cell["source"] = draw(code | junk)
        elif how == 3 and isinstance(cell, dict):
            cell["cell_type"] = draw(st.sampled_from(["code", "markdown", "raw"]) | junk)
        elif how == 4 and isinstance(cell, dict):
            cell["metadata"] = draw(junk)
        elif how == 5 and isinstance(cell, dict):
            cell["id"] = draw(st.sampled_from(["added-0", RELEASE.cells[3].id, ""]) | junk)
        elif how == 6:
            cells[place] = draw(junk)
        elif how == 7:
            content[draw(st.sampled_from(["nbformat", "metadata", "cells", "x"]))] = draw(junk)
        elif how == 8 and isinstance(cell, dict):
            cell["outputs"] = draw(junk)
        else:
            cells.append({"cell_type": "code", "source": draw(code), "metadata": draw(junk)})
    raw = json.dumps(content).encode()
    if draw(st.integers(0, 9)) == 0:
        cut = draw(st.integers(0, len(raw)))
        raw = raw[:cut] + draw(st.binary(max_size=10)) + raw[cut + draw(st.integers(0, 50)) :]
    return raw


# An assembly is cheap: twenty examples for each one that the whole engine gets.
@settings(max_examples=20 * settings().max_examples, deadline=None,
          suppress_health_check=list(HealthCheck))  # fmt: skip
@given(mutated())
def test_does_assembly_take_or_refuse_every_notebook(raw):
    try:
        made = assemble.assemble(raw, SOURCE, RELEASE)
    except assemble.Refused:
        return
    nbformat.validate(made)
    spine = [c for c in made.cells if not c.id.startswith(sheet.ADDED)]
    assert [sheet.grade_id(c) for c in spine] == [sheet.grade_id(c) for c in SOURCE.cells]
    for cell, own in zip(spine, SOURCE.cells, strict=True):
        assert cell.cell_type == own.cell_type
        if not sheet.is_answer(own):
            assert cell.source == own.source


@pytest.fixture(scope="module")
def job(tmp_path_factory, caged):
    root = copied(tmp_path_factory.mktemp("fuzz"))
    folder = root / "submitted" / "fuzzer" / NAME
    folder.mkdir(parents=True)
    (folder / f"{NAME}.ipynb").write_bytes(TEXT.encode())
    (made,) = submitted.jobs(root, [NAME], [], caged, print, Limits(cell_seconds=5))
    return made


# As many examples as the profile says: few here, many at night.
@settings(deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(raw=mutated())
def test_does_the_whole_engine_give_every_notebook_a_result(job, raw):
    import dataclasses

    result = grade_submission(dataclasses.replace(job, submission=raw)).result
    assert set(result.tests) == {sheet.grade_id(c) for c in SOURCE.cells
                                 if sheet.is_test(c) or sheet.is_manual(c)}  # fmt: skip
    assert result.score == 0
