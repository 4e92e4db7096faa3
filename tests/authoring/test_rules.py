"""Does `course build` refuse a sheet that breaks a rule, and say where?"""

import nbformat
import pytest
from support.project import TINY

from course.authoring import build, names, rules, sheet
from course.authoring.execute import execute
from course.errors import CourseError

TEST_LINE = "assert check.derivative(derivative)\n### BEGIN"


def test_does_the_tiny_sheet_itself_pass(tiny):
    rules.of_text("tiny", tiny())
    rules.of_stubs("tiny", tiny())


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("grade_id: test_derivative", "grade_id: ''", "needs a grade_id"),
        ("grade_id: test_derivative", "grade_id: derivative", "has this grade_id already"),
        ("grade_id: test_derivative", "grade_id: test derivative", "letters, digits"),
        ("solution: true", "solution: false", "may stand in an answer cell only"),
        ("    ### END SOLUTION\n", "", "must come in pairs"),
        ("    ### BEGIN SOLUTION\n", "", "must come in pairs"),
        (TEST_LINE, "assert check.derivative(derivative, h)\n### BEGIN", "the test uses h"),
        (TEST_LINE, "check.derivative(derivative)\n### BEGIN", "its last line is a value"),
        ("is True\n", "is True\n1.0\n", "its last line is a value"),
        (TEST_LINE, "assert derivative\n### BEGIN", "calls a check"),
        (TEST_LINE, "assert check.derivative(derivative\n### BEGIN", "is not Python"),
        ("points: 3", "points: three", "needs points"),
        ("The slope is 4.50 here.", "- A journal,\n  2014.", "2014. alone on its line"),
    ],
)  # fmt: skip
def test_is_a_broken_rule_named_with_its_cell(tiny, old, new, says):
    notebook = tiny(old, new)
    with pytest.raises(CourseError) as caught:
        rules.of_text("tiny", notebook)
    assert says in str(caught.value)
    assert "course/sheets/tiny.md, cell " in str(caught.value)


def test_is_an_exercise_without_a_test_or_a_test_without_an_exercise_refused(tiny):
    notebook = tiny()
    answer, test = notebook.cells[2:4]
    for cells, says in (([answer], "no test cell below it"), ([test], "no exercise of its own")):
        notebook.cells = cells
        with pytest.raises(CourseError, match=says):
            rules.of_text("tiny", notebook)


def test_is_a_stub_that_does_not_fail_refused(tiny):
    notebook = tiny("    ### BEGIN SOLUTION\n", "    return f(x)\n    ### BEGIN SOLUTION\n")
    with pytest.raises(CourseError, match="leave `raise NotImplementedError`"):
        rules.of_stubs("tiny", notebook)


BREAKING_RUNS = [
    ("return x.grad", "return x", "does not pass its own test"),
    ('print("slope", 4.5)', "1 / 0", "it fails: ZeroDivisionError"),
    ('print("slope", 4.5)', "import warnings\nwarnings.warn('slope 4.5')", "writes to stderr"),
    ("assert check.derivative(derivative)\n#", "import time\ntime.sleep(5.1)\n"
     "assert check.derivative(derivative)\n#", "may take 5 s"),
    ("The slope is 4.50", "The slope is 4.51", "the prose says 4.51"),
    ("The slope is 4.50", "The slope is 4.5", ""),
]  # fmt: skip


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """Run the tiny sheets that break a rule one below the other, in one kernel.

    Returns:
        For what each must be told: the sheet as it was run, and the seconds of its cells.
    """
    sheets = {}
    for old, new, says in BREAKING_RUNS:
        path = tmp_path_factory.mktemp("tiny") / "tiny.md"
        path.write_text(TINY.replace(old, new), encoding="utf-8")
        sheets[says] = build.with_stable_ids(f"tiny {says}", sheet.load(path))
    cells = [cell for one in sheets.values() for cell in one.cells]
    seconds = execute(nbformat.v4.new_notebook(cells=cells))
    found, start = {}, 0
    for says, one in sheets.items():
        own = range(start, start + len(one.cells))
        found[says] = one, {i - start: seconds[i] for i in own if i in seconds}
        start += len(one.cells)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("says", [says for *_, says in BREAKING_RUNS if says])
def test_is_a_run_that_breaks_a_rule_refused(ran, says):
    notebook, seconds = ran[says]

    def check():
        rules.of_execution("tiny", notebook, seconds)
        rules.of_numbers("tiny", notebook)

    with pytest.raises(CourseError) as caught:
        check()
    assert says in str(caught.value)
    assert "course/sheets/tiny.md, cell " in str(caught.value)


@pytest.mark.slow
def test_is_a_run_that_keeps_to_the_rules_accepted(ran):
    notebook, seconds = ran[""]
    rules.of_execution("tiny", notebook, seconds)
    rules.of_numbers("tiny", notebook)


@pytest.mark.parametrize(
    ("prose", "numbers"),
    [
        ("about 0.707 or 19274.03", ["0.707", "19274.03"]),
        ("10,000 draws, $10{,}000$ draws", ["10000", "10000"]),
        ("`1234` and [text](https://x.y/2019/12345) are no prose", []),
        ("0.05, 12, 1e-7, exercise 2.2.1, sheet 3", []),
        ("# References\n\nSmith 1987", []),
        ("$x = -4.094345$", ["4.094345"]),
    ],
)
def test_which_numbers_count_as_quoted(prose, numbers):
    assert rules.quoted(prose) == numbers


@pytest.mark.parametrize(
    ("output", "prose", "shown"),
    [
        ("0.60579", "0.606", True),
        ("0.60579", "0.605", False),
        ("tensor([1.25, 14258.9764])", "14258.98", True),
        ("-4.0943", "4.094", True),
        ("1e-07", "100", False),
        ("0.1235", "0.124", True),
    ],
)
def test_does_a_rounded_output_cover_the_prose(tiny, output, prose, shown):
    notebook = tiny()
    notebook.cells[0].source = f"It is {prose}."
    notebook.cells[1].outputs = [
        nbformat.v4.new_output("stream", name="stdout", text=f"{output}\n")
    ]
    assert rules.quoted(notebook.cells[0].source) == [prose]
    if shown:
        rules.of_numbers("tiny", notebook)
    else:
        with pytest.raises(CourseError, match=prose):
            rules.of_numbers("tiny", notebook)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("# no header\n", "jupytext header"),
        ("---\nformat_name: myst\n: : broken [\n---\n\n```{code-cell}\n---\na: [\n---\n```\n", ""),
    ],
)
def test_is_an_unreadable_sheet_one_sentence(tmp_path, text, says):
    path = tmp_path / "x.md"
    path.write_text(text)
    with pytest.raises(CourseError) as caught:
        sheet.load(path)
    assert says in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_are_missing_and_binary_sheets_one_sentence(tmp_path):
    with pytest.raises(CourseError, match="does not exist"):
        sheet.load(tmp_path / "no.md")
    (tmp_path / "bin.md").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CourseError, match="UTF-8"):
        sheet.load(tmp_path / "bin.md")


def test_what_are_the_free_names_of_a_cell():
    source = "from helpers import check\n\nassert check.a(b, [c for d in e], lambda f: f + g)"
    assert names.free(source) == {"b", "c", "e", "g"}
