"""The digits 0 to 9 in fonts that ship with matplotlib, drawn once: `python -m helpers.glyphs`.

The pictures lie in `glyphs.npz`, so that they are the same wherever a sheet runs: another build of
matplotlib may smooth an edge in another way. DejaVu (Bitstream Vera's licence), STIX (SIL Open Font
License) and the Computer Modern fonts of BaKoMa (BaKoMa's licence) all allow such use; matplotlib
carries the texts of their licences beside its fonts.
"""

from pathlib import Path

import numpy as np

FILE = Path(__file__).parent / "glyphs.npz"
SIDE = 28  # pixels
POINTS = 27  # so that a digit is about 20 pixels high
FONTS = (
    "DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSans-BoldOblique",
    "DejaVuSansMono", "DejaVuSansMono-Bold", "DejaVuSansMono-Oblique",
    "DejaVuSansMono-BoldOblique", "DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSerif-Italic",
    "DejaVuSerif-BoldItalic", "STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic",
    "STIXGeneralBolIta", "cmr10", "cmb10", "cmss10", "cmti10", "cmtt10",
)  # fmt: skip


def draw() -> np.ndarray:
    """Return the digits as grey pictures, uint8 of shape (fonts, 10, 28, 28), white on black."""
    import matplotlib  # not where the digits are only loaded
    from matplotlib.ft2font import FT2Font

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    pictures = np.zeros((len(FONTS), 10, SIDE, SIDE), np.uint8)
    for row, name in enumerate(FONTS):
        font = FT2Font(str(folder / f"{name}.ttf"))
        font.set_size(POINTS, 72)
        for digit in range(10):
            font.set_text(str(digit), 0.0)
            font.draw_glyphs_to_bitmap(antialiased=True)
            glyph = np.asarray(font.get_image())
            top, left = ((SIDE - s) // 2 for s in glyph.shape)
            pictures[row, digit, top : top + glyph.shape[0], left : left + glyph.shape[1]] = glyph
    return pictures


def load() -> np.ndarray:
    """Return the pictures as they were drawn once; see :func:`draw`."""
    with np.load(FILE) as stored:
        return np.asarray(stored["glyphs"])


if __name__ == "__main__":
    np.savez_compressed(FILE, glyphs=draw())
