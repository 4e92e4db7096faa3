"""Files that are written whole or not at all: a kill half-way leaves what was there before."""

from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Write a text file whole or not at all; folders on the way are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.tmp")
    scratch.write_text(text, encoding="utf-8")
    scratch.replace(path)
