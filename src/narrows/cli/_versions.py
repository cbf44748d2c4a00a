"""What ``narrows --version`` prints."""

import platform
from importlib.metadata import version

from narrows import __version__


def versions_text() -> str:
    """Return versions and device, a line each; this starts JAX."""
    return "\n".join(
        (
            f"narrows {__version__}",
            f"Python {platform.python_version()}",
            f"Keras {version('keras')}",
            f"JAX {version('jax')}",
            f"device {_device()}",
        )
    )


def _device() -> str:
    """Where JAX computes: the CPU and its cores, or the accelerators by their names."""
    import jax
    import joblib

    try:
        devices = jax.devices()
    except RuntimeError as error:  # a platform was asked for that is not there
        return f"none: {' '.join(str(error).split())}"
    platform_name = devices[0].platform.upper()
    if platform_name == "CPU":
        return f"CPU ({joblib.cpu_count()} cores)"
    return f"{platform_name} ({len(devices)} x {devices[0].device_kind})"
