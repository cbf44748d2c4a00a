"""What a file says of itself, what is refused, and that nothing is written then."""

import importlib.util
import json
import subprocess
import sys

import numpy as np
import onnx
import pandas as pd
import pytest
from sklearn.decomposition import TruncatedSVD
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PowerTransformer, StandardScaler

import narrows
from narrows._keras import keras
from narrows.export import ExportReport, export_onnx
from narrows.export._model import chain_of
from narrows.export._sample_rows import drawn_rows, rows_with_gaps
from narrows.export.layers import _activations
from narrows.export.table import _scaling
from support.onnx_files import session

L = keras.layers


@pytest.fixture(scope="module")
def table():
    table = narrows.datasets.iris()
    table.loc[::10, "Species"] = None
    return table


@pytest.fixture(scope="module")
def fitted(table):
    embedder = narrows.Autoencoder(encoder=(5,), epochs=1, random_state=0)
    return make_pipeline(narrows.TablePreprocessor(), embedder).fit(table)


def network(encoder, measurements, **more):
    embedder = narrows.Autoencoder(encoder=encoder, decoder=(3,), epochs=1, random_state=0, **more)
    return embedder.fit(measurements)


def facts_of(path):
    return dict(session(path).get_modelmeta().custom_metadata_map)


def test_the_file_says_what_it_is(fitted, table, tmp_path):
    report = export_onnx(fitted, tmp_path / "m.onnx", rows=table)
    facts = facts_of(tmp_path / "m.onnx")
    assert facts["narrows"] == narrows.__version__
    assert facts["model"] == "TablePreprocessor -> Autoencoder"
    assert (facts["part"], facts["opset"]) == ("encoder", "17")
    inputs = json.loads(facts["inputs"])
    assert [(port["name"], port["kind"]) for port in inputs] == [
        *((name, "number") for name in table.columns[:4]), ("Species", "text"),
    ]  # fmt: skip
    (output,) = json.loads(facts["outputs"])
    assert output["columns"] == ["autoencoder0", "autoencoder1"]
    check = json.loads(facts["check"])
    assert check["rows"] == report.rows == 150
    assert check["rows_from"] == "given by the caller"
    assert check["largest_difference"] == report.largest_difference
    assert 0 < check["largest_difference"] < 1e-5
    assert "absolute difference" in check["measure"]


def test_the_stated_difference_is_the_one_that_is_found(fitted, table, tmp_path):
    report = export_onnx(fitted, tmp_path / "m.onnx", rows=table)
    opened = session(tmp_path / "m.onnx")
    sent = {name: table[name].to_numpy(np.float64) for name in table.columns[:4]}
    sent["Species"] = table["Species"].astype(object).fillna("").to_numpy()
    wanted = fitted.transform(table)
    apart = np.abs(opened.run(None, sent)[0] - wanted).max()
    # Alone, the first row may come out another last bit away; it is measured too.
    alone = np.abs(opened.run(None, {k: v[:1] for k, v in sent.items()})[0] - wanted[:1]).max()
    scale = max(1.0, float(np.abs(wanted).max()))
    assert report.largest_difference == pytest.approx(max(apart, alone) / scale)


def test_versions_that_older_runtimes_read(fitted, tmp_path):
    export_onnx(fitted, tmp_path / "m.onnx")
    proto = onnx.load(tmp_path / "m.onnx")
    assert {entry.domain: entry.version for entry in proto.opset_import} == {
        "": 17, "ai.onnx.ml": 2,
    }  # fmt: skip
    assert proto.ir_version == 8
    assert (proto.producer_name, proto.producer_version) == ("narrows", narrows.__version__)
    assert "empty text" in proto.graph.input[4].doc_string
    assert {entry.type.tensor_type.shape.dim[0].dim_param for entry in proto.graph.input} == {
        "rows"
    }


def test_the_report(fitted, table, tmp_path):
    report = export_onnx(fitted, tmp_path / "m.onnx", "decoder")
    assert isinstance(report, ExportReport)
    assert report.path == tmp_path / "m.onnx"
    assert report.bytes == report.path.stat().st_size
    assert list(report.outputs) == list(table.columns)
    assert "decoder written to" in str(report)
    assert "200 rows drawn from the statistics of the preprocessing" in str(report)


