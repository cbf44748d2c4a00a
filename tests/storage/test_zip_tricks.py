"""What a zip can do to a reader, it does not do here."""

import struct
import zipfile

import pytest

from fixtures.models import FOLDER, numbers
from narrows.storage import load, read_manifest

GOOD = FOLDER / "v1" / "pca.narrows"
CONTENT = GOOD.read_bytes()
LOCAL, CENTRAL, END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"


def refused(tmp_path, content, message="damaged"):
    path = tmp_path / "m.narrows"
    path.write_bytes(content)
    for read in (load, read_manifest):
        with pytest.raises(ValueError, match=message) as caught:
            read(path)
        assert type(caught.value) is ValueError
        assert "\n" not in str(caught.value)
    assert [one.name for one in tmp_path.iterdir()] == ["m.narrows"]


def rewritten(tmp_path, change, **more):
    """The good file's members again, with their headers changed."""
    path = tmp_path / "m.narrows"
    with zipfile.ZipFile(GOOD) as old, zipfile.ZipFile(path, "w") as new:
        for info in old.infolist():
            fresh = zipfile.ZipInfo(info.filename)
            change(fresh)
            new.writestr(fresh, old.read(info))
    return path.read_bytes()


def field(content, mark, which, offset, layout, value):
    """Set a number in the header that starts at the given occurrence of a mark."""
    at = -1
    for _ in range(which + 1):
        at = content.index(mark, at + 1)
    packed = struct.pack(layout, value)
    return content[: at + offset] + packed + content[at + offset + len(packed) :]


def test_the_helpers_leave_a_file_that_loads(tmp_path):
    path = tmp_path / "m.narrows"
    path.write_bytes(rewritten(tmp_path, lambda _: None))
    assert load(path).transform(numbers()).shape == (30, 2)


def test_links_and_folders(tmp_path):
    for mode in (0o120777, 0o040755, 0o020644):
        content = rewritten(tmp_path, lambda info, m=mode: setattr(info, "external_attr", m << 16))
        refused(tmp_path, content, "a link or a folder")


@pytest.mark.parametrize("flag", [0x1, 0x8, 0x40, 0x2000])
def test_encryption_and_sizes_that_follow(tmp_path, flag):
    for which in (0, 1):
        both = field(CONTENT, LOCAL, which, 6, "<H", flag)
        refused(tmp_path, field(both, CENTRAL, which, 8, "<H", flag), "compressed or encrypted")


@pytest.mark.parametrize("method", [8, 9, 12, 14, 93, 99])
def test_compression_of_every_kind(tmp_path, method):
    both = field(CONTENT, LOCAL, 1, 8, "<H", method)
    refused(tmp_path, field(both, CENTRAL, 1, 10, "<H", method), "compressed or encrypted")


@pytest.mark.parametrize(
    ("offset", "layout"), [(6, "<H"), (8, "<H"), (14, "<L"), (18, "<L"), (22, "<L")]
)
def test_headers_that_differ(tmp_path, offset, layout):
    """Flags, method, CRC-32 and sizes in a member's own header."""
    for which in (0, 1):
        refused(tmp_path, field(CONTENT, LOCAL, which, offset, layout, 77))


def test_names_that_differ(tmp_path):
    refused(tmp_path, CONTENT.replace(b"manifest.json", b"manifest.jsoN", 1))
    refused(tmp_path, CONTENT.replace(b"weights.safe", b"../hts.safe", 1))


def test_sizes_that_lie(tmp_path):
    for offset in (20, 24):
        for value in (0, 1, 10**6, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF):
            for which in (0, 1):
                refused(tmp_path, field(CONTENT, CENTRAL, which, offset, "<L", value))


def test_members_that_overlap_or_lie_outside(tmp_path):
    for value in (0, 1, 40, len(CONTENT) - 10, 0x7FFFFFFF, 0xFFFFFFFE):
        refused(tmp_path, field(CONTENT, CENTRAL, 1, 42, "<L", value))


def test_an_end_that_lies(tmp_path):
    for offset, layout, values in (
        (8, "<H", (0, 1, 3, 65535)), (10, "<H", (0, 1, 3, 65535)), (12, "<L", (0, 9, 2**31)),
        (16, "<L", (0, 9, 2**31, 2**32 - 1)), (20, "<H", (1, 65535)), (4, "<H", (1,)),
    ):  # fmt: skip
        for value in values:
            path = tmp_path / "m.narrows"
            path.write_bytes(field(CONTENT, END, 0, offset, layout, value))
            with pytest.raises(ValueError, match=r"m\.narrows"):
                load(path)


def zip64(directory, entries):
    """The good file with the end records of a zip beyond 4 GB."""
    at = CONTENT.index(END)
    end = struct.pack(
        "<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, entries, entries, directory,
        CONTENT.index(CENTRAL),
    )  # fmt: skip
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, at, 1)
    return CONTENT[:at] + end + locator + CONTENT[at:]


def test_zip64(tmp_path):
    at = CONTENT.index(END)
    good = tmp_path / "m.narrows"
    good.write_bytes(zip64(at - CONTENT.index(CENTRAL), 2))
    load(good)
    for directory, entries in ((2**62, 2), (2**40, 2), (100, 2**40), (0, 0)):
        refused(tmp_path, zip64(directory, entries), "damaged|zip of")


def test_something_before_between_or_behind(tmp_path):
    second, directory = CONTENT.index(LOCAL, 4), CONTENT.index(CENTRAL)
    refused(tmp_path, b"#!/bin/sh\n" + CONTENT, "something else")
    refused(tmp_path, CONTENT[:second] + CONTENT)
    for at in (second, directory):
        moved = CONTENT[:at] + b"hidden" + CONTENT[at:]
        refused(tmp_path, moved)
    refused(tmp_path, CONTENT + b"\0")
    refused(tmp_path, CONTENT[:-2] + b"\x04\0text", "comment|cut off")


def test_many_members(tmp_path):
    path = tmp_path / "m.narrows"
    with zipfile.ZipFile(path, "w") as file:
        for number in range(100):
            file.writestr(f"{number}", b"")
    refused(tmp_path, path.read_bytes(), "100 members")
