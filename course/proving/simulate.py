"""A class of submissions, made from the answers bank: right, wrong, unsolved, broken and late."""

import copy
import datetime
import hashlib
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from course import stock_nbgrader
from course.authoring import names as names_in
from course.authoring import sheet
from course.errors import CourseError
from course.files import write_whole
from course.grading.ledger import gradebook
from course.proving import bank

NAMES = [
    "ada", "blaise", "carl", "dorothea", "emmy", "florence", "grace", "henri", "ida", "john",
    "katherine", "leonhard", "mary", "nadia", "olga", "pierre", "quentin", "ronald", "sofia",
    "thomas", "ursula", "vera", "william", "xenia", "yusuf", "zoltan",
]  # fmt: skip
DESERVED = "simulated.json"
DUE = datetime.datetime(2026, 11, 1, 12, 0)


def student(number: int) -> str:
    """Return the name of a simulated student."""
    name, again = NAMES[number % len(NAMES)], number // len(NAMES)
    return f"{name}{again + 1}" if again else name


def simulate(
    project: Path,
    root: Path,
    students: int,
    seed: int,
    names: list[str],
    say: Callable[[str], None],
) -> None:
    """Make a course folder with a class of submissions, and a file of what each one deserves.

    The first students are of one kind each: everything right, nothing solved, unreadable, late,
    with deleted and doubled cells, with a deadly cell; the others answer from the bank at random.

    Args:
        project: where the sheets and the bank are.
        root: course folder to make; one that an earlier simulation made is replaced.
        students: number of students.
        seed: seed of the random choices.
        names: sheets; all where empty.
        say: takes a line on what was made.

    Raises:
        CourseError: an unknown sheet, or a root that holds something else.
    """
    known = sorted(p.parent.name for p in project.glob("release/*/*.ipynb"))
    for name in names:
        if name not in known:
            raise CourseError(f"There is no sheet {name!r}; there are {', '.join(known)}.")
    if students < 1:
        raise CourseError(f"A class has at least one student, not {students}.")
    names = names or known
    made_from = _made_from(project, students, seed, names)
    if (root / DESERVED).exists():
        if json.loads((root / DESERVED).read_text())["made_from"] == made_from:
            say(f"{root}: the class is there already, nothing changed")
            return
        for part in ("submitted", "autograded", "feedback", "source", "release", ".course"):
            shutil.rmtree(root / part, ignore_errors=True)
        (root / "gradebook.db").unlink(missing_ok=True)
    elif root.exists() and any(root.iterdir()):
        raise CourseError(f"{root} is not empty and not a simulated class; choose a new folder.")
    root.mkdir(parents=True, exist_ok=True)
    configure(project, root)
    deserved: dict[str, dict[str, Any]] = {student(i): {} for i in range(students)}
    for name in names:
        for part in ("source", "release"):
            shutil.copytree(project / part / name, root / part / name)
        text = sheet.load(project / "course" / "sheets" / f"{name}.md")
        answers = bank.load(project / "course" / "answers" / f"{name}.md", text)
        release = nbformat.read(project / "release" / name / f"{name}.ipynb", as_version=4)
        for number in range(students):
            choose = random.Random(f"{seed}/{name}/{number}")
            folder = root / "submitted" / student(number) / name
            folder.mkdir(parents=True)
            deserved[student(number)][name] = _hand_in(
                folder, number, text, release, answers, choose
            )
    with gradebook.opened(root, names, stock_nbgrader.settings(root), say) as book:
        for name in names:
            book.update_or_create_assignment(name, duedate=DUE)
    deserves = {"made_from": made_from, "students": deserved}
    write_whole(root / DESERVED, json.dumps(deserves, indent=1, ensure_ascii=False) + "\n")
    say(f"{root}: {students} students handed in {', '.join(names)}")


def configure(project: Path, root: Path) -> None:
    """Copy nbgrader's settings; a gradebook that is not in the folder would be another class's."""
    own = root / "nbgrader_config.py"
    shutil.copy(project / own.name, own)
    here = stock_nbgrader.sqlite_url(root / "gradebook.db")
    if stock_nbgrader.db_url(root) != here:
        with own.open("a", encoding="utf-8") as file:
            file.write('\nc.CourseDirectory.db_url = "sqlite:///gradebook.db"\n')


def _made_from(project: Path, students: int, seed: int, names: list[str]) -> str:
    digest = hashlib.sha256(f"{students}/{seed}/{names}".encode())
    for name in names:
        for path in (f"source/{name}/{name}.ipynb", f"release/{name}/{name}.ipynb",
                     f"course/answers/{name}.md"):  # fmt: skip
            digest.update((project / path).read_bytes())
    digest.update(Path(__file__).read_bytes())
    return digest.hexdigest()


