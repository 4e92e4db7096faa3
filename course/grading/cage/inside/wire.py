"""Values across the wall between a student's kernel and the judge, as data only.

This file is on both sides. In the cage, where it is a plain module that the course's other code is
not beside, :func:`reply` turns names and calls into JSON and safetensors. At the judge,
:func:`decode` reads them: nothing is unpickled, nothing is evaluated, and every size is bounded.
Arguments towards the cage are pickled: their sender is trusted, their reader is the one locked in.
"""

import base64
import binascii
import functools
import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import safetensors.torch
import torch

MIME = "application/vnd.course.wire+json"
LARGEST = 16 << 20  # characters of one reply
LARGEST_HEADER = 1 << 20  # bytes of a safetensors header
MOST_NODES = 100_000
MOST_KEYS = 10_000  # of one dictionary
MOST_COLLISIONS = 100  # of its keys: those of one hash take the square of their number
MOST_PARTS = 2_000_000  # brackets and commas of a message: what is read takes 30 times the space
DEEPEST = 16
LARGEST_FILE = 4 << 20  # bytes of a file's content, such as a sound
DISTRIBUTIONS: dict[str, tuple[str, ...]] = {
    "Bernoulli": ("probs",), "Beta": ("concentration1", "concentration0"),
    "Binomial": ("total_count", "probs"), "Categorical": ("probs",),
    "Dirichlet": ("concentration",), "Exponential": ("rate",), "Gamma": ("concentration", "rate"),
    "HalfNormal": ("scale",), "Laplace": ("loc", "scale"), "LogNormal": ("loc", "scale"),
    "MultivariateNormal": ("loc", "scale_tril"), "Normal": ("loc", "scale"), "Poisson": ("rate",),
    "StudentT": ("df", "loc", "scale"), "Uniform": ("low", "high"),
    "MixtureSameFamily": ("mixture_distribution", "component_distribution"),
}  # fmt: skip


class Malformed(ValueError):
    """A reply that is no honest message of this protocol."""


class Opaque:
    """A value that does not travel: the judge knows its type's name and a cut repr, no more."""

    def __init__(self, kind: str, text: str) -> None:
        self.kind, self.text = kind, text

    def __repr__(self) -> str:
        return self.text or f"<{self.kind}>"


# --- in the cage -------------------------------------------------------------------------------

HANDLES: list[Any] = []


def reply(
    names: list[str] | None = None, handle: int = -1, arguments: str = "", question: str = ""
) -> None:
    """Publish the values of names, or what a function returns, as one display message.

    Args:
        names: names of the notebook; those that do not exist are left out.
        handle: number of a function that crossed the wall before.
        arguments: its pickled arguments in base64.
        question: a function of `helpers.watching` that is to call it; empty for a plain call.
    """
    from IPython import get_ipython

    shell = get_ipython()
    tensors: dict[str, torch.Tensor] = {}
    values: dict[str, Any] = {}
    raised = None
    try:
        if names is not None:
            found = {n: shell.user_ns[n] for n in names if n in shell.user_ns}
            values = {n: encode(v, tensors) for n, v in found.items()}
        else:
            import pickle

            args, kwargs = pickle.loads(base64.b64decode(arguments))
            function = HANDLES[handle]
            if question:
                from helpers import watching

                function = functools.partial(getattr(watching, question), function)
            values = {"returned": encode(function(*args, **kwargs), tensors)}
    except Exception as error:
        tensors, values, raised = {}, {}, _error(error)
    blob = base64.b64encode(safetensors.torch.save(tensors)).decode() if tensors else ""
    content = {"values": values, "raised": raised, "tensors": blob}
    data = {MIME: json.dumps(content), "text/plain": ""}
    shell.display_pub.publish(data)


def _error(error: Exception) -> dict[str, Any]:
    names = [c.__name__ for c in type(error).__mro__ if issubclass(c, Exception)]
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is not None and "site-packages" in trace.tb_frame.f_code.co_filename:
        # What a library has not implemented is no stub: it must not be taken for one.
        names = [n for n in names if n != "NotImplementedError"]
    return {"names": names, "text": clean(str(error)[:2000])}


