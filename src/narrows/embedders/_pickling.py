"""Keras objects inside a pickled embedder: the same object gives the same bytes at any time.

Keras pickles a model, layer, loss, metric or optimizer as a ``.keras`` file in memory. That file
has the time in it, and numbers for shared layers that are addresses in memory. So the pickle, and
with it ``joblib.hash``, would change from second to second, and a cache by hash never find
anything.
"""

import io
import json
import sys
import zipfile
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

from narrows._forks import Unusable, unpacked

if TYPE_CHECKING:
    from narrows._keras import keras
    from narrows.networks import Networks

_METADATA, _CONFIG = "metadata.json", "config.json"
_SHARED = "shared_object_id"
_VALUES = {"keras.initializers", "keras.regularizers", "keras.constraints"}
_POLICIES = ("DTypePolicy", "DTypePolicyMap")
_NO_TIME = "1980-01-01@00:00:00"  # in Keras's way of writing one


class CopiedNetworks:
    """An estimator of networks that pickles and clones to one that computes the same."""

    encoder_: "keras.Model"
    autoencoder_: "keras.Model"
    _whole: "keras.Model"

    def _adopt(self, networks: "Networks") -> None:
        """Take fitted networks into use."""
        raise NotImplementedError

    def __getstate__(self) -> dict[str, Any]:
        # Graphs over shared layers, pickled side by side, would come back as copies: of those
        # that can be put together again, none is kept.
        state: dict[str, Any] = super().__getstate__()  # type: ignore[assignment]
        derived = {"_whole", "autoencoder_"} | ({"encoder_"} if "posterior_" in state else set())
        if "encoder_" in state:
            state = state | self._answers()
        return hold({name: value for name, value in state.items() if name not in derived})

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = release(state)
        super().__setstate__(state)  # type: ignore[misc]
        encoder = state.get("posterior_", state.get("encoder_"))
        if isinstance(encoder, Unusable):
            self.encoder_ = self._whole = encoder
            if "decoder_" in state:
                self.autoencoder_ = encoder
        elif encoder is not None:
            from narrows.networks import join_networks

            networks = join_networks(encoder, state.get("decoder_"))
            self._check_answers(networks)
            self._adopt(networks)

    def _answers(self) -> dict[str, Any]:
        """What a copy has to give, where its configuration may not tell all of a network."""
        from narrows.networks import Networks, is_described
        from narrows.training import answers

        networks = Networks(self.encoder_, getattr(self, "decoder_", None), None)
        models = [model for model in (networks.encoder, networks.decoder) if model is not None]
        return {} if all(map(is_described, models)) else {"_stated": answers(networks)}

    def _check_answers(self, networks: "Networks") -> None:
        """Raise ValueError if a copy computes something else than what it is a copy of."""
        from narrows.training import differing

        stated = self.__dict__.pop("_stated", None)
        if stated is not None and differing(networks, stated):
            raise ValueError(
                f"A copy of a fitted {type(self).__name__} must compute the same. This one does "
                "not: its network is more than its configuration says. Let get_config return "
                "every argument of its layers' constructors."
            )

    def __sklearn_clone__(self) -> Self:
        from narrows.embedders._keras_copies import (
            carry_losses,
            check_same_models,
            known_classes,
        )

        parameters = self.get_params(deep=False)  # type: ignore[attr-defined]
        with known_classes(parameters):
            clone = super().__sklearn_clone__()  # type: ignore[misc]
        copies = clone.get_params(deep=False)
        check_same_models(parameters, copies)
        carry_losses(parameters, copies)
        return clone


class Held:
    """A Keras object in a state that is about to be pickled; a pickle yields the object itself."""

    def __init__(self, value: Any):
        self.value = value

    def __reduce__(self) -> tuple[Any, ...]:
        reduced = self.value.__reduce_ex__(4)
        rebuild, arguments = reduced[:2]
        if len(reduced) > 2 or len(arguments) != 1 or not isinstance(arguments[0], io.BytesIO):
            return _as_it_is, (self.value,)  # another Keras, or a class with a way of its own
        from narrows.networks import arguments_of

        own = arguments_of(self.value)
        return _rebuilt, (rebuild, timeless(arguments[0].getvalue()), own)


def hold(state: dict[str, Any]) -> dict[str, Any]:
    """Return a state whose Keras objects, also those in lists, tuples and dictionaries, are held.

    An object that stands in several places stays one.
    """
    if "keras" not in sys.modules:  # so there are none
        return state
    from narrows._keras import keras

    kinds = (keras.Layer, keras.Loss, keras.Metric, keras.Optimizer)
    held: dict[int, Held] = {}

    def replace(value: Any) -> Any:
        if isinstance(value, kinds):
            return held.setdefault(id(value), Held(value))
        return value

    return _mapped(state, replace)


def release(state: dict[str, Any]) -> dict[str, Any]:
    """Return a state without `Held`: after `copy.copy`, nothing was pickled."""
    return _mapped(state, lambda value: value.value if isinstance(value, Held) else value)


def timeless(content: bytes, change: Callable[[Any], Any] = lambda config: config) -> bytes:
    """Return a ``.keras`` file without what depends on when and where it was written."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(written, "w") as new:
        for name in old.namelist():
            part = old.read(name)
            if name == _METADATA:
                part = json.dumps({**json.loads(part), "date_saved": _NO_TIME}).encode()
            elif name == _CONFIG:
                part = json.dumps(change(_numbered(json.loads(part), {}))).encode()
            new.writestr(zipfile.ZipInfo(name), part)
    return written.getvalue()


def _mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    """Apply a function inside plain containers; one that it changes nothing in stays itself."""
    if type(value) is dict:
        found = {key: _mapped(one, change) for key, one in value.items()}
        return found if any(found[key] is not one for key, one in value.items()) else value
    if type(value) in (list, tuple):
        items = [_mapped(one, change) for one in value]
        same = all(new is old for new, old in zip(items, value, strict=True))
        return value if same else type(value)(items)
    return change(value)


def _numbered(config: Any, numbers: dict[Any, int]) -> Any:
    """Number shared objects in the order in which they appear.

    An initializer or a policy of types is a value. Keras marks it as shared by chance, sometimes
    by the address of one that is gone, and makes two of it when it loads.
    """
    if isinstance(config, list):
        return [_numbered(one, numbers) for one in config]
    if not isinstance(config, dict):
        return config
    found = {key: _numbered(one, numbers) for key, one in config.items() if key != _SHARED}
    value = config.get("module") in _VALUES or str(config.get("class_name")).endswith(_POLICIES)
    if _SHARED in config and not value:
        found[_SHARED] = numbers.setdefault(config[_SHARED], len(numbers))
    return found


def _rebuilt(
    rebuild: Callable[[io.BytesIO], Any], content: bytes, arguments: dict | None = None
) -> Any:
    try:
        found = unpacked(rebuild, io.BytesIO(content))
        if arguments is not None and not isinstance(found, Unusable):
            from narrows.networks import set_arguments

            set_arguments(found, arguments)
        return found
    except Exception as error:
        reason = " ".join(str(error).split())[:300]
        raise ValueError(
            "A Keras object in a copy must be one that can be built again from its "
            f"configuration. This one cannot: {reason}. Let get_config return every argument of "
            "its constructor; tie weights with narrows.networks.Transposed."
        ) from error


def _as_it_is(value: Any) -> Any:
    return value
