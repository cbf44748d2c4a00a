"""A file is replaced as a whole or not at all."""

import os
import stat

import pytest

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
