"""How much faster is one call for a whole grid than a loop over its points? (`make bench`)

Both integrate KL(q‖p) of sheet 07 for 100 × 100 normals q with 501 nodes each, in one run, one
after the other, several times. Written to docs/benchmarks.md by hand: no test asserts a time.
"""

import statistics
import time
from collections.abc import Callable

import torch
from torch.distributions import Categorical, Distribution, MixtureSameFamily, Normal

from helpers.quadrature import trapezoid

TARGET = MixtureSameFamily(
    Categorical(torch.tensor([0.4, 0.6])),
    Normal(torch.tensor([-1.0, 4.0]), torch.tensor([0.75, 0.5])),
)
LOCS, SCALES = torch.linspace(-4, 8, 100), torch.linspace(0.1, 3, 100)


def kl_quadrature(p: Distribution, q: Distribution, low: float, high: float) -> torch.Tensor:
    """KL(p‖q) of a single pair, as sheet 07's first exercise has it."""
    x = torch.linspace(low, high, 501)
    log_p, log_q = p.log_prob(x), q.log_prob(x)
    p_x = log_p.exp()
    return torch.trapezoid(torch.where(p_x > 0, p_x * (log_p - log_q), torch.zeros_like(p_x)), x)


def by_loops() -> torch.Tensor:
    """The plain way: two loops, one integral at a time, over eight scales of q to each side."""
    rows = []
    for loc in LOCS.tolist():
        row = []
        for scale in SCALES.tolist():
            low, high = loc - 8 * scale, loc + 8 * scale
            row.append(kl_quadrature(Normal(loc, scale), TARGET, low, high))
        rows.append(torch.stack(row))
    return torch.stack(rows)


def by_call() -> torch.Tensor:
    """As sheet 07: nodes for all, an axis of their own, one call."""
    x = torch.linspace(-20, 24, 501)[:, None, None]
    log_q = Normal(LOCS[:, None], SCALES).log_prob(x)
    return torch.trapezoid(log_q.exp() * (log_q - TARGET.log_prob(x)), x, dim=0)


def by_helper() -> torch.Tensor:
    """The same with helpers.quadrature, in float64."""

    def integrand(nodes: torch.Tensor) -> torch.Tensor:
        x = nodes[:, None, None]
        log_q = Normal(LOCS[:, None], SCALES).log_prob(x)
        return log_q.exp() * (log_q - TARGET.log_prob(x))

    return trapezoid(integrand, -20.0, 24.0, 501)


def seconds(run: Callable[[], torch.Tensor]) -> float:
    """Processor seconds of one run, on one thread: what else the machine does counts little."""
    start = time.process_time()
    run()
    return time.process_time() - start


def main(rounds: int = 5) -> None:
    """Print the lines of the table."""
    torch.set_num_threads(1)
    one, other = by_loops(), by_helper()
    apart = ((one - other) / other).abs().max()
    print(f"largest relative difference between the tables: {apart:.0e}")
    took = [[seconds(run) for run in (by_loops, by_call, by_helper)] for _ in range(rounds)]
    loops, call, helper = (statistics.median(column) for column in zip(*took, strict=True))
    against = [statistics.median(row[0] / row[k] for row in took) for k in (1, 2)]
    print(f"| two loops, float32 | {loops:.2f} s | 1 |")
    print(f"| one call, float32, as in the sheet | {call:.3f} s | {against[0]:.0f} |")
    print(f"| one call of helpers.quadrature, float64 | {helper:.3f} s | {against[1]:.0f} |")


if __name__ == "__main__":
    main()
