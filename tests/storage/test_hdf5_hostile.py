"""HDF5 files that lead elsewhere, or ask for more than they hold: one sentence, nothing loaded."""

import struct
import tracemalloc
from types import SimpleNamespace

import h5py
import numpy as np
import pytest

from narrows import load_weights_hdf5
from storage import hdf5_tricks as tricks

EXPECTED = {
    tricks.external_link: "must lie in the HDF5 file itself.*ExternalLink",
    tricks.soft_link: "must lie in the HDF5 file itself.*SoftLink",
    tricks.virtual: "lie in another file",
    tricks.external_storage: "lie in another file",
    tricks.huge: r"expected kernel \(4, 3\), file has \(1099511627776, 1024\)",
    tricks.huge_chunks: "expected chunks of at most 67,108,864 bytes",
    tricks.huge_contiguous: r"expected kernel \(4, 3\), file has \(274877906944,\)",
    tricks.bomb: "a compressed one is larger",
    tricks.strings: "expected numbers, file has object",
    tricks.ragged: "expected numbers, file has object",
    tricks.references: "expected numbers, file has object",
    tricks.compound: "expected numbers, file has",
    tricks.long_floats: "expected numbers, file has",
    tricks.complex_numbers: "expected numbers, file has complex64",
    tricks.empty: "an empty dataset",
    tricks.lzf: "expected no compression, or gzip. File has filter 32000",
    tricks.a_group: "expected numbers at 'hidden/kernel:0', file has none there",
    tricks.a_type: "expected numbers at 'hidden/kernel:0', file has none there",
}


class Weight(SimpleNamespace):
    def assign(self, value):
        self.assigned.append(value)


def model():
    """What the loader asks of a model, without Keras."""
    assigned = []
    layers = [
        SimpleNamespace(
            name=layer,
            trainable_weights=[
                Weight(name=name, shape=shape, assigned=assigned) for name, shape in weights.items()
            ],
            non_trainable_weights=[],
        )
        for layer, weights in tricks.SHAPES.items()
    ]
    return SimpleNamespace(layers=layers, assigned=assigned)


def refused(path, message, error=ValueError):
    found = model()
    tracemalloc.start()
    with pytest.raises(error, match=message) as caught:
        load_weights_hdf5(found, path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert type(caught.value) is error
    assert "\n" not in str(caught.value)
    assert found.assigned == []
    assert peak < 2_000_000


@pytest.mark.parametrize("layout", tricks.seeds())
def test_sound_files_load(tmp_path, layout):
    (tmp_path / "w.h5").write_bytes(tricks.seeds()[layout])
    found = model()
    report = load_weights_hdf5(found, tmp_path / "w.h5")
    assert (report.matched, report.missing, report.unexpected) == (["hidden", "out"], [], [])
    assert [value.shape for value in found.assigned] == [(4, 3), (3,), (3, 2), (2,)]


def test_every_trick_has_its_sentence():
    assert set(EXPECTED) == set(tricks.TRICKS)


@pytest.mark.parametrize("trick", tricks.TRICKS, ids=lambda trick: trick.__name__)
def test_in_place_of_a_dataset(tmp_path, trick):
    with h5py.File(tmp_path / "w.h5", "w") as file:
        tricks.by_lists(file)
        del file["hidden/hidden/kernel:0"]
        trick(file, "hidden/hidden/kernel:0")
    assert (tmp_path / "w.h5").stat().st_size < 200_000
    refused(tmp_path / "w.h5", EXPECTED[trick])


@pytest.mark.parametrize("link", [tricks.external_link, tricks.soft_link])
def test_links_in_place_of_groups(tmp_path, link):
    with h5py.File(tmp_path / "w.h5", "w") as file:
        tricks.by_lists(file)
        del file["hidden"]
        link(file, "hidden")
    refused(tmp_path / "w.h5", "must lie in the HDF5 file itself")
    with h5py.File(tmp_path / "whole.h5", "w") as file:
        link(file, "model_weights")
    refused(tmp_path / "whole.h5", "must lie in the HDF5 file itself")


def test_names_that_lead_away(tmp_path):
    for name in ("../../x", "/", "hidden/" * 40, ".", ""):
        with h5py.File(tmp_path / "w.h5", "w") as file:
            tricks.by_lists(file)
            file.attrs["layer_names"] = [name]
        refused(tmp_path / "w.h5", "Paths in an HDF5 file must have 1 to 32 names|file has none")


def test_circles_and_depth_in_groups(tmp_path):
    with h5py.File(tmp_path / "circle.h5", "w") as file:
        tricks.by_groups(file)
        file["layers/again"] = file["layers"]
        file["layers/dense_0/root"] = file["/"]
    found = model()
    assert load_weights_hdf5(found, tmp_path / "circle.h5").matched == ["hidden", "out"]
    with h5py.File(tmp_path / "deep.h5", "w") as file:
        tricks.by_groups(file)
        file.create_group("layers/" + "d/" * 50)
    refused(tmp_path / "deep.h5", "at most 100,000 groups, and at most 32 in one another")


def test_attributes_that_are_no_names(tmp_path):
    for value, message in [
        ([1.5, 2.5], "must be a list of names"),
        (np.zeros(3, "V4"), "must be text"),
        (h5py.Empty("f4"), "cannot be read|must be"),
        (np.array([b"\xff\xfe"]), "cannot be read"),
    ]:
        with h5py.File(tmp_path / "w.h5", "w") as file:
            tricks.by_lists(file)
            file["hidden"].attrs["weight_names"] = value
        refused(tmp_path / "w.h5", message)


def test_many_parts_of_names_are_bounded(tmp_path, monkeypatch):
    from narrows.storage.hdf5 import _reading

    monkeypatch.setattr(_reading, "NAMES_LIMIT", 1000)
    with h5py.File(tmp_path / "w.h5", "w") as file:
        for number in range(50):
            file.attrs[f"layer_names{number}"] = [b"x" * 100]
    refused(tmp_path / "w.h5", "at most 1,000 bytes")


def test_gzip_that_is_sound_loads_and_its_values_are_right(tmp_path):
    (tmp_path / "w.h5").write_bytes(tricks.seeds()["gzip"])
    found = model()
    load_weights_hdf5(found, tmp_path / "w.h5")
    np.testing.assert_array_equal(found.assigned[0], np.arange(12, dtype="f4").reshape(4, 3))


def test_a_heap_on_which_hdf5_runs_for_ever(tmp_path):
    """One byte of the free space's size is changed; HDF5 2.0 never returns from such a file."""
    content = tricks.seeds()["groups"]
    start = content.index(b"GCOL")
    for size in (0, 2**16, 2**63):
        changed = bytearray(content)
        at = start + 16
        index = -1
        while index != 0:
            index, _, _, length = struct.unpack_from("<2HLQ", changed, at)
            last, at = at, at + 16 + length + -length % 8
        struct.pack_into("<Q", changed, last + 8, size)
        (tmp_path / "w.h5").write_bytes(changed)
        refused(tmp_path / "w.h5", "heaps are not sound", OSError)


def test_memory_that_a_heap_only_states(tmp_path):
    content = tricks.seeds()["groups"]
    at = content.index(b"HEAP") + 8
    changed = content[:at] + struct.pack("<Q", 2**40) + content[at + 8 :]
    (tmp_path / "w.h5").write_bytes(changed)
    refused(tmp_path / "w.h5", "heaps are not sound", OSError)
