"""Do nameless answers of a graded class fall into groups, when they run once more in the cage?"""

import pytest
from support.classes import NAME, copied, hand_in, solved

from course.grading import grade
from course.grading.ledger import records
from course.term import behaviour

pytestmark = [pytest.mark.slow, pytest.mark.night]
SAME = {
    "ada": "def derivative(f, x):\n    return x.float() * 0 + float('nan')",
    "ben": "def derivative(f, x):\n    y = (x - x) / (x - x)\n    return y",
}
WROTE = SAME | {
    "cem": "def derivative(f, x):\n    return 'a slope'",
    "dee": "def derivative(f, x):\n    return f(x) + 3.25 * x.sin()",
}


def test_do_answers_of_unlike_data_meet_in_one_group(tmp_path, caged):
    root = copied(tmp_path)
    for student, code in WROTE.items():
        hand_in(root, student, solved({"derivative": code}))
    hand_in(root, "eve", solved())
    results = grade.grade_class(root, [], [], no_cage=not caged, workers=1, say=lambda _: None)
    said = {r.student: r.tests["test_derivative"] for r in results}
    assert {s for s, t in said.items() if behaviour.nameless(t)} == set(WROTE)
    assert said["ada"].message != said["ben"].message, "each is judged on data of their own"

    seen, runs = [], []
    found = behaviour.groups(root, results, seen.append, lambda done, of: runs.append(done))
    assert [(g.students, g.by) for g in found] == [
        (("ada", "ben"), "values"), (("cem",), "values"), (("dee",), "values"),
    ]  # fmt: skip
    assert seen == []
    assert len(runs) == 4
    runs.clear()
    again = behaviour.groups(root, records.graded(root, [NAME]), seen.append,
                             lambda done, of: runs.append(done))  # fmt: skip
    assert again == found
    assert runs == [], "what is kept runs nothing"

    (root / "submitted" / "ada" / NAME / f"{NAME}.ipynb").write_bytes(solved())
    changed = behaviour.groups(root, results, seen.append)
    assert {(g.students, g.by) for g in changed} >= {(("ada",), "words"), (("ben",), "values")}
    assert "1 of 4 submissions" in seen[0]
    assert "«course grade» first" in seen[0]
