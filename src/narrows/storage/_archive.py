"""The container of a ``.narrows`` file: a zip of two stored members, checked before it is read.

Format version 1:

- The zip has the members ``manifest.json`` and ``weights.safetensors``, one after the other from
  the first byte on, neither compressed nor encrypted, with no comment and nothing before, between
  or behind. So nothing in a file can be larger than the file itself. Nothing is ever extracted to
  a path.
- The manifest is JSON in UTF-8, at most 64 MiB and 200 levels deep, without NaN or Infinity,
  without a key that stands twice in one object and without lone surrogates. It states size and
  SHA-256 of the other member; the zip's CRC-32 guards the manifest itself.
- **What a later narrows may do.** A key that a reader may do without can be added to the
  manifest at any time: unknown keys of the manifest and of a step are ignored. Everything else
  (another meaning, another member, an array that must be understood) raises ``format_version``.
  Every version of the format has a stored ``manifest.json`` with ``format`` and
  ``format_version``, so that an older narrows can say that a file is newer than itself. Every
  later narrows reads all earlier versions: ``tests/fixtures`` has a file of each.
"""

import hashlib
import json
import os
import zipfile
from dataclasses import dataclass
from typing import Any, NoReturn

from narrows._files import at_home, replacing
from narrows._version import __version__
from narrows.storage._messages import in_one_line
from narrows.storage._strict_json import check_text, parse_json
from narrows.storage._zips import Kind, check_layout, check_stored, member, opened, zip_damaged

FORMAT = "narrows"
FORMAT_VERSION = 1
MANIFEST = "manifest.json"
WEIGHTS = "weights.safetensors"
MEMBERS = (MANIFEST, WEIGHTS)
KIND = Kind(".narrows", "narrows.save")

_MANIFEST_LIMIT = 64 * 2**20  # bytes
_STEPS_LIMIT = 100


@dataclass(frozen=True)
class Contents:
    """What is in a file.

    Attributes
    ----------
    manifest : dict
    weights : bytes
        A file of safetensors.
    """

    manifest: dict[str, Any]
    weights: bytes


def write_archive(path: str | os.PathLike, manifest: dict[str, Any], weights: bytes) -> None:
    """Write a file; an old one is replaced only when the new one is complete."""
    path = at_home(path)
    if path.is_dir():
        raise IsADirectoryError(f"A model is written to a file. Got the folder {str(path)!r}.")
    stated = {"sha256": hashlib.sha256(weights).hexdigest(), "size": len(weights)}
    head = {"format": FORMAT, "format_version": FORMAT_VERSION}
    whole = {**head, **manifest, "members": {WEIGHTS: stated}}
    text = json.dumps(whole, indent=1, allow_nan=False, ensure_ascii=False).encode()
    if len(text) > _MANIFEST_LIMIT:
        raise ValueError(
            f"A model's description must fit into {_MANIFEST_LIMIT:,} bytes. It takes "
            f"{len(text):,}. Keep large constants in weights, not in the graph."
        )
    check_text(whole)
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as file:
        # A fixed date: equal models differ in the manifest's time only.
        file.writestr(zipfile.ZipInfo(MANIFEST), text)
        file.writestr(zipfile.ZipInfo(WEIGHTS), weights)


def read_manifest(path: str | os.PathLike) -> dict[str, Any]:
    """Read what a ``.narrows`` file says of itself, without building or importing a network.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    dict
        ``format_version``, ``created``, ``versions``, ``columns``, ``steps`` (each with
        ``kind``, ``parameters`` and what it learned, networks as Keras JSON), ``provenance``
        and ``members`` (sizes and SHA-256). The weights themselves are not read.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not a complete ``.narrows`` file of a format this version knows.

    See Also
    --------
    load : Build the model.
    """
    path = at_home(path)
    with opened(path, kind=KIND) as file:
        return _manifest(file, path)


