"""The teaching staff's side: build sheets, simulate and grade classes. Never needed at a desk."""

import sys

# Reading notebooks imports jsonschema, which imports this where it is installed, and that builds a
# grammar of addresses: a second in every process, for a check that no notebook asks for.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
