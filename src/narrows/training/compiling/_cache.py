"""Compiled programs on disk: JAX's persistent compilation cache, in the user's cache folder."""

import contextlib
import os
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

import jax
import platformdirs
from jax.experimental.compilation_cache import compilation_cache

from narrows._files import at_home

VARIABLE = "NARROWS_CACHE"
_lock = threading.RLock()
_checked: dict[Path, bool] = {}


def cache_folder() -> Path | None:
    """Return where programs are kept, or None if NARROWS_CACHE is ``off``.

    NARROWS_CACHE may also name another folder.
    """
    chosen = os.environ.get(VARIABLE, "")
    if chosen.lower() in {"off", "0", "no", "false"}:
        return None
    return at_home(chosen) if chosen else Path(platformdirs.user_cache_dir("narrows")) / "programs"


def _usable(folder: Path) -> bool:
    """Whether programs can be kept in a folder; where not, warn once and do without."""
    if folder not in _checked:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _checked[folder] = os.access(folder, os.W_OK)
        except OSError:
            _checked[folder] = False
        if not _checked[folder]:
            warnings.warn(
                f"Compiled programs cannot be kept in {str(folder)!r}, which cannot be written to; "
                f"every process compiles anew. Set {VARIABLE} to another folder, or to 'off'.",
                stacklevel=2,
            )
    return _checked[folder]


@contextlib.contextmanager
def compiling() -> Iterator[None]:
    """Compile inside this block: one program at a time, looked up in and kept on disk.

    A cache that the user has set up in JAX is used as it is. Otherwise JAX's settings are put back
    afterwards, so that the session's own programs are not kept.
    """
    folder = cache_folder()
    with _lock:
        if folder is None or jax.config.jax_compilation_cache_dir or not _usable(folder):
            yield
            return
        wanted = {
            "jax_compilation_cache_dir": str(folder),
            # Everything is worth keeping: by default JAX leaves out what compiles within 1 s.
            "jax_persistent_cache_min_compile_time_secs": 0.0,
        }
        before = {name: getattr(jax.config, name) for name in wanted}
        for name, value in wanted.items():
            jax.config.update(name, value)
        try:
            yield
        finally:
            for name, value in before.items():
                jax.config.update(name, value)
            # JAX would go on using the folder for whatever the session compiles itself.
            compilation_cache.reset_cache()