def read_archive(path: str | os.PathLike) -> Contents:
    """Read a file whole, with its hashes checked; raises as `read_manifest` does."""
    path = at_home(path)
    with opened(path, kind=KIND) as file:
        manifest = _manifest(file, path)
        weights = member(file, WEIGHTS, path, kind=KIND)
    stated = manifest["members"][WEIGHTS]
    if len(weights) != stated["size"]:
        damaged(path, f"{WEIGHTS} has {len(weights):,} bytes, its manifest says {stated['size']}")
    if hashlib.sha256(weights).hexdigest() != stated["sha256"]:
        damaged(path, f"the SHA-256 of {WEIGHTS} is not the one its manifest states")
    return Contents(manifest, weights)


def damaged(path: str | os.PathLike, what: str) -> NoReturn:
    """Raise ValueError for a file of ours that is not as it was written."""
    zip_damaged(path, what, KIND)


def _not_ours(path: str | os.PathLike, what: str) -> NoReturn:
    raise ValueError(
        f"{os.fspath(path)!r} must be a .narrows file, as narrows.save writes it. {what}."
    )


def _manifest(file: zipfile.ZipFile, path: str | os.PathLike) -> dict[str, Any]:
    names = file.namelist()
    if names.count(MANIFEST) != 1:
        _not_ours(path, _zip_of(names))
    check_stored(file, (MANIFEST,), path, kind=KIND)
    if file.getinfo(MANIFEST).file_size > _MANIFEST_LIMIT:
        damaged(path, f"its manifest is larger than {_MANIFEST_LIMIT:,} bytes")
    text = member(file, MANIFEST, path, kind=KIND)
    try:
        manifest = parse_json(text)
    except ValueError as error:
        damaged(path, f"its manifest is not JSON ({in_one_line(error)})")
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        _not_ours(path, f"Its manifest does not have 'format': {FORMAT!r}")
    version = manifest.get("format_version")
    if type(version) is not int or version < 1:
        damaged(path, f"its format version is {version!r}")
    if version > FORMAT_VERSION:
        raise ValueError(
            f"{os.fspath(path)!r} must be of a format that this version of narrows knows, "
            f"1 to {FORMAT_VERSION}. It has the newer format {version}; nothing was loaded. "
            f"Update narrows, which is {__version__}."
        )
    if sorted(names) != sorted(MEMBERS):
        _not_ours(path, _zip_of(names))
    check_stored(file, MEMBERS, path, kind=KIND)
    check_layout(file, path, kind=KIND)
    _check_form(manifest, path)
    return manifest


def _zip_of(names: list[str]) -> str:
    shown = f"{sorted(names)}" if len(names) <= 3 else f"{len(names)} members"
    return f"It is a zip of {shown}, not of {' and '.join(MEMBERS)}"


# What every manifest has; what a step holds beyond it is checked where the step is built.
_FORM: dict[str, type | tuple] = {
    "created": str,
    "versions": dict,
    "columns": (list, type(None)),
    "pipeline": (dict, type(None)),
    "steps": list,
    "provenance": dict,
    "custom_objects": list,
    "members": dict,
}
_STEP_FORM: dict[str, type | tuple] = {"name": str, "kind": str, "parameters": dict}


def _check_form(manifest: dict[str, Any], path: str | os.PathLike) -> None:
    for key, kind in _FORM.items():
        if not isinstance(manifest.get(key, ...), kind):
            damaged(path, f"its manifest has no proper {key!r}")
    steps = manifest["steps"]
    for step in steps:
        for key, kind in _STEP_FORM.items():
            if not isinstance(step, dict) or not isinstance(step.get(key), kind):
                damaged(path, f"a step in its manifest has no proper {key!r}")
    if not steps or len({step["name"] for step in steps}) < len(steps):
        damaged(path, "its manifest has no steps, or two of one name")
    if len(steps) > _STEPS_LIMIT:
        damaged(path, f"its manifest has more than {_STEPS_LIMIT} steps")
    stated = manifest["members"].get(WEIGHTS)
    if set(manifest["members"]) != {WEIGHTS} or not isinstance(stated, dict):
        damaged(path, "its manifest does not list its members")
    if type(stated.get("size")) is not int or not isinstance(stated.get("sha256"), str):
        damaged(path, "its manifest states no size or hash")
