"""Several objectives added up, each with its weight and its name."""

from collections.abc import Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp

from narrows.objectives._objective import Batch, Losses, Objective


@dataclass(frozen=True)
class Weighted:
    """An objective with its weight in a sum.

    Attributes
    ----------
    objective : Objective
    weight : float
    warmup : int
        Epochs over which the weight rises, linearly from 0, to `weight`: with epochs counted
        from 0, it is min(1, epoch / warmup) · weight (Sønderby et al. 2016, section 2.3,
        arXiv:1602.02282, for a variational autoencoder's divergence). 0 for the full weight
        from the start.
    """

    objective: Objective
    weight: float = 1.0
    warmup: int = 0


class Sum(Objective):
    """A weighted sum of objectives.

    With a weight for each::

        loss = Σₖ weightₖ · lossₖ

    Terms are recorded without their weights, so that each keeps its meaning and units; ``loss``
    is the sum with the full weights, also while one of them is still rising.

    Parameters
    ----------
    parts : sequence of Objective or Weighted
        An objective alone has weight 1.

    Raises
    ------
    ValueError
        If two terms, or two parameters, have the same name.
    """

    def __init__(self, parts: Sequence[Objective | Weighted]):
        self._parts = [part if isinstance(part, Weighted) else Weighted(part) for part in parts]
        objectives = [part.objective for part in self._parts]
        self.names = tuple(name for one in objectives for name in one.names)
        own = [name for one in objectives for name in one.parameters]
        for what, names in (("terms", list(self.names)), ("parameters", own)):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(
                    f"The 'parts' parameter of Sum must have {what} of different names. Got "
                    f"{', '.join(twice)} more than once. Leave one out."
                )
        self.parameters = {k: v for one in objectives for k, v in one.parameters.items()}
        self.row_by_row = all(one.row_by_row for one in objectives)
        self.ignores_padding = all(one.ignores_padding for one in objectives)
        self.encodes = any(one.encodes for one in objectives)
        self.takes_mask = all(one.takes_mask for one in objectives)

    def __call__(self, batch: Batch) -> Losses:
        """Return the sum over one batch."""
        minimised = loss = jnp.float32(0.0)
        terms: dict[str, jax.Array] = {}
        for part in self._parts:
            found = part.objective(batch)
            rising = part.weight
            if part.warmup:
                rising = rising * jnp.minimum(batch.epoch / part.warmup, 1.0)
            minimised = minimised + rising * found.minimised
            loss = loss + part.weight * found.loss
            terms |= found.terms
        return Losses(minimised, loss, terms)

    @property
    def described(self) -> bool:
        """Whether all parts are."""
        return super().described and all(part.objective.described for part in self._parts)

    def config(self) -> list:
        """Return what tells this objective from others, for the cache of programs."""
        parts = [[part.objective.config(), part.weight, part.warmup] for part in self._parts]
        return ["sum", parts]