def test_drawn_rows_are_like_the_table(table):
    table = table.assign(day=pd.Timestamp("2020-02-01"), flag=np.arange(150) % 2 == 0)
    table["day"] += pd.to_timedelta(np.arange(150), "D")
    table.loc[::6, "Sepal.Width"] = np.nan
    preprocessor = narrows.TablePreprocessor()
    fitted = make_pipeline(preprocessor, narrows.PCA()).fit(table)
    rows, words = drawn_rows(chain_of(fitted, "encoder"))
    assert list(rows.columns) == list(table.columns)
    assert words == "drawn from the statistics of the preprocessing"
    assert rows["Petal.Length"].mean() == pytest.approx(table["Petal.Length"].mean(), abs=0.5)
    assert rows.isna().any().all()
    assert set(rows["Species"].dropna()) > set(table["Species"].dropna())
    again, _ = drawn_rows(chain_of(fitted, "encoder"))
    pd.testing.assert_frame_equal(rows, again)


def test_standard_normal_rows_where_nothing_is_known(measurements, tmp_path):
    fitted = network(lambda x: L.Dense(2, name="a")(x), measurements)
    assert "standard normal" in export_onnx(fitted, tmp_path / "m.onnx").rows_from


def test_an_estimator_that_gives_frames(table, tmp_path):
    framed = make_pipeline(narrows.TablePreprocessor(), narrows.PCA())
    framed.set_output(transform="pandas").fit(table)
    for part in ("encoder", "decoder"):
        assert export_onnx(framed, tmp_path / "m.onnx", part, table).largest_difference < 1e-5


def refused(tmp_path, match, *arguments, error=ValueError, **more):
    """Export what cannot be; an old file must stay as it is."""
    path = tmp_path / "old.onnx"
    path.write_bytes(b"old")
    with pytest.raises(error, match=match) as caught:
        export_onnx(arguments[0], path, *arguments[1:], **more)
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["old.onnx"]
    assert "\n" not in str(caught.value)


def test_a_part_that_is_none(fitted, tmp_path):
    refused(tmp_path, "must be 'encoder' or 'decoder'. Got 'both' instead", fitted, "both")


@pytest.mark.parametrize(
    "make", [lambda: TruncatedSVD(2), lambda: make_pipeline(PowerTransformer(), narrows.PCA()),
             lambda: make_pipeline(StandardScaler())],
)  # fmt: skip
def test_other_estimators(make, measurements, tmp_path):
    model = make().fit(measurements)
    refused(
        tmp_path,
        "must be one of Autoencoder, AutoencoderCV, Linear.* Got .* instead",
        model,
        error=TypeError,
    )


def test_a_model_that_is_not_fitted(tmp_path):
    refused(tmp_path, "not fitted", narrows.Autoencoder(), error=NotFittedError)
    refused(
        tmp_path, "not fitted", make_pipeline(StandardScaler(), narrows.PCA()), error=NotFittedError
    )


def test_a_decoder_that_is_not_there(measurements, tmp_path):
    fitted = narrows.TSNEMapEncoder(encoder=(4,), epochs=1, map_steps=10, random_state=0)
    refused(tmp_path, "without a decoder.*fit_decoder", fitted.fit(measurements), "decoder")


class Doubling(L.Layer):
    def call(self, x):
        return 2 * x


def cube(x):
    return x**3


@pytest.mark.parametrize(
    ("encoder", "match"),
    [
        (lambda x: L.LSTM(2, name="memory")(L.Reshape((2, 2))(x)),
         r"layer 'memory' must be one that ONNX export knows. Got the class LSTM .* Known are A"),
        (lambda x: L.Dense(2)(Doubling(name="twice")(x)),
         "The layer 'twice' must be .* Got the class Doubling"),
        (lambda x: L.Dense(2, activation=cube, name="odd")(x),
         "The layer 'odd' must have an activation that ONNX export knows: .* Got 'cube' instead"),
        (lambda x: L.Dense(2, dtype="mixed_bfloat16", name="half")(x),
         "The layer 'half' must compute in float32 .* Its dtype policy is 'mixed_bfloat16'"),
        (lambda x: L.Dense(2)(keras.ops.cumsum(x, axis=1)),
         "The operation .* must be one that ONNX export knows: .* Got Cumsum instead"),
        (lambda x: L.Dense(2)(L.Flatten()(
            L.UpSampling2D(2, interpolation="lanczos3", name="up")(L.Reshape((2, 2, 1))(x)))),
         r"The layer 'up' \(UpSampling2D\) cannot be exported: its interpolation must be one of"),
        (lambda x: keras.Sequential([keras.Input((4,)), Doubling(name="inner"), L.Dense(2)])(x),
         "The layer 'inner' must be"),
    ],
)  # fmt: skip
def test_layers_that_cannot_be_written(encoder, match, measurements, tmp_path):
    refused(tmp_path, match, network(encoder, measurements))


