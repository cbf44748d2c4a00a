"""Compiled programs on disk: JAX's persistent compilation cache, in the user's cache folder."""

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import jax
import platformdirs
from jax.experimental.compilation_cache import compilation_cache

VARIABLE = "NARROWS_CACHE"
_lock = threading.RLock()


def cache_folder() -> Path | None:
    """Return where programs are kept, or None if NARROWS_CACHE is ``off``.

    NARROWS_CACHE may also name another folder.
    """
    chosen = os.environ.get(VARIABLE, "")
    if chosen.lower() in {"off", "0", "no", "false"}:
        return None
    return Path(chosen) if chosen else Path(platformdirs.user_cache_dir("narrows")) / "programs"


@contextlib.contextmanager
def compiling() -> Iterator[None]:
    """Compile inside this block: one program at a time, looked up in and kept on disk.

    A cache that the user has set up in JAX is used as it is. Otherwise JAX's settings are put back
    afterwards, so that the session's own programs are not kept.
    """
    folder = cache_folder()
    with _lock:
        if folder is None or jax.config.jax_compilation_cache_dir:
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
