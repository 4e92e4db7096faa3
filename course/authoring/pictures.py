"""Figures that look the same keep the bytes that are committed."""

import base64
import io

import numpy as np
from nbformat import NotebookNode
from PIL import Image

# Two figures whose pixels differ by less than this on average (of 255) show the same.
SAME_PICTURE = 1.0


def keep(notebook: NotebookNode, before: NotebookNode) -> None:
    """Keep the stored bytes of every figure that looks like the one built now.

    Another processor may round the last digit of a coordinate differently, and the picture's bytes
    with it; a reader sees no difference, and neither should ``git diff``.
    """
    old = {cell.id: cell for cell in before.cells if cell.cell_type == "code"}
    for cell in notebook.cells:
        if cell.cell_type != "code" or cell.id not in old:
            continue
        pairs = zip(cell.outputs, old[cell.id].outputs, strict=False)
        for new, stored in pairs:
            a = new.get("data", {}).get("image/png")
            b = stored.get("data", {}).get("image/png")
            if a and b and a != b and same_picture(a, b):
                html = new.data.get("text/html", "")
                new.data["image/png"] = b
                if html:
                    new.data["text/html"] = html.replace(a.strip(), b.strip())


def same_picture(a: str, b: str) -> bool:
    """Return whether two base64 PNGs have the same size and, on average, nearly the same pixels."""
    first, second = (
        np.asarray(Image.open(io.BytesIO(base64.b64decode(x))).convert("RGB"), dtype=np.float64)
        for x in (a, b)
    )
    return first.shape == second.shape and bool(np.abs(first - second).mean() < SAME_PICTURE)
