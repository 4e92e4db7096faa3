"""What a sheet must keep to: everything `course build` refuses, each with a sentence."""

import ast
import re
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, InvalidOperation

from nbformat import NotebookNode

from course import verdict
from course.authoring import names, sheet
from course.errors import CourseError

SLOWEST_TEST = 5.0  # seconds


def where(name: str, notebook: NotebookNode, index: int) -> str:
    """Return the words that lead an author to a cell: file, place, and grade_id or first line."""
    cell = notebook.cells[index]
    first = cell.source.strip().splitlines()[0] if cell.source.strip() else "empty"
    return f"course/sheets/{name}.md, cell {index + 1} ({sheet.grade_id(cell) or first[:50]})"


def of_text(name: str, notebook: NotebookNode) -> None:
    """Hold a sheet to everything that its text alone shows.

    Raises:
        CourseError: the first rule that the sheet breaks.
    """
    seen: dict[str, int] = {}
    for index, cell in enumerate(notebook.cells):
        at = where(name, notebook, index)
        flags = sheet.flags(cell)
        if any(flags.get(k) for k in ("grade", "solution", "task")) and not sheet.grade_id(cell):
            raise CourseError(f"{at}: a graded or answer cell needs a grade_id in its metadata.")
        if flags and not re.fullmatch(r"[A-Za-z0-9_-]+", sheet.grade_id(cell)):
            raise CourseError(f"{at}: a grade_id is made of letters, digits, _ and - only.")
        if sheet.grade_id(cell) in seen:
            first = seen[sheet.grade_id(cell)] + 1
            raise CourseError(f"{at}: cell {first} has this grade_id already; choose another.")
        if flags:
            seen[sheet.grade_id(cell)] = index
        if flags.get("grade") and not isinstance(flags.get("points"), int | float):
            raise CourseError(f"{at}: a graded cell needs points, a number.")
        if cell.cell_type == "code":
            _of_python(at, cell)
        elif year := re.search(r"^ +(\d+)\.$", cell.source, re.MULTILINE):
            raise CourseError(
                f"{at}: {year[1]}. alone on its line begins a list; end the line before with it."
            )
        _of_marks(at, cell)
    _of_exercises(name, notebook)


def _of_python(at: str, cell: NotebookNode) -> None:
    try:
        ast.parse(cell.source)
    except SyntaxError as error:
        raise CourseError(f"{at}: line {error.lineno} is not Python: {error.msg}.") from None


