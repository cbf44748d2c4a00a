"""Everything that Keras names, trained here and by Keras's own ``fit`` from the same start.

Names are read from Keras's modules, so that one that a new Keras adds is tried as well. A case
either agrees, or is refused by name. ``PYTHONPATH=tests python -m support.keras_matrix`` prints
how many of each kind there are.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from support import keras_layers, keras_losses, keras_optimizers, keras_pieces
from support.keras_case import Case


def outcome(case: Case, compare: Callable) -> str:
    """Return "agreed" or "refused"; raise where a case does neither as it should."""
    if case.refused is None:
        compare(case)
        return "agreed"
    try:
        compare(case)
    except ValueError as error:
        if case.refused not in str(error):
            raise AssertionError(f"refused without {case.refused!r}: {error}") from error
        return "refused"
    raise AssertionError(f"not refused: {case.refused}")


@dataclass
class Counts:
    """How many names of each kind agreed, were refused, or failed."""

    found: dict[str, Counter] = field(default_factory=dict)

    def add(self, kind: str, names, run: Callable) -> None:
        """Count names that are tried together; where they fail, each is tried alone."""
        try:
            result = run()
        except Exception as error:
            result = "failed"
            print(f"{kind}, {', '.join(names)}: {type(error).__name__}: {str(error)[:300]}")
        self.found.setdefault(kind, Counter())[result] += len(names)

    def table(self) -> str:
        lines = [f"{'':14}{'agreed':>8}{'refused':>8}{'failed':>8}"]
        for kind, counted in self.found.items():
            numbers = "".join(f"{counted[one]:8d}" for one in ("agreed", "refused", "failed"))
            lines.append(f"{kind:14}{numbers}")
        return "\n".join(lines)


def agreeing(cases: dict[str, Case]) -> dict[str, Case]:
    return {name: case for name, case in cases.items() if case.refused is None}


def refused(cases: dict[str, Case]) -> dict[str, Case]:
    return {name: case for name, case in cases.items() if case.refused is not None}


def main() -> None:
    """Print the counts."""
    counts = Counts()
    for name, case in keras_optimizers.cases().items():
        counts.add("optimizers", [name], lambda case=case: outcome(case, keras_optimizers.compare))
    for kind, cases, together, alone in (
        ("losses", keras_losses.losses(), keras_losses.compare_losses, keras_losses.try_loss),
        ("metrics", keras_losses.metrics(), keras_losses.compare_metrics, keras_losses.try_metric),
    ):
        several = agreeing(cases)
        counts.add(kind, list(several), lambda s=several, t=together: t(s) or "agreed")
        for name, case in refused(cases).items():
            counts.add(kind, [name], lambda c=case, a=alone: outcome(c, a))
    arguments = keras_pieces.pieces()
    for kind in ("activation", "regularizer", "constraint", "initializer"):
        own = {name: given for name, given in arguments.items() if f"{kind} " in name}
        counts.add(
            f"{kind}s", list(own), lambda own=own: keras_pieces.compare_pieces(own) or "agreed"
        )
    for shape, layers in keras_layers.BY_SHAPE.items():
        counts.add(
            "layers",
            list(layers),
            lambda shape=shape: keras_layers.compare_layers(shape) or "agreed",
        )
    print(counts.table())


if __name__ == "__main__":
    main()
