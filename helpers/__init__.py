"""What the sheets import: data, plots, demos and checks. A desk needs this package and no other."""

import torch

# The sheets' models are small: more threads make them slower, many times so on a busy machine.
torch.set_num_threads(1)