def _of_marks(at: str, cell: NotebookNode) -> None:
    for begin, end, belongs, what in [
        (sheet.BEGIN_SOLUTION, sheet.END_SOLUTION, sheet.is_answer(cell), "an answer cell"),
        (sheet.BEGIN_HIDDEN, sheet.END_HIDDEN, sheet.is_test(cell), "a test cell"),
    ]:
        marks = [x.strip() for x in cell.source.splitlines() if x.strip() in (begin, end)]
        if marks and not belongs:
            raise CourseError(
                f"{at}: «{begin}» may stand in {what} only; move it, or tag the cell."
            )
        if marks != [begin, end] * (len(marks) // 2):
            raise CourseError(f"{at}: «{begin}» and «{end}» must come in pairs, in this order.")


def _of_exercises(name: str, notebook: NotebookNode) -> None:
    exercises = sheet.exercises(notebook)
    with_test = {e.answer_index for e in exercises}
    tests = {e.test_index for e in exercises}
    for index, cell in enumerate(notebook.cells):
        at = where(name, notebook, index)
        if cell.cell_type == "code" and sheet.is_answer(cell) and index not in with_test:
            raise CourseError(f"{at}: this exercise has no test cell below it; add one.")
        if sheet.is_test(cell) and index not in tests:
            raise CourseError(f"{at}: this test cell has no exercise of its own above it.")
    for exercise in exercises:
        answer, test = (notebook.cells[i] for i in (exercise.answer_index, exercise.test_index))
        at = where(name, notebook, exercise.test_index)
        strange = set(exercise.wants) - names.made(answer.source)
        if strange:
            raise CourseError(
                f"{at}: the test uses {', '.join(sorted(strange))}, which neither it nor the "
                f"answer cell {exercise.name!r} makes; import it or pass it to a check."
            )
        if not exercise.wants:
            raise CourseError(f"{at}: the test uses nothing of the answer {exercise.name!r}.")
        for source in (test.source, sheet.without_hidden(test.source)):
            if sheet.ends_in_value(source):
                raise CourseError(
                    f"{at}: its last line is a value, which nbgrader takes for partial credit; "
                    "write «assert check.…»."
                )
        if "check." not in sheet.without_hidden(test.source):
            raise CourseError(f"{at}: a test cell calls a check of helpers.check.")
        _of_stub(where(name, notebook, exercise.answer_index), answer)


def _of_stub(at: str, answer: NotebookNode) -> None:
    stub = sheet.stub(answer.source)
    if stub == answer.source:
        raise CourseError(f"{at}: nothing is marked as the solution; add «{sheet.BEGIN_SOLUTION}».")
    try:
        ast.parse(stub)
    except SyntaxError as error:
        raise CourseError(
            f"{at}: without its solution the cell is not Python ({error.msg}); "
            "mark whole statements."
        ) from None


def of_stubs(name: str, notebook: NotebookNode) -> None:
    """Hold every stub to being told «unsolved».

    Raises:
        CourseError: a stub that passes.
    """
    for exercise in sheet.exercises(notebook):
        scope: dict[str, object] = {}
        try:
            exec(sheet.stub(notebook.cells[exercise.answer_index].source), scope)
        except Exception as error:  # a stub may stop: that is what it is for
            scope["__stopped__"] = error
        given = {n: scope[n] for n in exercise.wants if n in scope}
        said = verdict.of_test_cell(notebook.cells[exercise.test_index].source, given)
        if stopped := verdict.own_error(said):
            at = where(name, notebook, exercise.test_index)
            raise CourseError(f"{at}: the test cell itself stops: {stopped}.{_export(stopped)}")
        if said.state != "missing":
            at = where(name, notebook, exercise.answer_index)
            raise CourseError(f"{at}: the stub is not told «unsolved»; leave `{sheet.STUB}` in it.")


def _export(error: str) -> str:
    """Return what to do about a check that helpers.check does not give."""
    found = re.search(r"'helpers\.check'.* (?:has no attribute|import name) '?(\w+)|"
                      r"import name '(\w+)' from 'helpers\.check'", error)  # fmt: skip
    if found is None:
        return ""
    return (
        f" Declare {found[1] or found[2]} in a file of the sheet's folder in helpers/check/, and "
        "import it in helpers/check/__init__.py."
    )


def of_execution(name: str, notebook: NotebookNode, seconds: dict[int, float]) -> None:
    """Hold a sheet to what the execution of its source showed.

    Args:
        name: the sheet's name.
        notebook: the executed source.
        seconds: run time of each code cell by its index.

    Raises:
        CourseError: a cell failed, a test is noisy, slow or leaves a value.
    """
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type != "code":
            continue
        at = where(name, notebook, index)
        for output in cell.outputs:
            if output.output_type == "error":
                first = output.evalue.strip().splitlines()[0] if output.evalue.strip() else ""
                what = (
                    "the source does not pass its own test" if sheet.is_test(cell) else "it fails"
                )
                raise CourseError(f"{at}: {what}: {output.ename}: {first}")
            if output.output_type == "stream" and output.name == "stderr":
                first = output.text.strip().splitlines()[0][:120]
                raise CourseError(f"{at}: it writes to stderr ({first}); mend the cause.")
            if output.output_type == "execute_result" and sheet.is_test(cell):
                raise CourseError(f"{at}: a test cell must not leave a value.")
        if sheet.is_test(cell) and seconds.get(index, 0.0) > SLOWEST_TEST:
            raise CourseError(
                f"{at}: the test took {seconds[index]:.1f} s; it may take {SLOWEST_TEST:.0f} s."
            )


# --- numbers in prose --------------------------------------------------------------------------

NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?!\.?\d|\w)")


