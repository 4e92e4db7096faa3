"""Do values cross the wall as they are, and does nothing else cross it?"""

import base64
import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course.grading.cage.inside import wire


def crossed(value):
    tensors = {}
    tree = wire.encode(value, tensors)
    blob = base64.b64encode(wire.safetensors.torch.save(tensors)).decode() if tensors else ""
    text = json.dumps({"values": {"x": tree}, "raised": None, "tensors": blob})
    values, raised = wire.decode(text, lambda handle, shown: (handle, shown))
    assert raised is None
    return values["x"]


@pytest.mark.parametrize(
    "value",
    [None, True, False, 0, -7, 1 << 100, 0.1, -0.0, 1e-320, math.inf, -math.inf, "ü\n", "", [], (),
     [1, (2.5, "x")], {"a": [1], 3: None}, {"far start": (1e-4, 100)},
     b"", b"RIFF\x00\xff", [b"\n"]],
)  # fmt: skip
def test_do_plain_values_cross_unchanged(value):
    got = crossed(value)
    assert got == value
    assert type(got) is type(value)


@pytest.mark.parametrize(
    "tensor",
    [torch.tensor(1.5), torch.arange(6).reshape(2, 3).t(), torch.zeros(0), torch.ones(3) > 0,
     torch.tensor([math.nan, 1.0]), torch.ones(2, requires_grad=True) * 2,
     torch.tensor([1.0], dtype=torch.bfloat16), torch.nn.Parameter(torch.ones(2))],
    ids=str,
)  # fmt: skip
def test_do_tensors_cross_with_type_and_shape(tensor):
    got = crossed(tensor)
    assert got.dtype == tensor.dtype
    assert got.shape == tensor.shape
    assert torch.equal(got.nan_to_num(7.0), tensor.detach().nan_to_num(7.0))
    assert type(got) is torch.Tensor
    assert not got.requires_grad


def test_do_arrays_and_their_scalars_cross():
    array = np.arange(4.0).reshape(2, 2)[:, ::-1]
    assert np.array_equal(crossed(array), array)
    scalar = crossed(np.float32(0.1))
    assert isinstance(scalar, np.float32)
    assert scalar == np.float32(0.1)


def test_do_nan_and_negative_zero_cross():
    assert math.isnan(crossed(math.nan))
    assert math.copysign(1, crossed(-0.0)) == -1


def test_do_distributions_cross_by_name_and_parameters():
    d = torch.distributions
    mixture = d.MixtureSameFamily(
        d.Categorical(torch.tensor([0.4, 0.6])), d.Beta(torch.tensor([1.5, 10.0]), 2.0)
    )
    x = torch.tensor([0.1, 0.7])
    for value in (d.Normal(0.0, 2.0), d.Beta(2.0, 3.0), mixture):
        assert torch.allclose(crossed(value).log_prob(x), value.log_prob(x))


class Liar(float):
    def __eq__(self, other):
        return True

    __hash__ = float.__hash__


def test_is_a_lying_object_a_plain_value_on_this_side():
    got = crossed(Liar(2.0))
    assert type(got) is float
    assert got != 3.0


def test_do_functions_become_handles_and_the_rest_opaque():
    handle, shown = crossed(math.sin)
    assert wire.HANDLES[handle] is math.sin
    assert "sin" in shown
    assert isinstance(crossed(1j), wire.Opaque)
    assert isinstance(crossed(object()), wire.Opaque)


def nested(depth):
    tree = {"k": "none"}
    for _ in range(depth):
        tree = {"k": "list", "v": [tree]}
    return tree


def reply(x=None, tensors="", **more):
    return json.dumps({"values": {"x": x or {"k": "none"}}, "raised": None, "tensors": tensors,
                       **more})  # fmt: skip


SHORT = base64.b64encode((10**9).to_bytes(8, "little") + b"{}").decode()
FALSE_SIZE = base64.b64encode(
    (66).to_bytes(8, "little")
    + b'{"0":{"dtype":"F32","shape":[99999999],"data_offsets":[0,399999996]}}'[:66]
).decode()


@pytest.mark.parametrize(
    "text",
    [None, 3, "", "{", "[]", "{}", "NaN", '{"values": {}, "values": {}}', "[" * 100_000,
     reply({"k": "torch", "v": "0"}), reply({"k": "unheard of"}), reply({"k": "float", "v": 1}),
     reply({"k": "int", "v": "zz"}), reply({"k": "list", "v": 3}), reply(nested(50)),
     reply({"k": "list", "v": [{"k": "none"}] * 200_000}), reply(tensors="not base64"),
     reply(tensors=SHORT), reply(tensors=FALSE_SIZE),
     reply({"k": "dist", "n": "Normal", "v": {}}), reply({"k": "dist", "n": "os", "v": {}}),
     reply(raised={"names": 3, "text": ""}), "x" * (wire.LARGEST + 1)],
)  # fmt: skip
def test_is_a_malformed_reply_refused(text):
    with pytest.raises(wire.Malformed):
        wire.decode(text, lambda handle, shown: None)


def numbers(step):
    return reply({"k": "dict", "v": [[{"k": "int", "v": hex(n * step)}, {"k": "none"}]
                                     for n in range(1000)]})  # fmt: skip


def test_are_keys_that_collide_refused_and_no_others():
    values, _ = wire.decode(numbers(1), lambda handle, shown: None)
    assert len(values["x"]) == 1000
    with pytest.raises(wire.Malformed, match="collide"):
        wire.decode(numbers(2**61 - 1), lambda handle, shown: None)


trees = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
)


@settings(max_examples=300, deadline=None)
@given(trees, trees, trees)
def test_does_any_json_end_in_values_or_malformed(values, raised, tensors):
    try:
        text = json.dumps({"values": values, "raised": raised, "tensors": tensors})
        wire.decode(text, lambda handle, shown: None)
    except wire.Malformed:
        pass


@pytest.mark.parametrize(
    ("names", "kind", "text"),
    [
        (["ValueError", "Exception"], ValueError, "no"),
        (["NotImplementedError", "RuntimeError", "Exception"], NotImplementedError, "no"),
        (["LinAlgError", "RuntimeError"], RuntimeError, "LinAlgError: no"),
        (["CheckFailed", "AssertionError"], AssertionError, "CheckFailed: no"),
        (["SystemExit", "os", "KeyboardInterrupt"], RuntimeError, "no"),
        (["UnicodeDecodeError", "ValueError"], ValueError, "UnicodeDecodeError: no"),
    ],
)
def test_which_exception_arrives(names, kind, text):
    got = wire.exception(names, "no")
    assert type(got) is kind
    assert str(got) == text
