"""`course report --html`: one page for Monday, with nothing from another host and no script.

It begins with what to talk about. Names of students stand only where somebody has to be spoken to;
answers are shown without them.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from course.errors import CourseError
from course.files import shown, write_whole
from course.grading.ledger import gradebook, ledger
from course.grading.ledger.ledger import Standings
from course.grading.result import Result
from course.term import answers, behaviour, next_turn, plots, statistics
from course.term.collecting import roster
from course.term.statistics import Question

MOST_TURNS, MOST_GROUPS, MOST_STUCK = 8, 12, 40  # shown; the rest is counted
LONGEST_CODE = 1500  # characters of an example


@dataclass(frozen=True)
class Class:
    """All that the page is made from.

    Args:
        root: course folder.
        results: the submissions, in the order of students and sheets.
        standings: how they stand in the gradebook.
        students: all of the course, by id.
        groups: nameless answers by behaviour.
        written: what each submission holds, by student and sheet.
    """

    root: Path
    results: Sequence[Result]
    standings: Standings
    students: Mapping[str, roster.Student]
    groups: Sequence[behaviour.Group]
    written: Mapping[tuple[str, str], answers.Written]

    @property
    def sheets(self) -> list[str]:
        """Return the sheets in their order."""
        return sorted({r.sheet for r in self.results})

    def shares(self, sheet: str) -> list[float]:
        """Return the share that each submission has of the points that were given so far, in %."""
        own = [s for (_, name), s in sorted(self.standings.items()) if name == sheet]
        return [100 * share for s in own if (share := statistics.share(s)) is not None]

    def example(self, sheet: str, test: str, student: str) -> str:
        """Return a student's answer, without any name."""
        code = self.written[student, sheet].code.get(test, "")
        return answers.unnamed(code, self.students.get(student), student)


