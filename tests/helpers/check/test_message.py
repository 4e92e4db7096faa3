"""Does a message say each thing once, and in the words that a student would write?"""

import pytest
import torch

from helpers.check.kit.message import shown_with_shape


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (torch.zeros(2), "[0, 0], shape (2,)"),
        (torch.zeros(6, 2), "[0, 0, 0, 0, ... 12 in all], shape (6, 2)"),
        (1.5, "1.5, shape ()"),
    ],
)
def test_is_a_shape_said_once(value, words):
    shape = value.shape if isinstance(value, torch.Tensor) else ()
    assert shown_with_shape(value, shape) == words
