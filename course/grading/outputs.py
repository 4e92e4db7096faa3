"""What a kernel sends to be shown, taken as text and pictures of a known shape and bounded size.

The notebook in ``autograded/`` is opened by people and read by nbgrader's tools: what goes into it
can neither break them nor run in a browser.
"""

import re
from typing import Any

import nbformat
from nbformat import NotebookNode

from course.grading.cage.inside.wire import clean

BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*")
CUT = 10_000  # characters that stay of a text that is too long


def shown(kind: str, content: dict[str, Any]) -> NotebookNode | None:
    """Return a message's content as an output, or None where it is no such thing.

    Of what is displayed, plain text and PNG pictures are kept: they are what a person needs, and
    HTML, SVG and scripts would be run by the browser of whoever opens the notebook.

    Args:
        kind: "stream", "error", "display_data" or "execute_result".
        content: what came in the message; anything.
    """
    if kind == "stream":
        name, text = content.get("name"), content.get("text")
        if isinstance(text, str) and name in ("stdout", "stderr"):
            return nbformat.v4.new_output("stream", name=name, text=clean(text))
        return None
    if kind == "error":
        ename, evalue = (clean(str(content.get(key, ""))) for key in ("ename", "evalue"))
        lines = content.get("traceback")
        lines = lines if isinstance(lines, list) else []
        trace = [clean(line) for line in lines if isinstance(line, str)]
        return nbformat.v4.new_output("error", ename=ename, evalue=evalue, traceback=trace)
    given = content.get("data")
    data = {}
    if isinstance(given, dict):
        text, picture = given.get("text/plain"), given.get("image/png")
        if isinstance(text, str):
            data["text/plain"] = clean(text)
        if isinstance(picture, str) and BASE64.fullmatch(picture):
            data["image/png"] = picture
    return nbformat.v4.new_output("display_data", data=data) if data else None


def cut(output: NotebookNode) -> NotebookNode:
    """Return what stays of an output that is too large."""
    if output.output_type == "error":  # an error is told, however long
        return nbformat.v4.new_output(
            "error", ename=output.ename[:200], evalue=output.evalue[:2000]
        )
    if output.output_type == "stream":
        text = output.text[:CUT] + "\n... the rest was cut\n"
        return nbformat.v4.new_output("stream", name=output.name, text=text)
    return nbformat.v4.new_output("stream", text="... a large output was cut\n")
