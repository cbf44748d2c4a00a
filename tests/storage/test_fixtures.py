"""Files that earlier versions wrote are read, and embed as they did.

Other machines and versions of JAX differ in the last bits: networks may differ by 1e-5 of the
largest number, PCA by 1e-12.
"""

import json
import re

import numpy as np
import pytest

from fixtures.models import CUSTOM, FOLDER, MODELS, ROWS
from narrows.storage import load, read_manifest
from narrows.storage._archive import FORMAT_VERSION
from narrows.storage._steps import EMBEDDERS, KINDS

FILES = sorted(FOLDER.glob("v*/*.narrows"))


def name_of(path):
    return f"{path.parent.name}/{path.stem}"


def kinds_of(path):
    return [step["kind"] for step in read_manifest(path)["steps"]]


def test_there_are_files_of_every_format_version():
    found = {path.parent.name for path in FILES}
    assert found == {f"v{number}" for number in range(1, FORMAT_VERSION + 1)}
    assert {path.with_suffix(".npz").exists() for path in FILES} == {True}
    for path in FILES:
        assert read_manifest(path)["format_version"] == int(path.parent.name[1:])


def test_the_newest_files_and_the_models_cover_each_other():
    newest = [path for path in FILES if path.parent.name == f"v{FORMAT_VERSION}"]
    assert {path.stem for path in newest} == set(MODELS), "run tests/fixtures/make.py"


def test_the_files_and_the_classes_that_can_be_stored_cover_each_other():
    newest = [kinds_of(path) for path in FILES if path.parent.name == f"v{FORMAT_VERSION}"]
    assert {kind for kinds in newest for kind in kinds} == set(KINDS)
    embedders = {kind.__name__ for kind in EMBEDDERS}
    alone = {kinds[0] for kinds in newest if len(kinds) == 1}
    in_pipelines = {kinds[-1] for kinds in newest if len(kinds) > 1}
    assert alone == in_pipelines == embedders


def test_they_are_small():
    sizes = [path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()]
    assert sum(sizes) < 1_500_000
    assert max(sizes) < 50_000


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_file_is_read_and_embeds_as_it_did(path):
    model = load(path, CUSTOM)
    with np.load(path.with_suffix(".npz"), allow_pickle=False) as stored:
        expected = dict(stored)
    rows = ROWS[str(expected.pop("rows"))]()
    found = {"embedding": model.transform(rows)}
    if "back" in expected:
        found["back"] = model.inverse_transform(expected["embedding"])
    if "predicted" in expected:
        found["predicted"] = getattr(model, "predict_proba", model.predict)(rows)
    assert found.keys() == expected.keys()
    share = 1e-12 if kinds_of(path) == ["PCA"] else 1e-5
    for key, value in expected.items():
        assert found[key].dtype == value.dtype
        atol = share * float(np.abs(value).max())
        np.testing.assert_allclose(found[key], value, rtol=0, atol=atol, err_msg=key)
    assert np.ptp(expected["embedding"], axis=0).min() > 1e-3  # a constant would prove nothing


def test_a_layer_of_ones_own_is_not_found_though_this_session_registered_it():
    with pytest.raises(ValueError, match=r"\['narrows-tests>Twice'\].*custom_objects"):
        load(FOLDER / f"v{FORMAT_VERSION}" / "own-layer.narrows")


def test_a_newer_file_says_so_whatever_else_it_holds(tmp_path):
    import zipfile

    manifest = {"format": "narrows", "format_version": FORMAT_VERSION + 1, "news": True}
    with zipfile.ZipFile(tmp_path / "new.narrows", "w") as file:
        for name in ("weights-1.safetensors", "manifest.json", "weights-2.safetensors", "tree"):
            file.writestr(name, json.dumps(manifest))
    for read in (load, read_manifest):
        with pytest.raises(ValueError, match=re.escape(f"newer format {FORMAT_VERSION + 1}")):
            read(tmp_path / "new.narrows")
