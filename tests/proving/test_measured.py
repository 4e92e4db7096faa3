"""Does what is measured anew take the place of the old rows, and of no others?"""

import pytest

from course.proving import margins, mutants, strangers
from course.proving.measured import Part, parts, rewrite

LIST = "\n## To look at\n\n"


@pytest.fixture
def page(tmp_path):
    return tmp_path / "page.md"


def test_do_new_rows_take_the_place_of_a_sheets_old_ones(page):
    rewrite(page, "# Head\n", Part("02-x"), ["| 02-x | f | kept |", "- 02-x f: kept"], LIST)
    rewrite(page, "# Head\n", Part("01-y"), ["| 01-y | g | old |", "- 01-y, g: old"], LIST)
    rewrite(page, "# Head\n", Part("01-y"), ["| 01-y | h | new |"], LIST)
    table = "# Head\n| 01-y | h | new |\n| 02-x | f | kept |\n"
    assert page.read_text() == table + LIST + "- 02-x f: kept\n"
    rewrite(page, "# Head\n", Part("02-x"), [], LIST)
    assert page.read_text() == "# Head\n| 01-y | h | new |\n"


def test_do_the_rows_of_a_sheets_other_exercises_stay(page):
    rewrite(page, "", Part("01-y"), ["| 01-y | f | a |", "| 01-y | g | a |", "- 01-y, g: a"], LIST)
    rewrite(page, "", Part("01-y", ("g",)), ["| 01-y | g | b |"], LIST)
    assert page.read_text() == "| 01-y | f | a |\n| 01-y | g | b |\n"


def test_are_sheets_and_exercises_read():
    assert parts(["14-retrieval"]) == [Part("14-retrieval")]
    assert parts(["14-retrieval:recall,signs"]) == [Part("14-retrieval", ("recall", "signs"))]
    assert len(parts([])) == 14
    assert Part("01-y", ("g",)).holds("g")
    assert not Part("01-y", ("g",)).holds("f")


@pytest.mark.parametrize(
    ("word", "says"),
    [("15-none", "no sheet 15-none"), ("14-retrieval:recal", "has no exercise recal; it has near")],
)
def test_is_an_unknown_sheet_or_exercise_named(word, says):
    with pytest.raises(SystemExit, match=says):
        parts([word])


@pytest.mark.parametrize(
    "of", [strangers, *(pytest.param(m, marks=pytest.mark.night) for m in (margins, mutants))]
)
def test_is_a_single_exercise_measured(of, monkeypatch, capsys):
    monkeypatch.setattr("course.proving.measured.rewrite", lambda *given: written.append(given))
    written = []
    word = "14-retrieval:angle_mle"
    margins.main(2, [word]) if of is margins else of.main([word])
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    assert len(rows) == 1
    assert rows[0].startswith("| 14-retrieval | angle_mle |")
    assert all(part == Part("14-retrieval", ("angle_mle",)) for _, _, part, *_ in written)