def _hand_in(
    folder: Path,
    number: int,
    text: NotebookNode,
    release: NotebookNode,
    answers: list[bank.Answer],
    choose: random.Random,
) -> dict[str, dict[str, str]]:
    """Write one submission; return state and wrong turn that each test cell deserves."""
    exercises = sheet.exercises(text)
    path = folder / f"{folder.name}.ipynb"
    kind = ["right", "unsolved", "unreadable", "late", "mangled", "deadly"][number : number + 1]
    late = kind == ["late"] or choose.random() < 0.1
    day = DUE + datetime.timedelta(days=2 if late else -1, minutes=number)
    (folder / "timestamp.txt").write_text(f"{day:%Y-%m-%d %H:%M:%S} UTC\n")
    if kind == ["unsolved"]:
        path.write_text(nbformat.writes(release) + "\n", encoding="utf-8")
        return {e.test: _said(_of(answers, e.name, "unsolved")) for e in exercises}
    if kind == ["unreadable"]:
        path.write_text("the dog ate my notebook\n")
        return {e.test: {"state": "refused", "wrong_turn": ""} for e in exercises}
    notebook = copy.deepcopy(release)
    chosen = {
        e.name: _choose(answers, e.name, choose, 1.0 if kind == ["right"] else 0.5)
        for e in exercises
    }
    _make_right_what_others_use(exercises, chosen, text)
    for exercise in exercises:
        notebook.cells[exercise.answer_index].source = chosen[exercise.name].code
    for cell in notebook.cells:
        if sheet.is_manual(cell):
            cell.source = "I think the old gradients are added to the new one, so it overshoots."
    deserved = {e.test: _said(chosen[e.name]) for e in exercises}
    if kind == ["deadly"]:
        last = exercises[-1]
        notebook.cells[last.answer_index].source = "import os\n\nos._exit(1)"
        deserved[last.test] = {"state": "crashed", "wrong_turn": ""}
    if kind == ["mangled"]:
        _mangle(notebook, exercises)
    path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
    return deserved


def _choose(
    answers: list[bank.Answer], exercise: str, choose: random.Random, right: float
) -> bank.Answer:
    draw = choose.random()
    kind = "right" if draw < right else "wrong" if draw < right + 0.4 else "missing"
    return choose.choice([a for a in answers if a.exercise == exercise and a.kind == kind])


def _make_right_what_others_use(
    exercises: list[sheet.Exercise], chosen: dict[str, bank.Answer], text: NotebookNode
) -> None:
    """Give the sheet's own answer to every exercise that another answer builds on.

    The bank says what an answer deserves where the sheet's own answers stand above it.
    """
    for place in reversed(range(len(exercises))):
        code = chosen[exercises[place].name].code
        used = names_in.used(code) if names_in.readable(code) else set()
        for earlier in exercises[:place]:
            if used & set(earlier.wants):
                own = text.cells[earlier.answer_index].source
                chosen[earlier.name] = bank.Answer(earlier.name, "right", "the sheet's own", own)


def _of(answers: list[bank.Answer], exercise: str, title: str) -> bank.Answer:
    return next(a for a in answers if a.exercise == exercise and a.title == title)


def _said(answer: bank.Answer) -> dict[str, str]:
    return {"state": answer.state, "wrong_turn": answer.wrong_turn}


def _mangle(notebook: NotebookNode, exercises: list[sheet.Exercise]) -> None:
    """Do to a notebook what students do: delete a test, double an answer, add and re-type cells."""
    double = copy.deepcopy(notebook.cells[exercises[0].answer_index])
    double.id = "doubled-cell"
    double.cell_type = "markdown"
    del double["outputs"], double["execution_count"]
    notebook.cells[exercises[1].test_index].cell_type = "raw"
    del notebook.cells[exercises[1].test_index]["outputs"]
    del notebook.cells[exercises[1].test_index]["execution_count"]
    notebook.cells.insert(exercises[0].answer_index + 1, double)
    notebook.cells.append(nbformat.v4.new_code_cell("print('my scratch cell')"))
    notebook.cells = [c for c in notebook.cells if sheet.grade_id(c) != exercises[0].test]


def expected_score(root: Path, name: str, sheet_name: str) -> float:
    """Return the score that a simulated submission deserves, by the bank."""
    deserves = json.loads((root / DESERVED).read_text(encoding="utf-8"))
    source = root / "source" / sheet_name / f"{sheet_name}.ipynb"
    points = {e.test: e.points for e in sheet.exercises(nbformat.read(source, as_version=4))}
    tests = deserves["students"][name][sheet_name]
    return sum(points[test] for test, said in tests.items() if said["state"] == "passed")
