"""Notebooks as text: parsed, written with the same bytes each time, their outputs put together."""

import json
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from course.files import write_whole


def parse(text: str) -> NotebookNode:
    """Return the notebook that a text holds."""
    return nbformat.reads(text, as_version=4)


def write(path: Path, notebook: NotebookNode) -> None:
    """Write a notebook whole or not at all, and not when the file holds it already."""
    text = json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    write_whole(path, text)


def joined(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Join neighbouring pieces of one stream, which arrive cut at places that vary."""
    whole: list[NotebookNode] = []
    for output in outputs:
        append(whole, output)
    return whole


def append(outputs: list[NotebookNode], output: NotebookNode) -> None:
    """Add an output to a cell's; neighbouring text is joined."""
    last = outputs[-1] if outputs else None
    if (
        last is not None
        and last.output_type == output.output_type == "stream"
        and last.name == output.name
    ):
        last.text += output.text
    else:
        outputs.append(output)