def make(
    root: Path,
    results: Sequence[Result],
    path: Path,
    say: Callable[[str], None],
    must_see: Callable[[str], None],
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> None:
    """Write the report of a course as a page.

    Args:
        root: course folder.
        results: what is reported.
        path: the file.
        say: takes a line on what was done.
        must_see: takes what a person has to look at.
        progress: told how many submissions were run again, to see how nameless answers behave.

    Raises:
        CourseError: the file cannot be written, or the gradebook not be read.
    """
    if path.is_dir():
        raise CourseError(f"{path} is a folder; name a file, such as {path / 'report.html'}.")
    found = gathered(root, results, must_see, progress)
    try:
        write_whole(path, page(found))
    except OSError as error:
        raise CourseError(f"{path} cannot be written ({error.strerror}).") from None
    say(f"{path}: {_many(len(found.students), 'student')}, {_many(len(found.sheets), 'sheet')}")


def gathered(
    root: Path,
    results: Sequence[Result],
    must_see: Callable[[str], None],
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Class:
    """Return all that a page is made from."""
    with gradebook.reading(root) as book:
        standings = ledger.settle(root, book, must_see)
        names = {str(s.id) for s in book.students}
    sheets = {r.sheet for r in results}
    standings = {place: s for place, s in standings.items() if place[1] in sheets}
    known = {s.id: s for s in roster.students(root)}
    everyone = names | known.keys() | {r.student for r in results}
    students = {i: known.get(i, roster.Student(i)) for i in sorted(everyone)}
    groups = behaviour.groups(root, results, must_see, progress)
    written = {(r.student, r.sheet): answers.of(root, r) for r in results}
    return Class(root, results, standings, students, groups, written)


def page(found: Class) -> str:
    """Return the page as text, the same for the same class."""
    questions = statistics.questions(found.results, found.standings)
    parts = [
        *_head(found), *_to_talk_about(found, questions), *_scores(found), *_stuck(found),
        *_waiting(questions),
    ]  # fmt: skip
    for sheet in found.sheets[::-1]:  # the latest is what Monday is about
        parts += _sheet(found, sheet, [q for q in questions if q.sheet == sheet])
    parts += [*_table(found), *_how()]
    title = escape(shown(found.root.name))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>Report: {title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(parts) + "\n</main>\n</body>\n</html>\n"
    )  # fmt: skip


def _head(found: Class) -> list[str]:
    last = max((s.timestamp for s in found.standings.values() if s.timestamp), default=None)
    until = f", the last handed in {last:%Y-%m-%d %H:%M} UTC" if last else ""
    links = "".join(f'<a href="#{_id(s)}">{_text(s)}</a>' for s in found.sheets[::-1])
    return [
        f"<h1>{_text(found.root.name)}</h1>",
        f"<p>{_many(len(found.students), 'student')}, {_many(len(found.results), 'submission')} of "
        f"{_many(len(found.sheets), 'sheet')}{until}. Points are the gradebook's.</p>",
        f'<nav><a href="#scores">Scores</a><a href="#stuck">Stuck</a>{links}'
        '<a href="#all">All points</a></nav>',
    ]


def _to_talk_about(found: Class, questions: Sequence[Question]) -> list[str]:
    """Return the few lines that a lecture begins with, of the latest sheet."""
    latest = found.sheets[-1]
    own = [q for q in questions if q.sheet == latest and not q.written and q.counted]
    lines = []
    if own:
        hardest = min(own, key=lambda q: (q.passed, q.test))
        lines.append(
            f"<b>{_text(_short(hardest.test))}</b> passed least: {hardest.passed:.0%} of "
            f"{hardest.counted}."
        )
    met = [(n, turn, q) for q in own for turn, n in q.turns if turn not in behaviour.NAMELESS]
    for n, turn, q in sorted(met, key=lambda one: (-one[0], one[1]))[:3]:
        lines.append(
            f"<b>{_text(turn)}</b> in {_text(_short(q.test))}: {_many(n, 'answer')} "
            f"({n / q.counted:.0%})."
        )
    for group in [g for g in found.groups if g.sheet == latest and len(g.students) > 1][:2]:
        lines.append(
            f"<b>No name yet</b> in {_text(_short(group.test))}: {len(group.students)} answers "
            f'{_alike(group)} (<a href="#{_group_id(found, group)}">see them</a>).'
        )
    items = "".join(f"<li>{line}</li>" for line in lines)
    return [f"<h2>To talk about: {_text(latest)}</h2>", f"<ul>{items}</ul>" if items else ""]


def _scores(found: Class) -> list[str]:
    shares = {s: found.shares(s) for s in found.sheets}
    shares = {s: of for s, of in shares.items() if of}
    drawn = [plots.trend(shares)] if len(shares) > 1 else []
    drawn += [plots.scores(s, shares[s]) for s in found.sheets[-1:] if s in shares]
    return ['<h2 id="scores">Scores</h2>', f'<div class="plots">{"".join(drawn)}</div>']


def _stuck(found: Class) -> list[str]:
    latest, all_of_it = statistics.stuck(found.results, found.standings, found.students)
    head = ["student", f"passed in {latest}", "not solved", "points before"]
    rows = [
        [
            _who(found, s.student), f"{s.passed} of {s.of}" if s.handed_in else "nothing to read",
            str(s.missing) if s.handed_in else "–",
            "–" if s.before is None else f"{s.before:.0%}",
        ]
        for s in all_of_it
    ]  # fmt: skip
    said = f"Fewer than half of the exercises of {_text(latest)} passed, or nothing was handed in."
    return [
        f'<h2 id="stuck">Who is stuck ({len(all_of_it)})</h2>', f"<p>{said}</p>",
        _rows(head, rows[:MOST_STUCK], {1, 2, 3}) if rows else "<p>Nobody.</p>",
        _more(len(rows) - MOST_STUCK, "student"),
    ]  # fmt: skip


def _waiting(questions: Sequence[Question]) -> list[str]:
    written = [q for q in questions if q.written or q.waiting or q.again]
    if not written:
        return []
    head = ["sheet", "question", "wait", "to look at again", "read", "points on average"]
    rows = [
        [_text(q.sheet), _text(q.test), str(q.waiting), str(q.again), str(q.read),
         "–" if q.mean is None or not q.read else f"{q.mean:.3g} of {q.most:g}"]
        for q in written
    ]  # fmt: skip
    return [
        f'<h2 id="waiting">Written answers: {sum(q.waiting for q in written)} wait</h2>',
        "<p>They are read in JupyterLab: Nbgrader → Formgrader.</p>",
        _rows(head, rows, {2, 3, 4, 5}),
    ]


def _sheet(found: Class, sheet: str, questions: Sequence[Question]) -> list[str]:
    in_code = [q for q in questions if not q.written]
    order = _order(found, sheet)
    in_code.sort(key=lambda q: (order.get(q.test, len(order)), q.test))
    parts = [f'<h2 id="{_id(sheet)}">{_text(sheet)}</h2>']
    if not in_code:
        return [*parts, "<p>No submission could be read.</p>"]
    kinds = {_short(q.test): _kinds(q) for q in in_code}
    drawn = [plots.verdicts(sheet, kinds)]
    if sheet != found.sheets[-1] and (shares := found.shares(sheet)):
        drawn.append(plots.scores(sheet, shares))
    parts.append(f'<div class="plots">{"".join(drawn)}</div>')
    head = ["exercise", "answers", "passed", "difficulty", "discrimination", "95 % interval"]
    rows = [
        [
            _text(_short(q.test)), str(q.counted), f"{q.passed:.0%}", _two(q.difficulty),
            _two(q.discrimination),
            "–" if q.interval is None else f"{_two(q.interval[0])} to {_two(q.interval[1])}",
        ]
        for q in in_code
    ]  # fmt: skip
    parts.append(_rows(head, rows, {1, 2, 3, 4, 5}))
    for question in in_code:
        parts += _question(found, question)
    return parts


def _kinds(q: Question) -> dict[str, int]:
    failed = q.states.get("failed", 0)
    without = sum(n for turn, n in q.turns if turn in behaviour.NAMELESS)
    kinds = {
        "passed": q.states.get("passed", 0), "wrong, named": failed - without,
        "wrong, no name": without, "not solved": q.states.get("missing", 0),
    }  # fmt: skip
    return kinds | {"other": q.counted - sum(kinds.values())}


def _question(found: Class, q: Question) -> list[str]:
    named = [(turn, n) for turn, n in q.turns if turn not in behaviour.NAMELESS]
    groups = [g for g in found.groups if (g.sheet, g.test) == (q.sheet, q.test)]
    rest = [f"{_many(n, 'answer')} {_text(state)}" for state, n in sorted(q.states.items())
            if state not in ("passed", "failed")]  # fmt: skip
    parts = [f"<h3>{_text(_short(q.test))}</h3>"]
    failed = sum(n for _, n in q.turns)
    said = f"{q.states.get('passed', 0)} of {q.counted} passed, {failed} failed"
    parts.append(f"<p>{', '.join([said, *rest])}.</p>")
    for turn, n in named[:MOST_TURNS]:
        students = [
            r.student for r in found.results
            if r.sheet == q.sheet and (t := r.tests.get(q.test)) is not None
            and t.state == "failed" and t.wrong_turn == turn
        ]  # fmt: skip
        parts.append(
            f'<details><summary><span class="bar" style="--share:{n / failed:.4f}"></span>'
            f"<span><b>{_text(turn)}</b> {_many(n, 'answer')}, {n / q.counted:.0%}</span></summary>"
            f"{_examples(found, q.sheet, q.test, students)}</details>"
        )
    parts.append(_more(len(named) - MOST_TURNS, "wrong turn"))
    if groups:
        n = sum(len(g.students) for g in groups)
        parts.append(
            f"<p>{_many(n, 'answer')} without a name, in {_many(len(groups), 'group')}:</p>"
        )
    for group in groups[:MOST_GROUPS]:
        mark = _group_id(found, group)
        parts.append(
            f'<section class="group" id="{mark}"><h4>{_many(len(group.students), "answer")} '
            f"{_alike(group)}</h4><pre>{_text(group.message)}</pre>"
            f"{_examples(found, q.sheet, q.test, group.students)}"
            f"<p>To begin its wrong turn: <code>course turn {_text(q.sheet)} {mark} "
            '"its name"</code></p></section>'
        )
    parts.append(_more(len(groups) - MOST_GROUPS, "group"))
    return parts


def _alike(group: behaviour.Group) -> str:
    if len(group.students) == 1:
        return "that behaves like no other" if group.by == behaviour.VALUES else "by itself"
    same = group.by == behaviour.VALUES
    return "that give the same values" if same else "that are told the same"


def _examples(found: Class, sheet: str, test: str, students: Iterable[str]) -> str:
    """Return up to three real answers, those that were written most often."""
    texts = [found.example(sheet, test, student) for student in students]
    shown_here = answers.typical(texts)
    parts = []
    for text, n in shown_here:
        cut = text if len(text) <= LONGEST_CODE else f"{text[:LONGEST_CODE]}\n…"
        often = f'<p class="often">written by {n}</p>' if n > 1 else ""
        parts.append(f"{often}<pre><code>{_text(cut)}</code></pre>")
    different = len(Counter(t for t in texts if t.strip()))
    return "".join(parts) + _more(different - len(shown_here), "other text")


def _table(found: Class) -> list[str]:
    rows = []
    for student in found.students:
        standings = [found.standings.get((student, sheet)) for sheet in found.sheets]
        cells = ["–" if s is None else _points(s.score, s.final is None, s.penalty)
                 for s in standings]  # fmt: skip
        total = sum(s.score for s in standings if s is not None)
        rows.append([_who(found, student), *cells, f"{total:g}"])
    most = [max((s.max_score for (_, n), s in found.standings.items() if n == sheet), default=0)
            for sheet in found.sheets]  # fmt: skip
    head = ["student", *(f"{s} ({m:g})" for s, m in zip(found.sheets, most, strict=True)), "total"]
    return [
        '<h2 id="all">All points</h2>',
        "<p>In brackets what the sheet is worth; + more is to come, since answers wait for a "
        "person; late: points are taken off already.</p>",
        _rows(head, rows, set(range(1, len(head)))),
    ]


def _points(score: float, is_open: bool, penalty: float | None) -> str:
    late = f" (late −{penalty:g})" if penalty else ""
    return f"{score:g}{' +' if is_open else ''}{late}"


def _how() -> list[str]:
    return [
        '<h2 id="how">How this is counted</h2>',
        "<p><b>Difficulty</b> is the share of a question's points that the class did not get: 0 "
        "is easy, 1 hard. <b>Discrimination</b> is the correlation of a question's points with "
        "those of the same submission's other questions on the sheet: near 0 or below, the "
        "question tells little of who knows the rest; the interval is Fisher's. Files that are no "
        "notebook are left out of both, written questions until all are read. Nothing is said of "
        "fewer than "
        f"{statistics.FEWEST}.</p>",
        "<p><b>Shares</b> of a submission's points are of those that were given or could be: "
        "written answers that wait are left out on both sides, late penalties are taken off.</p>",
        "<p><b>Wrong turns</b>: the bar is the share of the wrong answers to the exercise, the "
        "number in percent that of all.</p>",
        "<p><b>No name</b> is an answer that failed while the check did not know why. Such answers "
        "were run once more, all on the same data, and stand in one group where they gave the same "
        "values to the same calls; where values cannot tell (chance, learned numbers, an answer "
        "that could not be run again), where they were told the same words.</p>",
    ]


# --- small things --------------------------------------------------------------------------------


def _order(found: Class, sheet: str) -> dict[str, int]:
    """Return the places of a sheet's exercises, by the first notebook that can be read."""
    for (_, name), written in sorted(found.written.items()):
        if name == sheet and written.code:
            return {test: place for place, test in enumerate(written.code)}
    return {}


def _group_id(found: Class, group: behaviour.Group) -> str:
    return next_turn.mark(group, found.written[group.students[0], group.sheet])


def _who(found: Class, student: str) -> str:
    one = found.students[student]
    name = " ".join(n for n in (one.first_name, one.last_name) if n)
    return _text(f"{name} ({student})" if name else student)


def _short(test: str) -> str:
    return test.removeprefix("test_")


def _id(sheet: str) -> str:
    return "sheet-" + "".join(c if c.isalnum() else "-" for c in sheet)


def _text(text: str) -> str:
    """Return text of anybody's choice for the page: nothing in it is markup."""
    return escape("\n".join(shown(line) for line in text.split("\n")))


def _many(n: int, what: str) -> str:
    return f"{n} {what}" + "s" * (n != 1)


def _more(n: int, what: str) -> str:
    return f'<p class="more">and {_many(n, what)} more</p>' if n > 0 else ""


def _two(value: float | None) -> str:
    return "–" if value is None else f"{round(value, 2) + 0:.2f}".replace("-", "−")


def _rows(head: Sequence[str], rows: Sequence[Sequence[str]], right: set[int]) -> str:
    """Return a table; cells are HTML already, headings are text; some columns are numbers."""

    def cell(place: int, text: str, tag: str) -> str:
        kind = ' class="n"' if place in right else ""
        return f"<{tag}{kind}>{text}</{tag}>"

    top = "".join(cell(p, _text(t), "th") for p, t in enumerate(head))
    body = "".join(
        "<tr>" + "".join(cell(p, t, "td") for p, t in enumerate(row)) + "</tr>\n" for row in rows
    )
    return (
        f'<div class="wide" tabindex="0"><table><thead><tr>{top}</tr></thead>'
        f"<tbody>\n{body}</tbody></table></div>"
    )


STYLE = """
:root { color-scheme: light dark; --letters: system-ui, sans-serif; --page: #fff; --ink: #222;
  --quiet: #5a5a5a; --grid: #dcdcdc; --line: #c8c8c8; --ground: #f5f5f5; --link: #005a8e;
  --main: #56a0d0; --second: #b34700; --passed: #2f9e77; --named: #f0b35a; --nameless: #d98abf;
  --missing: #cfcfcf; --other: #7fb8dc }
@media (prefers-color-scheme: dark) { :root { --page: #1b1b1b; --ink: #ddd; --quiet: #a8a8a8;
  --grid: #3a3a3a; --line: #4a4a4a; --ground: #282828; --link: #8cc7f0; --main: #2f78a8;
  --second: #ff9a5c; --passed: #1d7a59; --named: #a86f12; --nameless: #97437b; --missing: #5a5a5a;
  --other: #31678a } }
@media print { :root { --page: #fff; --ink: #000; --quiet: #333; --grid: #ccc; --line: #999;
  --ground: #f2f2f2; --link: #000; --main: #56a0d0; --second: #b34700; --passed: #2f9e77;
  --named: #f0b35a; --nameless: #d98abf; --missing: #cfcfcf; --other: #7fb8dc } }
* { box-sizing: border-box }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 var(--letters) }
main { max-width: 72rem; margin: 0 auto; padding: 1rem }
h1 { font-size: 1.6rem; margin: .5rem 0 } h2 { font-size: 1.25rem; margin: 2.2rem 0 .5rem }
h3 { font-size: 1.05rem; margin: 1.6rem 0 .3rem } h4 { font-size: 1rem; margin: 0 0 .3rem }
p, ul { margin: .4rem 0; max-width: 46rem; overflow-wrap: anywhere }
nav { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem } a { color: var(--link) }
nav a { padding: .25rem 0 }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr));
  gap: 1rem 2rem; align-items: start }
figure { margin: .5rem 0; max-width: 34rem; break-inside: avoid } svg { width: 100%; height: auto }
figcaption { color: var(--quiet); font-size: .9rem }
.wide { overflow-x: auto; margin: .6rem 0 } table { border-collapse: collapse; font-size: .95rem }
th, td { text-align: left; padding: .2rem .9rem .2rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top } th { font-weight: 600 }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
th.n { white-space: normal }
pre { background: var(--ground); padding: .6rem .8rem; margin: .3rem 0; overflow-x: auto;
  font-size: .85rem; line-height: 1.4; white-space: pre-wrap; overflow-wrap: anywhere }
p code { overflow-wrap: anywhere }
details { margin: .2rem 0 } summary { cursor: pointer; padding: .15rem 0 }
.bar { display: inline-block; width: min(6rem, 12vw); height: .7rem; margin-right: .6rem;
  border: 1px solid var(--line); background: linear-gradient(var(--named), var(--named))
  no-repeat; background-size: calc(var(--share) * 100%) 100% }
.group { border-left: .25rem solid var(--nameless); padding: .2rem 0 .2rem .8rem; margin: .8rem 0 }
.often, .more { color: var(--quiet); font-size: .9rem }
@page { size: A4; margin: 16mm 14mm }
@media print { body { font-size: 10pt } main { max-width: none; padding: 0 } nav { display: none }
  h2, h3, h4 { break-after: avoid } tr, pre { break-inside: avoid }
  thead { display: table-header-group }
  .plots { display: grid; grid-template-columns: 1fr 1fr } .wide { overflow: visible }
  figure { max-width: none } * { print-color-adjust: exact; -webkit-print-color-adjust: exact } }
"""
