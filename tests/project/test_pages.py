"""Is what the pages show of the project what the project is now?"""

import re
import shutil
import subprocess
import sys

import nbformat
import pytest
from support import classes, gradebooks
from support.attacks import against_stock
from support.attacks import bank as attacks
from support.pages import pages
from support.project import PROJECT, SHEETS

from course import stock_nbgrader
from course.authoring import sheet
from course.grading import grade
from course.proving import bench, margins
from course.term import report

DOCS = PROJECT / "docs"
PAGES = [PROJECT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")]
# The links of the book's own start page are the site's: the build of the book refuses bad ones.
PAGES += [PROJECT / "autograded" / "README.md"]
PAGES += [p for p in sorted(DOCS.rglob("*.md")) if "book" not in p.parts]
FIELD = re.compile(r"^\| ([^|]+) \|", re.MULTILINE)


def rows(path, heading):
    """Return the first field of each row of the table below a heading of columns."""
    text = path.read_text(encoding="utf-8")
    assert heading in text, f"{path} has no table that begins «{heading}»"
    table = text.split(heading, 1)[1].split("\n\n")[0]
    return [field.strip() for field in FIELD.findall(table) if not field.startswith("---")]


def test_are_the_imports_drawn_those_of_the_code():
    page = pages.ARCHITECTURE.read_text(encoding="utf-8")
    # A process of its own: the packages are looked up there as a reader's command finds them.
    words = [sys.executable, str(DOCS / "pages.py"), "imports", str(PROJECT)]
    drawn = subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
    assert pages.marked(page, "imports", drawn) == page, "make pages"


def test_does_margins_list_every_exercise_of_every_sheet():
    text = (DOCS / "margins.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| (\d\d-\S+) \| (\w+) \|", text, re.MULTILINE))
    made = {
        (name, exercise.name)
        for name in SHEETS
        for exercise in sheet.exercises(sheet.load(margins.COURSE / "sheets" / f"{name}.md"))
    }
    assert listed == made, "make margins"
    assert text.startswith(margins.HEAD)


def test_does_hostile_list_every_attack():
    listed = rows(DOCS / "hostile.md", "| attack | idea |")
    made = [f"{a.group}: {a.name}".replace("|", "/") for a in attacks.attacks()]
    assert sorted(listed) == sorted(made), "make hostile"


def test_is_there_an_attack_that_nobody_has_tried():
    text = (DOCS / "hostile.md").read_text(encoding="utf-8")
    assert [line for line in text.splitlines() if "not tried" in line] == [], "make hostile"


def test_are_the_rows_of_attacks_that_are_not_asked_for_kept():
    _, table = (DOCS / "hostile.md").read_text(encoding="utf-8").split(against_stock.MARK)
    first, *rest = attacks.attacks()
    made = {against_stock.named(first): against_stock.row(first, "its grade", "another")}
    before, after = against_stock.rows(table, {}), against_stock.rows(table, made)
    assert before == table.strip().splitlines()
    assert [line for line in after if line not in before] == list(made.values())
    assert len(after) == len(before) == len(rest) + 3
    with pytest.raises(SystemExit, match="no row for"):
        against_stock.rows("", made)


def test_do_the_benchmarks_have_the_rows_that_make_bench_writes():
    listed = " ".join(rows(DOCS / "benchmarks.md", "| what | seconds a submission |"))
    for row in ("plain `nbgrader autograde`", "from nothing", "--force", "true floor"):
        assert row in listed, row
    lines = (DOCS / "benchmarks.md").read_text(encoding="utf-8")
    sizes = re.findall(r"^\| (solved|mixed) \| (\d+) \|", lines, re.MULTILINE)
    assert sizes == [(kind, str(count)) for _, kind, count in bench.CLASSES]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_does_every_link_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
        if not re.match(r"[a-z]+:|#", target):
            assert (path.parent / target.split("#")[0]).exists(), target


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_is_every_file_that_a_page_names_there(path):
    """A page that names a file of the code is wrong as soon as the file moves."""
    if path.name == "CHANGELOG.md":  # says what was
        return
    text = path.read_text(encoding="utf-8")
    folders = r"(?:course|helpers|tests|docs|\.github|\.ci)/"
    named = re.findall(rf"`({folders}[\w./-]*)`", text)
    named += re.findall(rf"(?<![\w/.])({folders}[\w./-]+\.(?:py|md|svg|png|cfg|yml))\b", text)
    for name in named:
        if not re.search(r"NN-|NAME|/name\b", name):  # stands for many
            assert (PROJECT / name).exists(), name


