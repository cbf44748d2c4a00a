"""The page's scripts and style, as they lie in the package."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from functools import cache
from importlib.resources import files
from typing import Any

PAGE = ("theme.js", "tables.js", "downloads.js")
CHARTS = (
    "look.js", "points.js", "linked.js", "lasso.js", "embeddings.js", "reconstruction.js",
    "history.js", "intervals.js", "start.js",
)  # fmt: skip


@cache
def library() -> str:
    """Return Apache ECharts, minified, as its authors publish it."""
    return _read("echarts", "echarts.min.js")


def vendored() -> dict[str, str]:
    """Return name, version, source, licence and SHA-256 of the library in this package."""
    return json.loads(_read("echarts", "vendored.json"))


@cache
def scripts(*, charts: bool) -> tuple[str, ...]:
    """Return the page's scripts in the order in which they run."""
    return (library(), _page(PAGE + CHARTS)) if charts else (_page(PAGE),)


def allowed(script: str) -> str:
    """Return a script's hash as a Content-Security-Policy names it: no other script runs."""
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return f"'sha256-{b64encode(digest).decode('ascii')}'"


def script_json(value: Any) -> str:
    """Return JSON that can stand in a script element, whatever text is in it."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # An element ends at its end tag and a comment opens at "<!--", in JSON as in anything.
    escapes = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}
    return text.translate(escapes)


def _page(names: tuple[str, ...]) -> str:
    body = "\n".join(_read("page", name) for name in names)
    return '"use strict";\n(() => {\n' + body + "\n})();\n"


def _read(*place: str) -> str:
    return files("narrows.report").joinpath("assets", *place).read_text("utf-8")
