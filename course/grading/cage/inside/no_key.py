"""What the cage holds in the place of helpers.check: it accepts any call and says nothing.

An answer that borrows the key finds an empty one: every call returns None, which no assertion
takes for a pass.
"""

from typing import Any


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    return lambda *args, **kwargs: None
