"""Sphinx's settings for the book; ``course.authoring.book`` collects its pages.

Nothing here may make a page ask another host: MathJax comes from a Python package, widgets are not
loaded, and the theme brings its own fonts. ``tests/authoring/test_book.py`` holds it to that.
"""

import importlib.resources
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.fileutil import copy_asset

from course.authoring import book

ROOT = Path(__file__).parent.parent.parent

project = "Likelihood and variational inference, one sheet at a time"
language = "en"
extensions = ["myst_nb", "sphinx.ext.mathjax"]
exclude_patterns: list[str] = []
nitpicky = True

# Read, never run.
nb_execution_mode = "off"
nb_ipywidgets_js: dict[str, dict[str, str]] = {}
nb_merge_streams = True

myst_enable_extensions = ["amsmath", "dollarmath", "strikethrough"]
suppress_warnings = ["myst.strikethrough"]  # it says that only HTML has it; the book is HTML
myst_heading_anchors = 4
# MathJax in parts: the whole one holds a menu with programs that ask another host. Screen readers
# get the formulas as MathML.
MATHJAX_PARTS = [
    "startup.js", "core.js", "input/tex.js", "input/tex/extensions", "output/chtml.js",
    "output/chtml/fonts", "a11y/assistive-mml.js",
]  # fmt: skip
mathjax_path = "mathjax/startup.js"
mathjax3_config = {"loader": {"load": ["input/tex", "output/chtml", "a11y/assistive-mml"]}}

html_theme = "sphinx_book_theme"
html_title = project
html_static_path = ["static"]
html_css_files = ["book.css"]
html_js_files = ["book.js"]
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_last_updated_fmt = None
html_favicon = "static/favicon.svg"
html_context = {"default_mode": "auto"}
html_theme_options = {
    "navbar_persistent": [],  # the search stands in the sidebar
    "use_download_button": False,
    "show_toc_level": 2,
    "extra_footer": "Code under the MIT licence, the sheets’ text under CC BY 4.0.",
}


def settle_links(app: Sphinx, doctree: nodes.document) -> None:
    """Lead links to notebooks to their pages, and leave of links to other files the words."""
    page = app.env.docname
    for node in list(doctree.findall(addnodes.pending_xref)):
        if node.get("reftype") != "myst" or node.get("refdomain") == "doc":
            continue
        inside = book.target(ROOT, page, node["reftarget"])
        if inside:
            node["refdomain"], node["reftarget"], node["reftargetid"] = "doc", inside, None
        elif inside == "":
            node.replace_self(node.children)


def copy_mathjax(app: Sphinx, failed: Exception | None) -> None:
    """Put MathJax's parts, which a Python package brings, beside the site's own programs."""
    package = Path(str(importlib.resources.files("sphinx-mathjax-offline"))) / "static" / "mathjax"
    for part in MATHJAX_PARTS:
        to = app.outdir / "_static" / "mathjax" / part
        to.parent.mkdir(parents=True, exist_ok=True)
        copy_asset(package / part, to if (package / part).is_dir() else to.parent)


def setup(app: Sphinx) -> None:
    """Connect what is above with Sphinx."""
    app.connect("build-finished", copy_mathjax)
    app.connect("doctree-read", settle_links)