def test_does_every_behaviour_in_the_table_live_where_it_says():
    text = pages.ARCHITECTURE.read_text(encoding="utf-8")
    table = text.split("| behaviour |", 1)[1].split("\n\n")[0]
    found = re.findall(r"\| `([\w./]+)` \| (.+?) \|$", table, re.MULTILINE)
    assert len(found) >= 30
    for file, names in found:
        code = (PROJECT / file).read_text(encoding="utf-8")
        for name in re.findall(r"`(\w+)`", names):
            assert re.search(rf"^ *(?:def|class) {name}\b|^{name}\b", code, re.MULTILINE), (
                file, name,
            )  # fmt: skip


def test_does_every_name_in_the_glossary_exist():
    """`module.name`, `Class.attribute`: the last column says where a word stands in the code."""
    code = [
        (path.stem, path.read_text(encoding="utf-8"))
        for folder in ("course", "helpers", "tests/support")
        for path in (PROJECT / folder).rglob("*.py")
    ]
    text = (DOCS / "glossary.md").read_text(encoding="utf-8")
    names = re.findall(r"`(\w+)\.(\w+)(?:\([^`]*\))?`", text)
    names = [(of, name) for of, name in names if name not in ("md", "py", "json")]
    assert len(names) > 50
    for of, name in names:
        if of[0].isupper():
            found = [t for _, t in code if re.search(rf"^class {of}\b", t, re.MULTILINE)]
        else:
            found = [t for stem, t in code if stem == of]
        there = rf"^ *(?:def |class |self\.)?{name}\b"
        assert any(re.search(there, t, re.MULTILINE) for t in found), f"{of}.{name}"


def test_are_the_lines_for_a_new_sheet_those_of_a_sheet_that_builds():
    """What an author copies: metadata, cells and headings, quoted from sheet 01 and its bank."""
    page = (DOCS / "add-a-sheet.md").read_text(encoding="utf-8")
    quoted = re.findall(r"````?text\n(.*?)\n````?\n", page, re.DOTALL)
    name = SHEETS[0]
    parts = [PROJECT / "course" / part / f"{name}.md" for part in ("sheets", "answers")]
    lines = {line for path in parts for line in path.read_text(encoding="utf-8").splitlines()}
    assert len(quoted) == 5
    for block in quoted:
        own = [line for line in block.splitlines() if line.strip() != "..."]  # no answer is shown
        strange = [line for line in own if line not in lines]
        assert not strange, strange


@pytest.mark.slow
def test_does_the_page_in_autograded_show_what_grading_gives():
    assert pages.EXAMPLE.read_text(encoding="utf-8") == pages.example_page(), "make pages"


@pytest.mark.slow
def test_is_a_page_in_autograded_in_nobodys_way(tmp_path, caged):
    """A checkout has one; grading, the report and nbgrader's tools walk the folder beside it."""
    root = classes.copied(tmp_path)
    for path in root.glob("*/*/*.ipynb"):  # one exercise is enough, and cheap
        notebook = nbformat.read(path, as_version=4)
        wanted = (pages.EXERCISE, f"test_{pages.EXERCISE}")
        notebook.cells = [c for c in notebook.cells if sheet.grade_id(c) in wanted]
        nbformat.write(notebook, path)
    (root / "autograded").mkdir()
    page = root / "autograded" / "README.md"
    shutil.copy(pages.EXAMPLE, page)
    gradebooks.opened(root).close()
    solved = root / "source" / classes.NAME / f"{classes.NAME}.ipynb"
    classes.hand_in(root, "ada", solved.read_bytes())
    (graded,) = grade.grade_class(root, [], [], no_cage=not caged, say=lambda _: None)
    assert report.graded(root, []) == [graded]
    with stock_nbgrader.quiet():
        stock = stock_nbgrader.api(root)
        assert stock.get_autograded_students(classes.NAME) == {"ada"}
        assert stock.get_submissions(classes.NAME)[0]["autograded"]
        made = stock.autograde(classes.NAME, "*", force=True)
        assert made["success"], made.get("log") or made.get("error")
        made = stock.generate_feedback(classes.NAME, force=True)
        assert made["success"], made.get("log") or made.get("error")
    assert page.read_bytes() == pages.EXAMPLE.read_bytes()
    assert not (root / "feedback" / "README.md").exists()