def encode(value: Any, tensors: dict[str, torch.Tensor], depth: int = 0) -> dict[str, Any]:
    """Return a value as a JSON tree; its tensors are put beside it."""
    if value is None:
        return {"k": "none"}
    if isinstance(value, torch.Tensor):
        return _tensor(value, tensors, "torch")
    if isinstance(value, np.ndarray | np.generic):
        if value.dtype.kind not in "fiub":
            return _opaque(value)
        kind = "numpy" if isinstance(value, np.ndarray) else "scalar"
        return _tensor(torch.from_numpy(np.array(value)), tensors, kind)
    if isinstance(value, bool):
        return {"k": "bool", "v": bool(value)}
    if isinstance(value, int) and abs(value) < 1 << 512:
        return {"k": "int", "v": hex(value)}
    if isinstance(value, float):
        return {"k": "float", "v": float(value).hex()}
    if isinstance(value, str):
        return {"k": "str", "v": clean(value[:100_000])}
    if isinstance(value, bytes | bytearray) and len(value) <= LARGEST_FILE:
        return {"k": "bytes", "v": base64.b64encode(value).decode()}
    if isinstance(value, list | tuple) and depth < DEEPEST - 2:
        kind = "list" if isinstance(value, list) else "tuple"
        return {"k": kind, "v": [encode(v, tensors, depth + 1) for v in value[:MOST_NODES]]}
    if isinstance(value, dict) and depth < DEEPEST - 2:
        pairs = [[encode(p, tensors, depth + 1) for p in pair] for pair in value.items()]
        return {"k": "dict", "v": pairs}
    if isinstance(value, torch.distributions.Distribution):
        name = type(value).__name__
        if name in DISTRIBUTIONS and type(value) is getattr(torch.distributions, name):
            args = {a: getattr(value, a) for a in DISTRIBUTIONS[name]}
            return {"k": "dist", "n": name,
                    "v": {a: encode(v, tensors, depth + 1) for a, v in args.items()}}  # fmt: skip
    if callable(value):
        HANDLES.append(value)
        return {"k": "fn", "v": len(HANDLES) - 1, "r": _repr(value)}
    return _opaque(value)


def _tensor(value: torch.Tensor, tensors: dict[str, torch.Tensor], kind: str) -> dict[str, Any]:
    if value.is_complex() or value.is_quantized or value.layout != torch.strided:
        return _opaque(value)
    plain = value.detach().as_subclass(torch.Tensor).cpu().contiguous().clone()
    name = str(len(tensors))
    tensors[name] = plain
    return {"k": kind, "v": name}


def _opaque(value: Any) -> dict[str, Any]:
    return {"k": "opaque", "t": type(value).__name__[:80], "r": _repr(value)}


def _repr(value: Any) -> str:
    try:
        return clean(repr(value)[:200])
    except Exception:
        return ""


# --- at the judge ------------------------------------------------------------------------------


def decode(
    text: Any, function: Callable[[int, str], Any]
) -> tuple[dict[str, Any], Exception | None]:
    """Read a reply.

    Args:
        text: what arrived; anything.
        function: makes a proxy from a handle and a repr.

    Returns:
        Values by name, and the exception if the answer raised one.

    Raises:
        Malformed: the reply is no message of this protocol, or too large.
    """
    if not isinstance(text, str) or len(text) > LARGEST:
        raise Malformed("the reply is no text of the allowed size")
    try:
        bounded(text)
        content = json.loads(text, parse_constant=_refuse, object_pairs_hook=_without_doubles)
        tensors = _read_tensors(content["tensors"])
        reader = _Reader(tensors, function)
        values = {str(name): reader.value(node, 0) for name, node in content["values"].items()}
        raised = content["raised"]
        if raised is None:
            return values, None
        names = [clean(str(n))[:100] for n in raised["names"][:20]]
        return {}, exception(names, clean(str(raised["text"])[:2000]))
    except Malformed:
        raise
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError,
            OverflowError, RuntimeError, binascii.Error) as error:  # fmt: skip
        raise Malformed(f"the reply cannot be read: {type(error).__name__}") from None


