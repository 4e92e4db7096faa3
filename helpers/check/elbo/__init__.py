"""The checks of sheet 08."""

from helpers.check.elbo.bound import elbo_quadrature, kl_to_posterior
from helpers.check.elbo.draws import elbo_gradient, elbo_samples
from helpers.check.elbo.fit import fit_elbo
from helpers.check.elbo.joint import log_evidence, log_joint

__all__ = [
    "elbo_gradient",
    "elbo_quadrature",
    "elbo_samples",
    "fit_elbo",
    "kl_to_posterior",
    "log_evidence",
    "log_joint",
]
