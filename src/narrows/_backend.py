"""Which backend Keras starts on, where a user imports Keras after narrows.

Keras's own default is TensorFlow, which narrows does not bring along.
"""

import contextlib
import json
import os
import sys
from pathlib import Path

BACKEND = "jax"
_KERAS_DEFAULT = "tensorflow"  # Keras writes it into its settings file unasked


class JaxByDefault:
    """Chooses JAX at the moment Keras is first imported; until then nothing is changed."""

    def find_spec(self, name, path=None, target=None):
        """Return None, as every import hook that leaves finding the module to others."""
        if name == "keras":
            with contextlib.suppress(ValueError):
                sys.meta_path.remove(self)
            if not _chosen():
                os.environ["KERAS_BACKEND"] = BACKEND


def choose_at_import_of_keras() -> None:
    """Let Keras start on JAX, unless it is there already or a backend has been chosen."""
    if "keras" not in sys.modules:
        sys.meta_path.insert(0, JaxByDefault())


def _chosen() -> bool:
    """Whether the user has a backend in mind: by variable, settings file or TensorFlow itself."""
    if os.environ.get("KERAS_BACKEND") or "tensorflow" in sys.modules:
        return True
    return _in_settings() not in (None, _KERAS_DEFAULT)


def _in_settings() -> str | None:
    """Return what Keras's settings file names, where Keras looks for it."""
    home = os.environ.get("KERAS_HOME")
    folder = Path(home) if home else Path("~/.keras").expanduser()
    try:
        settings = json.loads((folder / "keras.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return settings.get("backend") if isinstance(settings, dict) else None
