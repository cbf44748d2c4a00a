"""Settings of Keras's classes that are younger than the oldest Keras that narrows allows.

Keras 3.15 writes ``"quantization_config": null`` with every dense layer, and Keras 3.12 refuses a
key that it does not know. So a setting of `YOUNGER` that does nothing is left out when a file is
written, and again when one is read: a file that needs nothing new is read under every version from
`OLDEST` on. A setting that does something stays, and an older Keras refuses it by its name.
"""

from collections.abc import Mapping
from importlib import metadata
from typing import Any

OLDEST = "3.12"  # as pyproject.toml allows
# What each setting is where it does nothing, which is also its default. Found by comparing
# `get_config` of all classes under 3.12.4, 3.13.2, 3.14.1 and 3.15.1.
YOUNGER: dict[str, Any] = {
    "quantization_config": None,  # 3.13: Dense, EinsumDense, Embedding, ReversibleEmbedding
    "use_gate": False,  # 3.14: GroupQueryAttention, MultiHeadAttention
    "renorm": False,  # 3.14: BatchNormalization
    "renorm_clipping": None,
    "renorm_momentum": 0.99,
    "sliding_window": None,  # 3.15: GroupQueryAttention, MultiHeadAttention
    "output_padding": None,  # 3.15: Conv1DTranspose to Conv3DTranspose
    "input_axes": None,  # 3.15: VarianceScaling, and what is made of it
    "output_axes": None,
}


def without_younger(config: Any) -> Any:
    """Return a configuration without the settings of `YOUNGER` that do nothing.

    Those of Keras's own classes: what a class of the caller's takes, only the caller knows.
    """
    if isinstance(config, list):
        return [without_younger(one) for one in config]
    if not isinstance(config, dict):
        return config
    found = {key: without_younger(one) for key, one in config.items()}
    settings = found.get("config")
    if str(found.get("module")).split(".")[0] == "keras" and isinstance(settings, dict):
        found["config"] = {k: v for k, v in settings.items() if not _does_nothing(k, v)}
    return found


def versions_differ(versions: Mapping[str, Any]) -> str:
    """Say which versions wrote a file and which read it, in a sentence; nothing if the same."""
    from narrows._version import __version__
    from narrows.storage._messages import in_one_line

    here = {"keras": metadata.version("keras"), "narrows": __version__}
    wrote = {name: in_one_line(versions[name]) for name in here if name in versions}
    if not wrote or all(here[name] == version for name, version in wrote.items()):
        return ""
    return (
        f" It was written under {_named(wrote)}, and is read under "
        f"{_named({name: here[name] for name in wrote})}. The older of them may lack what the file "
        "needs: update it."
    )


def _named(versions: Mapping[str, str]) -> str:
    names = {"keras": "Keras", "narrows": "narrows"}
    return " and ".join(f"{names[name]} {version}" for name, version in versions.items())


def _does_nothing(key: str, value: Any) -> bool:
    return key in YOUNGER and type(value) is type(YOUNGER[key]) and value == YOUNGER[key]