def bounded(text: str) -> None:
    """Raise Malformed where JSON would take far more space when it is read."""
    if sum(text.count(mark) for mark in ",[{") > MOST_PARTS:
        raise Malformed("the reply has too many parts")


def clean(text: str) -> str:
    """Return text without halves of characters, which JSON can hold and a file cannot."""
    return text.encode("utf-8", "replace").decode()


def _refuse(constant: str) -> Any:
    raise Malformed(f"the reply holds {constant}")


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Malformed("the reply names a key twice")
    return found


def _read_tensors(text: Any) -> dict[str, torch.Tensor]:
    if not text:
        return {}
    blob = base64.b64decode(text, validate=True)
    if len(blob) < 8 or int.from_bytes(blob[:8], "little") > LARGEST_HEADER:
        raise Malformed("the reply's tensors have no proper header")
    try:
        return safetensors.torch.load(blob)
    except Exception as error:
        raise Malformed(f"the reply's tensors cannot be read: {type(error).__name__}") from None


class _Reader:
    def __init__(self, tensors: dict[str, torch.Tensor], function: Callable[[int, str], Any]):
        self.tensors, self.function, self.nodes = tensors, function, 0

    def value(self, node: Any, depth: int) -> Any:
        self.nodes += 1
        if depth > DEEPEST or self.nodes > MOST_NODES:
            raise Malformed("the reply is too deep or too long")
        kind = node["k"]
        if kind == "none":
            return None
        if kind in ("torch", "numpy", "scalar"):
            # An honest reply names each tensor once: one named often is large at no cost.
            tensor = self.tensors.pop(node["v"])
            return tensor if kind == "torch" else tensor.numpy()[() if kind == "scalar" else ...]
        if kind == "bool":
            return node["v"] is True
        if kind == "int":
            return int(node["v"][:200], 16)
        if kind == "float":
            return float.fromhex(node["v"][:40])
        if kind == "str":
            return clean(str(node["v"]))
        if kind == "bytes":
            return base64.b64decode(node["v"], validate=True)
        if kind in ("list", "tuple"):
            values = [self.value(v, depth + 1) for v in node["v"]]
            return values if kind == "list" else tuple(values)
        if kind == "dict":
            if len(node["v"]) > MOST_KEYS:
                raise Malformed("the reply holds too large a dictionary")
            pairs = [(self._key(k, depth), self.value(v, depth + 1)) for k, v in node["v"]]
            if len(pairs) - len({hash(key) for key, _ in pairs}) > MOST_COLLISIONS:
                raise Malformed("the reply holds a dictionary of keys that collide")
            return dict(pairs)
        if kind == "dist":
            return self._distribution(node, depth)
        if kind == "fn":
            return self.function(int(node["v"]), clean(str(node["r"])[:200]))
        if kind == "opaque":
            return Opaque(clean(str(node["t"])[:80]), clean(str(node["r"])[:200]))
        raise Malformed("the reply holds a value of unknown kind")

    def _key(self, node: Any, depth: int) -> Any:
        key = self.value(node, depth + 1)
        if not isinstance(key, str | int | float | bool | tuple | type(None)):
            return repr(key)
        return key if not (isinstance(key, float) and math.isnan(key)) else "nan"

    def _distribution(self, node: Any, depth: int) -> Any:
        name = node["n"]
        if name not in DISTRIBUTIONS or set(node["v"]) != set(DISTRIBUTIONS[name]):
            raise Malformed("the reply holds an unknown distribution")
        args = {a: self.value(v, depth + 1) for a, v in node["v"].items()}
        try:
            return getattr(torch.distributions, name)(**args, validate_args=False)
        except Exception:
            return Opaque(name, f"{name} with parameters that do not fit")


def exception(names: list[str], text: str) -> Exception:
    """Return an exception of the nearest builtin kind that an answer's exception had."""
    import builtins

    for name in names:
        kind = getattr(builtins, name, None)
        if isinstance(kind, type) and issubclass(kind, Exception):
            full = text if name == names[0] else f"{names[0]}: {text}"
            try:
                return kind(full)
            except TypeError:  # some kinds, such as UnicodeError's, want more than a text
                continue
    return RuntimeError(text)
