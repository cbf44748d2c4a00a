"""The container of a ``.narrows`` file: a zip of two stored members, checked before it is read.

Members are never compressed, so nothing in a file can be larger than the file itself.
"""

import hashlib
import json
import os
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from narrows._files import replacing
from narrows._version import __version__

FORMAT = "narrows"
FORMAT_VERSION = 1
MANIFEST = "manifest.json"
WEIGHTS = "weights.safetensors"
MEMBERS = (MANIFEST, WEIGHTS)

_MANIFEST_LIMIT = 64 * 2**20  # bytes
_DIRECTORY_LIMIT = 1024  # bytes; two entries take some 150, or 200 beyond 4 GB
_END = struct.Struct("<4s4H2LH")  # the zip's end record, without a comment
_ENCRYPTED = 0x1


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
    """Write a file; an old one is replaced only when the new one is complete.

    Parameters
    ----------
    path : path-like
    manifest : dict
        For JSON; format, version and the members' hashes are added.
    weights : bytes

    Raises
    ------
    OSError
        If the file cannot be written.
    ValueError
        If the manifest holds what JSON does not know, such as NaN, or is too large.
    """
    if Path(path).is_dir():
        raise IsADirectoryError(f"A model is written to a file. Got the folder {str(path)!r}.")
    member = {"sha256": hashlib.sha256(weights).hexdigest(), "size": len(weights)}
    head = {"format": FORMAT, "format_version": FORMAT_VERSION}
    whole = {**head, **manifest, "members": {WEIGHTS: member}}
    text = json.dumps(whole, indent=1, allow_nan=False, ensure_ascii=False).encode()
    if len(text) > _MANIFEST_LIMIT:
        raise ValueError(
            f"A model's description must fit into {_MANIFEST_LIMIT:,} bytes. It takes "
            f"{len(text):,}. Keep large constants in weights, not in the graph."
        )
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
    with _opened(path) as file:
        return _manifest(file, path)


def read_archive(path: str | os.PathLike) -> Contents:
    """Read a file whole, with its hashes checked; raises as `read_manifest` does."""
    with _opened(path) as file:
        manifest = _manifest(file, path)
        weights = _member(file, WEIGHTS, path)
    stated = manifest["members"][WEIGHTS]
    if len(weights) != stated["size"]:
        damaged(path, f"{WEIGHTS} has {len(weights):,} bytes, its manifest says {stated['size']}")
    if hashlib.sha256(weights).hexdigest() != stated["sha256"]:
        damaged(path, f"the SHA-256 of {WEIGHTS} is not the one its manifest states")
    return Contents(manifest, weights)


def damaged(path: str | os.PathLike, what: str) -> NoReturn:
    """Raise ValueError for a file of ours that is not as it was written."""
    raise ValueError(
        f"{os.fspath(path)!r} must be a complete, unaltered .narrows file. It is damaged: {what}. "
        "Nothing was loaded. Copy or save it again."
    )


def _not_ours(path: str | os.PathLike, what: str) -> NoReturn:
    raise ValueError(
        f"{os.fspath(path)!r} must be a .narrows file, as narrows.save writes it. {what}."
    )


def _opened(path: str | os.PathLike) -> zipfile.ZipFile:
    """Open the zip if it is made of our two members and nothing else."""
    if Path(path).is_dir():
        _not_ours(path, "It is a folder")
    if not Path(path).is_file():
        raise FileNotFoundError(f"There is no file {os.fspath(path)!r}.")
    _check_end(path)
    try:
        file = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, ValueError, NotImplementedError, struct.error) as error:
        damaged(path, f"its directory cannot be read ({error})")
    try:
        _check_members(file, path)
    except BaseException:
        file.close()
        raise
    return file


def _check_end(path: str | os.PathLike) -> None:
    """Look at the zip's end record, so that no other directory is ever read into memory."""
    with Path(path).open("rb") as file:
        start = file.read(4)
        if start != b"PK\x03\x04":
            _not_ours(path, "It is empty" if not start else "Its content is something else")
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - _END.size, 0))
        end = file.read(_END.size)
    if len(end) < _END.size or end[:4] != b"PK\x05\x06":
        damaged(path, "it is cut off, or something was added at its end")
    _, _, _, _, entries, directory, _, comment = _END.unpack(end)
    if entries != len(MEMBERS) or directory > _DIRECTORY_LIMIT or comment:
        _not_ours(path, f"It is a zip of {entries} members, not of {' and '.join(MEMBERS)}")


def _check_members(file: zipfile.ZipFile, path: str | os.PathLike) -> None:
    members = file.infolist()
    names = [member.filename for member in members]
    if sorted(names) != sorted(MEMBERS):
        _not_ours(path, f"It is a zip of {sorted(names)}, not of {' and '.join(MEMBERS)}")
    size = Path(path).stat().st_size
    for member in members:
        if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & _ENCRYPTED:
            damaged(path, f"{member.filename} is compressed or encrypted, which it never is")
        if member.file_size != member.compress_size:
            damaged(path, f"{member.filename} states two sizes")
    first, second = sorted(members, key=lambda member: member.header_offset)
    overlap = first.header_offset + first.file_size > second.header_offset
    if first.header_offset or overlap or second.header_offset + second.file_size > size:
        damaged(path, "its members do not lie one after the other")
    if file.getinfo(MANIFEST).file_size > _MANIFEST_LIMIT:
        damaged(path, f"its manifest is larger than {_MANIFEST_LIMIT:,} bytes")


def _member(file: zipfile.ZipFile, name: str, path: str | os.PathLike) -> bytes:
    try:
        return file.read(name)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, struct.error) as error:
        damaged(path, f"{name} cannot be read ({error})")


def _manifest(file: zipfile.ZipFile, path: str | os.PathLike) -> dict[str, Any]:
    try:
        manifest = json.loads(_member(file, MANIFEST, path), object_pairs_hook=_distinct)
    except (ValueError, RecursionError) as error:
        damaged(path, f"its manifest is not JSON ({error})")
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
    _check_form(manifest, path)
    return manifest


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


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
    member = manifest["members"].get(WEIGHTS)
    if set(manifest["members"]) != {WEIGHTS} or not isinstance(member, dict):
        damaged(path, "its manifest does not list its members")
    if type(member.get("size")) is not int or not isinstance(member.get("sha256"), str):
        damaged(path, "its manifest states no size or hash")