def test_a_disagreement_is_found_and_nothing_is_written(fitted, table, tmp_path, monkeypatch):
    silu = keras.activations.silu
    monkeypatch.setitem(_activations.FUNCTIONS, silu, lambda graph, x: x)
    match = (
        r"must agree with narrows within 1e-05 .* The largest difference is [\d.]+, in row \d+ "
        r"\(counted from 0\), column 'autoencoder[01]'. Nothing was written"
    )
    refused(tmp_path, match, fitted)
    refused(tmp_path, match, fitted, rows=table)
    refused(tmp_path, "The largest difference is", fitted, "decoder")


def test_a_disagreement_behind_the_network_is_found(measurements, tmp_path, monkeypatch):
    fitted = make_pipeline(StandardScaler(), narrows.PCA()).fit(measurements)
    monkeypatch.setattr(_scaling, "unscale", lambda graph, step, x: x)
    refused(tmp_path, r"row .*, column 'Sepal\.Width'", fitted, "decoder")


@pytest.mark.parametrize("part", ["encoder", "decoder"])
def test_a_table_with_empty_text_is_exported(part, table, tmp_path):
    odd = table.assign(Species=np.resize(np.array(["", "a", None], object), len(table)))
    model = make_pipeline(narrows.TablePreprocessor(), narrows.PCA(2)).fit(odd)
    report = export_onnx(model, tmp_path / "m.onnx", part, rows=odd)
    ports = report.inputs if part == "encoder" else report.outputs
    assert ports["Species"] == "text; '(missing)' where it is missing"
    facts = facts_of(tmp_path / "m.onnx")["inputs" if part == "encoder" else "outputs"]
    assert [one.get("missing") for one in json.loads(facts)] == [None] * 4 + ["(missing)"]


def test_rows_with_gaps_have_one_in_every_column(fitted):
    chain = chain_of(fitted, "encoder")
    made_up = rows_with_gaps(chain)
    assert made_up.isna().any().all()
    assert made_up.iloc[-1].isna().all()
    assert made_up.notna().any().all()
    assert rows_with_gaps(chain_of(fitted[1], "encoder")) is None


def test_gaps_are_checked_though_the_rows_have_none(fitted, table, tmp_path, monkeypatch):
    """A file that takes gaps for something else is not written."""
    from narrows.export.table import _forward

    whole = table.dropna()
    right = _forward._encode_numbers

    def wrong(graph, numbers, x):
        nothing = graph.add("IsNaN", x)
        one = graph.constant(1.0, "float64")
        return right(graph, numbers, graph.add("Where", nothing, one, x))

    export_onnx(fitted, tmp_path / "m.onnx", rows=whole)
    monkeypatch.setattr(_forward, "_encode_numbers", wrong)
    with pytest.raises(
        ValueError, match=r"of rows with gaps that were made up .* please report it"
    ):
        export_onnx(fitted, tmp_path / "n.onnx", rows=whole)
    assert not (tmp_path / "n.onnx").exists()


def test_the_tolerance(fitted, table, tmp_path):
    refused(tmp_path, "within 1e-12", fitted, rows=table, tolerance=1e-12)


def test_rows_that_the_model_does_not_take(fitted, table, tmp_path):
    refused_rows = table.drop(columns="Species")
    with pytest.raises(ValueError, match="Species"):
        export_onnx(fitted, tmp_path / "m.onnx", rows=refused_rows)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there(fitted, tmp_path):
    with pytest.raises(FileNotFoundError):
        export_onnx(fitted, tmp_path / "no" / "m.onnx")


def test_an_interrupted_write_leaves_the_old_file(fitted, tmp_path, monkeypatch):
    def interrupted(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("narrows._files.os.replace", interrupted)
    refused(tmp_path, "No space left", fitted, error=OSError)


def test_the_extra_is_not_installed(fitted, tmp_path, monkeypatch):
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "onnxruntime" else real(name)
    )
    match = r'Not installed: onnxruntime. .* pip install "narrows\[onnx\]"'
    refused(tmp_path, match, fitted, error=ImportError)


def test_onnx_is_imported_at_use_only():
    code = (
        "import sys, narrows; narrows.export_onnx, narrows.PCA\n"
        "print([name for name in ('onnx', 'onnxruntime') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
