"""docs/pages.py, which makes the pages that the code can make, as a module."""

import importlib.util

from support.project import PROJECT

_spec = importlib.util.spec_from_file_location("pages", PROJECT / "docs" / "pages.py")
assert _spec is not None
assert _spec.loader is not None
pages = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(pages)
