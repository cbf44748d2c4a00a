"""A file is replaced as a whole or not at all."""

import contextlib
import os
import stat
import time

import pytest

from narrows import _files
from narrows._files import replace_file, replacing


def test_writes_and_replaces(tmp_path):
    path = tmp_path / "a.txt"
    assert replace_file(path, b"one") == path
    replace_file(path, b"two")
    assert path.read_bytes() == b"two"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


def test_failure_inside_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    replace_file(path, b"old")
    with pytest.raises(RuntimeError, match="half way"), replacing(path) as temporary:  # noqa: PT012
        temporary.write_bytes(b"new, but")
        raise RuntimeError("half way")
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


def test_permissions_are_the_old_files_or_the_usual_ones(tmp_path):
    path, plain = tmp_path / "a.txt", tmp_path / "b.txt"
    plain.write_bytes(b"")
    replace_file(path, b"one")
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)
    path.chmod(0o640)
    replace_file(path, b"two")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_link_stays_a_link(tmp_path):
    target, link = tmp_path / "target.txt", tmp_path / "link.txt"
    target.write_bytes(b"old")
    link.symlink_to(target)
    replace_file(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def test_a_missing_folder_is_named_as_the_user_wrote_it(tmp_path):
    path = tmp_path / "no" / "a.txt"
    with pytest.raises(FileNotFoundError) as error:
        replace_file(path, b"")
    assert error.value.filename == os.fspath(path)


def litter(folder, name):
    return [path for path in folder.iterdir() if path.name != name]


def killed(folder, name):
    """What a killed writer leaves: a temporary file that nobody locks."""
    with contextlib.suppress(RuntimeError), replacing(folder / name) as temporary:
        raise RuntimeError
    temporary.write_bytes(b"half")
    return temporary


@pytest.mark.parametrize("name", ["a.txt", "a", ".hidden", "x" * 250, "é" * 120 + ".txt"])
def test_the_next_write_removes_what_a_killed_one_left(tmp_path, name):
    left = [killed(tmp_path, name) for _ in range(3)]
    assert len(set(left)) == 3
    replace_file(tmp_path / name, b"new")
    assert litter(tmp_path, name) == []


def test_what_somebody_is_writing_is_not_litter(tmp_path):
    path = tmp_path / "a.txt"
    with replacing(path) as first:
        first.write_bytes(b"first")
        replace_file(path, b"second")
        assert path.read_bytes() == b"second"
    assert path.read_bytes() == b"first"
    assert litter(tmp_path, "a.txt") == []


def test_other_files_are_not_litter(tmp_path):
    others = [".a.txt.swp", "a.txt.part", ".b.1234.part.txt", ".a.note.txt"]
    for name in others:
        (tmp_path / name).write_bytes(b"mine")
    replace_file(tmp_path / "a.txt", b"new")
    assert sorted(path.name for path in litter(tmp_path, "a.txt")) == sorted(others)


@pytest.mark.parametrize("age", [0, 100_000])
def test_without_locks_only_old_files_are_litter(tmp_path, monkeypatch, age):
    monkeypatch.setattr(_files, "fcntl", None)
    left = killed(tmp_path, "a.txt")
    then = time.time() - age
    os.utime(left, (then, then))
    replace_file(tmp_path / "a.txt", b"new")
    assert litter(tmp_path, "a.txt") == ([] if age else [left])
