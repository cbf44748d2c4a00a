"""Encoder and decoder as a small picture for notebooks: one bar a layer, high as it is wide."""

import html
import math
from typing import Any

_STEP, _BAR, _HEIGHT, _FOOT = 34, 18, 120, 34
_COLOURS = {"encoder": "#0072B2", "bottleneck": "#D55E00", "decoder": "#009E73"}


def network_svg(encoder: list[tuple[str, int]], decoder: list[tuple[str, int]]) -> str:
    """Draw the layers of an autoencoder from left to right."""
    bars = [(name, width, "encoder") for name, width in encoder[:-1]]
    bars += [(name, width, "bottleneck") for name, width in encoder[-1:]]
    bars += [(name, width, "decoder") for name, width in decoder]
    most = max(math.log1p(width) for _, width, _ in bars)
    length = _STEP * len(bars) + _STEP - _BAR
    said = (
        "Network: " + ", ".join(str(width) for _, width, _ in bars) + " values from layer to layer"
    )
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{said}" '
        f'viewBox="0 0 {length} {_HEIGHT + _FOOT}" width="{length}" height="{_HEIGHT + _FOOT}" '
        'font-family="system-ui, sans-serif" font-size="11" text-anchor="middle">'
    )
    parts = [head]
    for place, (name, width, part) in enumerate(bars):
        parts.append(_bar(place, name, width, part, most))
    return "".join(parts) + "</svg>"


def _bar(place: int, name: str, width: int, part: str, most: float) -> str:
    high = max((_HEIGHT - 10) * math.log1p(width) / most, 4)
    x, y = _STEP - _BAR + place * _STEP, (_HEIGHT - high) / 2
    title = html.escape(f"{name}: {width} values ({part})")
    return (
        f'<rect x="{x}" y="{y:.1f}" width="{_BAR}" height="{high:.1f}" rx="2" '
        f'fill="{_COLOURS[part]}"><title>{title}</title></rect>'
        f'<text x="{x + _BAR / 2}" y="{_HEIGHT + 16}" fill="currentColor">{width}</text>'
    )


def layer_widths(model: Any) -> list[tuple[str, int]]:
    """Return a Keras model's layers that change the number of values, and how many they pass on."""
    found: list[tuple[str, int]] = []
    for layer in model.layers:
        width = math.prod(layer.output.shape[1:])
        if layer.count_params() or not found:
            found.append((layer.name, width))
    return found
