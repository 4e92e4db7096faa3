"""Where the project's packages lie, found without importing them."""

from importlib.util import find_spec
from pathlib import Path


def package(name: str) -> Path:
    """Return the folder of a package; helpers, imported, would bring torch along."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise ImportError(f"{name} is not installed")
    return Path(spec.origin).parent
