"""Does likeness beyond the class's show, and nothing else; and in which words?"""

import dataclasses
import random
import re

from support.by_hand import NAME, ByHand, course, grade_by_hand, graded, hand_in, notebook

from course.term import similar
from course.term.answers import Written

STUB = 'def f(x):\n    """Return the slope."""\n    raise NotImplementedError'
ODD = (
    "def f(x):\n    total = torch.zeros(3)\n    for row in x.unbind(0):\n"
    "        total = total + row.exp().clamp(min=0.125) * 7\n"
    "    return (total - total.logsumexp(0)).sqrt() / 11"
)
RENAMED = ODD.replace("total", "acc").replace("row", "r")
USUAL = (
    "def f(x):\n    x = x.clone().requires_grad_(True)\n    (x**2).sum().backward()\n"
    "    return x.grad"
)


def a_class(n=30):
    choose = random.Random(1)
    steps = ("x.sin()", "x.cos()", "x.exp()", "x.log()", "x.abs()", "x.square()", "x.sqrt()")
    written = {}
    for i in range(n):
        body = "\n".join(
            f"    y{j} = {choose.choice(steps)} + {choose.random():.3f}" for j in range(4)
        )
        code = f"def f(x):\n{body}\n    return y0 * y1 + y2 * y3"
        written[f"s{i:02}"] = Written({"test_f": code}, {})
    return written


def outside(written):
    found = similar.pairs(written, Written({"test_f": STUB}, {}))
    above = similar.fence([p.likeness for p in found])
    return [(p.one, p.other) for p in found if p.likeness > above]


def test_does_a_copy_with_other_names_and_comments_stand_out():
    written = a_class() | {
        "x": Written({"test_f": ODD}),
        "y": Written({"test_f": "# by me\n" + RENAMED}),
    }
    assert outside(written) == [("x", "y")]
    found = similar.pairs(written, Written({"test_f": STUB}, {}))[0]
    again = similar.pairs(written | {"y": written["x"]}, Written({"test_f": STUB}, {}))[0]
    assert found == again, "as alike as a copy to the letter"


def test_does_what_everybody_writes_stand_out():
    everybody = {f"u{i}": Written({"test_f": USUAL}) for i in range(20)}
    assert outside(a_class() | everybody) == []


def test_does_the_released_text_count():
    stub = STUB.replace("raise NotImplementedError", ODD.partition("\n")[2].strip())
    written = a_class() | {"x": Written({"test_f": ODD}), "y": Written({"test_f": ODD})}
    found = similar.pairs(written, Written({"test_f": stub, "test_g": ODD}, {}))
    assert not [p for p in found if {p.one, p.other} == {"x", "y"} and p.likeness > 0.1]


def test_do_two_words_make_a_likeness():
    short = {s: Written({"test_f": "f = torch.tan"}) for s in "xy"}
    assert outside(a_class() | short) == []


def test_do_written_answers_count():
    own = "the seedlings grew because the gradient of the lamp was left switched on over night"
    written = {s: Written(one.code, {"why": f"{i} of {i * 7} others {i * 3} say {i * 11} so {i}"})
               for i, (s, one) in enumerate(a_class().items())}  # fmt: skip
    for s in ("s03", "s17"):
        written[s] = Written(written[s].code, {"why": f"I think that {own}, as everybody knew."})
    found = similar.pairs(written, Written({"test_f": STUB}, {}))
    assert (found[0].one, found[0].other) == ("s03", "s17")
    assert found[0].where[0][0] == "why"


def test_do_the_words_accuse_anybody(tmp_path):
    root = course(tmp_path, [f"s{i}" for i in range(6)])
    for i in range(6):
        code = ODD if i < 2 else f"slope = {i} * {i + 3} - {i * 17}"
        hand_in(root, f"s{i}", notebook(slope=code, why=f"For the {i}. reason of {i + 9}."))

    def as_it_is(job):
        return dataclasses.replace(graded(job), notebook=job.submission.decode())

    grade_by_hand(root, ByHand(everyone=as_it_is))
    said = similar.similar(root, NAME, print)
    assert "s0 and s1" in said
    assert not re.search(
        r"cheat|cop(y|ied)|plagiar|suspic|guilt|offen[cs]|steal|stole|dishonest", said
    )
    assert "does not say how it came about" in said