def numbers(text: str) -> list[str]:
    """Return the numbers in a text, thousands separators taken out."""
    text = re.sub(r"(?<=\d)(?:\{,\}|\\,|,|\u202f|\u2009)(?=\d{3}(?!\d))", "", text)
    return NUMBER.findall(text.replace("−", "-"))


def quoted(markdown: str) -> list[str]:
    """Return the numbers of three digits or more that a Markdown cell quotes.

    Code, addresses and everything below a heading «References» are not prose.
    """
    text = re.split(r"^#+ References\s*$", markdown, flags=re.MULTILINE)[0]
    text = re.sub(r"```.*?```|`[^`]*`|\]\([^)]*\)|<[^>]+>|https?://\S+", " ", text, flags=re.DOTALL)
    return [n for n in numbers(text) if len(re.sub(r"[eE].*|\D", "", n).lstrip("0")) >= 3]


def shown(notebook: NotebookNode) -> set[Decimal]:
    """Return every number that a text output of the notebook shows, without its sign."""
    found: set[Decimal] = set()
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            text = output.get("text", "") or output.get("data", {}).get("text/plain", "")
            found.update(Decimal(n) for n in numbers(re.sub(r"\x1b\[[0-9;]*m", "", text)))
    return found


def of_numbers(name: str, notebook: NotebookNode) -> None:
    """Hold a sheet to this: a number quoted in the prose stands in an output, rounded or in full.

    Raises:
        CourseError: a number that no output shows.
    """
    outputs = shown(notebook)
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type != "markdown":
            continue
        for number in quoted(cell.source):
            if not any(_rounds_to(output, number) for output in outputs):
                raise CourseError(
                    f"{where(name, notebook, index)}: the prose says {number}, but no output of "
                    "the sheet shows it; print it, or correct the prose."
                )


def _rounds_to(output: Decimal, number: str) -> bool:
    wanted = Decimal(number)
    if output == wanted:
        return True
    place = Decimal(1).scaleb(int(wanted.as_tuple().exponent))
    try:
        return wanted in {
            output.quantize(place, ROUND_HALF_EVEN),
            output.quantize(place, ROUND_HALF_UP),
        }
    except InvalidOperation:
        return False


def of_release(name: str, source: NotebookNode, release: NotebookNode) -> None:
    """Hold a release to this: it has the source's cells, without answers, hidden tests or outputs.

    Raises:
        CourseError: naming the cell that gives something away or differs.
    """
    if len(source.cells) != len(release.cells):
        raise CourseError(
            f"release/{name}/{name}.ipynb has other cells than its source; rebuild it."
        )
    for index, (cell, given) in enumerate(zip(source.cells, release.cells, strict=True)):
        at = f"release/{name}/{name}.ipynb, cell {index + 1} ({sheet.grade_id(cell)})"
        if given.get("outputs"):
            raise CourseError(f"{at}: it holds outputs; rebuild it with «course build {name}».")
        expected = cell.source
        if cell.cell_type == "code" and sheet.is_answer(cell):
            expected = sheet.stub(cell.source)
        elif sheet.is_test(cell):
            expected = sheet.without_hidden(cell.source)
        elif sheet.is_answer(cell):
            if given.source.strip() == cell.source.strip():
                raise CourseError(f"{at}: the model answer is left in the release; rebuild it.")
            continue
        if given.source.strip() != expected.strip():
            raise CourseError(
                f"{at}: an answer or a hidden test is left, or it was edited; rebuild it."
            )
        for mark in (sheet.BEGIN_SOLUTION, sheet.BEGIN_HIDDEN):
            if mark in given.source:
                raise CourseError(f"{at}: «{mark}» is left in the release; rebuild it.")
