"""Are arguments packed for the cage as they are, and to the same bytes each time?"""

import pickle

import torch

from course.grading.session import pickled


def trained():
    torch.manual_seed(3)
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1))
    model(torch.ones(4, 3)).sum().backward()
    return model


def test_does_a_network_keep_its_weights_and_its_gradients():
    model, packed = trained(), pickle.loads(pickled(trained()))
    for one, other in zip(packed.parameters(), model.parameters(), strict=True):
        assert torch.equal(one, other)
        assert torch.equal(one.grad, other.grad)
        assert one.requires_grad


def test_is_the_same_network_the_same_bytes():
    assert pickled(trained()) == pickled(trained())
