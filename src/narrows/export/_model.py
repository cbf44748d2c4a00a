"""Which models can be exported, and what their parts are."""

from dataclasses import dataclass
from typing import Any

from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler
from sklearn.utils.validation import check_is_fitted

from narrows._checks import listed, refusal
from narrows.data import TablePreprocessor, positional
from narrows.embedders import EMBEDDERS, capabilities_of
from narrows.export._io_spec import Port, column_port, is_mixed

EXPORTED = tuple(kind for kind in EMBEDDERS if capabilities_of(kind).exported)
PREPROCESSING = (TablePreprocessor, StandardScaler, MinMaxScaler, RobustScaler)


@dataclass(frozen=True)
class Chain:
    """A fitted model's steps.

    Attributes
    ----------
    model : embedder or Pipeline
    preprocessing : list of estimators
        In their order; maybe empty.
    embedder : estimator
    """

    model: Any
    preprocessing: list[Any]
    embedder: Any

    @property
    def is_network(self) -> bool:
        """Whether the embedder computes in float32, as networks do."""
        return capabilities_of(self.embedder).network

    @property
    def title(self) -> str:
        """The steps' classes, first to last."""
        return " -> ".join(type(step).__name__ for step in (*self.preprocessing, self.embedder))

    @property
    def row_shape(self) -> tuple[int, ...]:
        """The shape of a row that the first step takes."""
        if self.is_network and not self.preprocessing:
            return tuple(self.embedder.encoder_.input.shape[1:])
        return (int(self._first.n_features_in_),)

    @property
    def named(self) -> bool:
        """Whether the columns had names in fit."""
        return getattr(self._first, "feature_names_in_", None) is not None

    @property
    def columns(self) -> tuple[str, ...] | None:
        """The table's columns; None if rows are images."""
        if len(self.row_shape) > 1:
            return None
        if self.named:
            return tuple(str(name) for name in self._first.feature_names_in_)
        return positional(self.row_shape[0])

    @property
    def mixed(self) -> bool:
        """Whether the table has one input for each column."""
        return isinstance(self._first, TablePreprocessor) and is_mixed(self._first.encodings_)

    @property
    def width(self) -> int:
        """Of the embedding."""
        return len(self.embedding_columns)

    @property
    def embedding_columns(self) -> tuple[str, ...]:
        """What the embedding's columns are called."""
        return tuple(str(name) for name in self.embedder.get_feature_names_out())

    @property
    def _first(self) -> Any:
        return (*self.preprocessing, self.embedder)[0]

    def table_ports(self) -> list[Port]:
        """Return the ports of the rows: what the encoder takes and the decoder gives."""
        if self.mixed:
            pairs = zip(self.columns or (), self._first.encodings_, strict=True)
            return [column_port(name, encoding) for name, encoding in pairs]
        type_ = "float" if self.is_network and not self.preprocessing else "double"
        return [Port("rows", type_, self.row_shape, columns=self.columns)]

    def embedding_port(self) -> Port:
        """Return the port of the embedding."""
        type_ = "float" if self.is_network else "double"
        return Port(self._free("embedding"), type_, (self.width,), columns=self.embedding_columns)

    def label_port(self) -> Port:
        """Return the port of what the labels are predicted to be."""
        classes = self.embedder.label_classes_
        name = "prediction" if classes is None else "probabilities"
        columns = (name,) if classes is None else tuple(map(str, classes))
        return Port(self._free(name), "double", (len(columns),), columns=columns)

    def _free(self, name: str) -> str:
        """Return a name that no column has."""
        taken = {port.name for port in self.table_ports()}
        free, number = name, 2
        while free in taken:
            free, number = f"{name}_{number}", number + 1
        return free


def chain_of(model: Any, part: str) -> Chain:
    """Return a model's steps."""
    steps = [step for _, step in model.steps] if type(model) is Pipeline else [model]
    for step, allowed in zip(steps, [PREPROCESSING] * (len(steps) - 1) + [EXPORTED], strict=True):
        if type(step) not in allowed:
            known = [kind.__name__ for kind in EXPORTED]
            before = [kind.__name__ for kind in PREPROCESSING]
            raise TypeError(
                f"The 'model' parameter of export_onnx must be one of {', '.join(known)}, alone or "
                f"as the last step of a Pipeline after {', '.join(before)}. Got "
                f"{type(step).__name__} instead."
            )
        check_is_fitted(step)
    chain = Chain(model, steps[:-1], steps[-1])
    if part == "decoder" and chain.is_network and not hasattr(chain.embedder, "decoder_"):
        raise refusal(
            "export_onnx",
            "part",
            f"be 'encoder' for a {type(chain.embedder).__name__} without a decoder",
            "'decoder'",
            "Train one with fit_decoder.",
        )
    if chain.mixed and "" in (chain.columns or ()):
        raise ValueError(
            "An input of an ONNX file must have a name. Got a column that is called '' among "
            f"{listed(chain.columns or (), 20)}. Rename it and fit again."
        )
    return chain
