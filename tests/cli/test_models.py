"""``narrows fit``, ``embed``, ``reconstruct`` and ``inspect`` on small tables."""

import json
import os
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest

import narrows
from narrows.cli import main
from narrows.cli._errors import warnings_on_stderr
from narrows.data import read_table
from narrows.storage import load, read_manifest, save

FAST = ["--encoder", "6", "--epochs", "2"]


def run(*arguments):
    """Run a command in this process; return its exit code."""
    try:
        main([os.fspath(argument) for argument in arguments])
    except SystemExit as stop:
        return stop.code
    return 0


def mixed():
    table = narrows.datasets.iris().iloc[::3].reset_index(drop=True)
    table.loc[3, "Sepal.Width"] = np.nan
    table["seen"] = pd.date_range("2020-01-01", periods=len(table)).strftime("%Y-%m-%d")
    table["petals"] = np.arange(len(table)) % 5
    return table


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A table, and a model that was fitted on it by the command; tests must not change them."""
    folder = tmp_path_factory.mktemp("models")
    mixed().to_csv(folder / "iris.csv", index=False)
    model = folder / "iris.narrows"
    assert run("fit", folder / "iris.csv", "--label", "Species", *FAST, "--out", model) == 0
    return folder


def bad(capsys, *arguments):
    """Run a command that must fail for bad input; return its sentence."""
    capsys.readouterr()
    assert run(*arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("narrows: ")
    assert printed.err.count("\n") == 1
    assert "Traceback" not in printed.err
    return printed.err


@pytest.mark.long
def test_as_a_user_runs_it_results_on_stdout_and_nothing_else(tmp_path):
    mixed().to_csv(tmp_path / "iris.csv", index=False)
    done = subprocess.run(
        [sys.executable, "-c", "from narrows.cli import main; main()", "fit", "iris.csv",
         "--label", "Species", "--drop", "seen,petals", "--restarts", "2", *FAST,
         "--out", "m.narrows", "--json"],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    found = json.loads(done.stdout)
    assert found["columns"] == list(mixed().columns[:4])
    assert (found["rows"], found["restarts"], found["bottleneck"]) == (50, 2, 2)
    assert found["encoded_columns"] == 5  # one indicator of missing values
    assert found["measures"]["loss"] > 0
    model = load(tmp_path / "m.narrows")
    assert list(model.feature_names_in_) == found["columns"]
    assert model[-1].restarts_.best == found["restart_in_use"]


@pytest.mark.long
def test_options_reach_the_model(folder, tmp_path, capsys):
    out = tmp_path / "m.narrows"
    options = ["--bottleneck", "3", "--encoder", "5,4", "--epochs", "4", "--patience", "2",
               "--validation-fraction", "0.2", "--scale", "range", "--seed", "7"]  # fmt: skip
    assert run("fit", folder / "iris.csv", "--label", "Species", *options, "--out", out) == 0
    preprocessor, embedder = (step for _, step in load(out).steps)
    assert preprocessor.scale == "range"
    wanted = {
        "bottleneck": 3, "encoder": (5, 4), "epochs": 4, "patience": 2,
        "validation_fraction": 0.2, "random_state": 7, "verbose": 0,
    }  # fmt: skip
    assert {name: embedder.get_params()[name] for name in wanted} == wanted
    assert "val_loss" in capsys.readouterr().out


def test_the_same_seed_gives_the_same_model(folder, tmp_path):
    for name in ("a", "b"):
        out = tmp_path / f"{name}.narrows"
        assert run("fit", folder / "iris.csv", "--label", "Species", *FAST, "--out", out) == 0
    found = [read_manifest(tmp_path / f"{name}.narrows")["members"] for name in "ab"]
    assert found[0] == found[1]
    out = tmp_path / "c.narrows"
    command = ["fit", folder / "iris.csv", "--label", "Species", *FAST, "--out", out]
    assert run(*command, "--seed", "2") == 0
    assert read_manifest(out)["members"] != found[0]


def test_provenance_is_in_the_file(folder):
    found = read_manifest(folder / "iris.narrows")["provenance"]
    assert found["table"] == "iris.csv"
    assert found["rows"] == 50
    assert (found["label"], found["left_out"]) == ("Species", ["Species"])
    assert len(found["table_sha256"]) == 64


@pytest.mark.parametrize("extension", ["csv", "tsv", "parquet", "arrow"])
def test_embed_writes_what_transform_returns(folder, tmp_path, extension):
    out = tmp_path / f"z.{extension}"
    model = folder / "iris.narrows"
    assert run("embed", model, folder / "iris.csv", "--keep", "Species", "--out", out) == 0
    found = read_table(out)
    assert list(found.columns) == ["autoencoder0", "autoencoder1", "Species"]
    expected = load(model).transform(read_table(folder / "iris.csv").drop(columns="Species"))
    np.testing.assert_array_equal(found.iloc[:, :2].to_numpy("float32"), expected)
    assert list(found["Species"]) == list(mixed()["Species"])


def test_embed_finds_columns_by_name_in_any_order(folder, tmp_path, capsys):
    shuffled = mixed().iloc[:, ::-1].assign(extra=1)
    shuffled.to_csv(tmp_path / "other.csv", index=False)
    model = folder / "iris.narrows"
    for table, out in ((folder / "iris.csv", "a.csv"), (tmp_path / "other.csv", "b.csv")):
        assert run("embed", model, table, "--out", tmp_path / out, "--json") == 0
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    printed = capsys.readouterr().out
    assert json.loads(printed[printed.rindex("{\n") :])["left_out"] == ["Species", "extra"]


def test_reconstruct_gives_the_table_back_with_its_types(folder, tmp_path):
    out = tmp_path / "r.parquet"
    command = ["reconstruct", folder / "iris.narrows", folder / "iris.csv", "--out", out]
    assert run(*command, "--errors") == 0
    table, found = read_table(folder / "iris.csv"), read_table(out)
    learned = list(table.columns.drop("Species"))
    assert list(found.columns) == [*learned, "reconstruction_error"]
    for name in learned:
        assert found[name].dtype.kind == table[name].dtype.kind, name
    model = load(folder / "iris.narrows")
    encoded = model[0].transform(table[learned])
    expected = ((model[1].inverse_transform(model[1].transform(encoded)) - encoded) ** 2).mean(1)
    np.testing.assert_allclose(found["reconstruction_error"], expected)
    assert run(*command) == 0
    assert "reconstruction_error" not in read_table(out).columns


def test_a_model_without_a_preprocessor_gives_types_back(tmp_path):
    table = pd.DataFrame({"a": [1, 2, 3, 9], "b": [0.5, 1.5, 1.0, 2.0]})
    table.to_csv(tmp_path / "t.csv", index=False)
    save(narrows.PCA(2).fit(table), tmp_path / "m.narrows")
    command = ["reconstruct", tmp_path / "m.narrows", tmp_path / "t.csv"]
    assert run(*command, "--out", tmp_path / "r.csv") == 0
    pd.testing.assert_frame_equal(read_table(tmp_path / "r.csv"), table)


def test_a_model_without_column_names(tmp_path, capsys):
    table = pd.DataFrame({"a": [1, 2, 3, 9], "b": [0.5, 1.5, 1.0, 2.0], "kind": list("xyxy")})
    table.to_csv(tmp_path / "t.csv", index=False)
    save(narrows.PCA(1).fit(table[["a", "b"]].to_numpy()), tmp_path / "m.narrows")
    command = ["embed", tmp_path / "m.narrows", tmp_path / "t.csv", "--out", tmp_path / "z.csv"]
    assert run(*command, "--keep", "kind") == 0
    assert list(read_table(tmp_path / "z.csv").columns) == ["pca0", "kind"]
    assert "2 columns without names. Got 3" in bad(capsys, *command)


def test_inspect_shows_the_model(folder, capsys):
    capsys.readouterr()
    assert run("inspect", folder / "iris.narrows") == 0
    printed = capsys.readouterr().out
    landmarks = ["TablePreprocessor -> Autoencoder", "table iris.csv", "Petal.Width (float64)",
                 "encoder_1/kernel", "encoder_linear/bias", "restart 0 of 1"]  # fmt: skip
    positions = [printed.find(landmark) for landmark in landmarks]
    assert -1 not in positions, landmarks[positions.index(-1)]
    assert positions == sorted(positions)


def test_inspect_for_machines(folder, capsys):
    capsys.readouterr()
    assert run("inspect", folder / "iris.narrows", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    model = load(folder / "iris.narrows")[-1]
    assert [(one["layer"], one["weight"]) for one in found["weights"]] == list(
        model.weights()[["layer", "weight"]].itertuples(index=False, name=None)
    )
    assert found["parameters"] == model.autoencoder_.count_params()
    assert [row["epoch"] for row in found["history"]] == [1, 2]
    assert found["history"][-1]["loss"] == pytest.approx(model.history_["loss"].iloc[-1])


def test_inspect_a_pca_and_a_network_of_functions(tmp_path, capsys, post, measurements):
    save(narrows.PCA().fit(measurements), tmp_path / "pca.narrows")
    assert run("inspect", tmp_path / "pca.narrows") == 0
    assert "components_" in capsys.readouterr().out
    save(post, tmp_path / "post.narrows")
    assert run("inspect", tmp_path / "post.narrows") == 0
    printed = capsys.readouterr().out
    assert "function post_encoder (its graph is stored)" in printed
    assert "20 arrays, 19,606 numbers" in printed


def test_inspect_imports_no_keras(folder):
    code = (
        "import sys\nfrom narrows.cli import main\n"
        "try:\n    main(['inspect', sys.argv[1]])\n"
        "except SystemExit as stop:\n    assert stop.code == 0\n"
        "assert 'keras' not in sys.modules and 'jax' not in sys.modules\n"
    )
    model = os.fspath(folder / "iris.narrows")
    subprocess.run([sys.executable, "-c", code, model], check=True, capture_output=True)


def fit_of(folder, tmp_path, *options):
    return ["fit", folder / "iris.csv", *FAST, "--out", tmp_path / "m.narrows", *options]


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        (["--label", "species"], ["--label", "no 'species'", "did you mean 'Species'?"]),
        (["--drop", "Petal.Lenght,seen"], ["--drop", "did you mean 'Petal.Length'"]),
        (["--encoder", "150,x"], ["--encoder", "'150,x'"]),
        (["--encoder", "8,0"], ["--encoder", "'8,0'"]),
        (
            ["--validation-fraction", "1.5"],
            ["narrows: --validation-fraction must be a float", "1.5"],
        ),
        (["--drop", ",".join(mixed().columns)], ["must leave a column"]),
        (["--label-weight", "some", "--label", "Species"], ["--label-weight", "'some'"]),
        (["--label-weight", "-1", "--label", "Species"], ["--label-weight", "'-1'"]),
        (["--label-weight", "1"], ["--label-weight must stand beside --label"]),
        (
            ["--label-weight", "auto", "--label", "Species", "--fast"],
            ["--label-weight auto", "Give a number"],
        ),
    ],
)
def test_bad_options_of_fit(folder, tmp_path, capsys, options, parts):
    sentence = bad(capsys, *fit_of(folder, tmp_path, *options))
    assert [part for part in parts if part not in sentence] == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("option", ["--bottleneck", "--epochs", "--restarts", "--scale", "--lab"])
def test_options_that_are_none_exit_2(folder, tmp_path, capsys, option):
    assert run(*fit_of(folder, tmp_path, option, "0")) == 2
    assert option in capsys.readouterr().err


def test_tables_that_are_none(folder, tmp_path, capsys):
    assert "no file" in bad(capsys, "fit", tmp_path / "t.csv", "--out", tmp_path / "m.narrows")
    (tmp_path / "t.csv").write_text("a,b\n1,2\n3\n")
    assert "line 3" in bad(capsys, "fit", tmp_path / "t.csv", "--out", tmp_path / "m.narrows")
    (tmp_path / "t.csv").write_text("a,b\n1,inf\n2,3\n")
    assert "'b'" in bad(capsys, "fit", tmp_path / "t.csv", *FAST, "--out", tmp_path / "m.narrows")


@pytest.mark.parametrize("command", ["fit", "embed", "reconstruct"])
def test_the_out_path_is_checked_before_anything_else(folder, tmp_path, capsys, command):
    """Before the table is even looked for."""
    inputs = [tmp_path / "none.csv"] if command == "fit" else [tmp_path / "m", tmp_path / "t"]
    good = "x.narrows" if command == "fit" else "x.csv"
    sentence = bad(capsys, command, *inputs, "--out", tmp_path / "no" / good)
    assert "--out must be a file that can be written" in sentence
    assert "must end in" in bad(capsys, command, *inputs, "--out", tmp_path / "x.txt")
    (tmp_path / good).mkdir()
    assert "folder" in bad(capsys, command, *inputs, "--out", tmp_path / good)


def test_an_input_is_not_overwritten(folder, tmp_path, capsys):
    before = (folder / "iris.csv").read_bytes()
    command = ["embed", folder / "iris.narrows", folder / "iris.csv", "--out", folder / "iris.csv"]
    assert "that is read" in bad(capsys, *command)
    assert (folder / "iris.csv").read_bytes() == before


def test_a_failed_fit_leaves_the_old_model(folder, tmp_path, capsys):
    (tmp_path / "m.narrows").write_text("old")
    bad(capsys, *fit_of(folder, tmp_path, "--validation-fraction", "0.999"))
    assert (tmp_path / "m.narrows").read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["m.narrows"]


def test_columns_that_the_model_needs_are_named(folder, tmp_path, capsys):
    other = mixed().rename(columns={"Petal.Width": "petal_width"})
    other.to_csv(tmp_path / "t.csv", index=False)
    for command in ("embed", "reconstruct"):
        arguments = [folder / "iris.narrows", tmp_path / "t.csv", "--out", tmp_path / "z.csv"]
        sentence = bad(capsys, command, *arguments)
        assert "'Petal.Width' (did you mean 'petal_width'?)" in sentence
        assert "'Petal.Length' (" not in sentence


def test_columns_of_another_kind_are_named(folder, tmp_path, capsys):
    mixed().assign(petals="many").to_csv(tmp_path / "t.csv", index=False)
    arguments = [folder / "iris.narrows", tmp_path / "t.csv", "--out", tmp_path / "z.csv"]
    sentence = bad(capsys, "embed", *arguments)
    assert "'petals'" in sentence
    assert "'many'" in sentence


def test_names_that_would_stand_twice(folder, tmp_path, capsys):
    mixed().assign(autoencoder0=1).to_csv(tmp_path / "t.csv", index=False)
    arguments = [folder / "iris.narrows", tmp_path / "t.csv", "--out", tmp_path / "z.csv"]
    assert "'autoencoder0'" in bad(capsys, "embed", *arguments, "--keep", "autoencoder0")


@pytest.mark.parametrize("command", ["embed", "reconstruct", "inspect"])
def test_models_that_are_none(folder, tmp_path, capsys, command):
    rest = [] if command == "inspect" else [folder / "iris.csv", "--out", tmp_path / "z.csv"]
    assert "no file" in bad(capsys, command, tmp_path / "m.narrows", *rest)
    content = (folder / "iris.narrows").read_bytes()
    (tmp_path / "m.narrows").write_bytes(content[: len(content) // 2])
    assert "cut off" in bad(capsys, command, tmp_path / "m.narrows", *rest)
    assert not (tmp_path / "z.csv").exists()


def test_warnings_are_one_line_on_stderr(tmp_path, capsys):
    pd.DataFrame({"a": [1, 2, 3, 4], "same": 5}).to_csv(tmp_path / "t.csv", index=False)
    command = ["fit", tmp_path / "t.csv", *FAST, "--bottleneck", "1", "--json"]
    assert run(*command, "--out", tmp_path / "m.narrows") == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["rows"] == 4
    assert printed.err.startswith("narrows: warning: ")
    assert "'same'" in printed.err
    assert printed.err.count("\n") == 1


def test_a_warning_is_shown_once_though_a_library_touches_the_filters(capsys):
    with warnings_on_stderr():
        for _ in range(2):
            warnings.warn("the same", UserWarning, stacklevel=1)
            with warnings.catch_warnings():  # Python forgets what was shown
                warnings.simplefilter("ignore")
        warnings.warn("another", UserWarning, stacklevel=1)
    shown = capsys.readouterr().err
    assert shown == "narrows: warning: the same\nnarrows: warning: another\n"


def test_ctrl_c_exits_130_and_leaves_the_old_model(folder, tmp_path, monkeypatch):
    def interrupted(*arguments, **more):
        raise KeyboardInterrupt

    monkeypatch.setattr(narrows.Autoencoder, "fit", interrupted)
    (tmp_path / "m.narrows").write_text("old")
    assert run(*fit_of(folder, tmp_path)) == 130
    assert (tmp_path / "m.narrows").read_text() == "old"


def test_a_table_in_text_of_another_form_gives_the_same_model(tmp_path, folder):
    out = tmp_path / "m.narrows"
    mixed().to_csv(tmp_path / "iris.dat", index=False, sep="|", decimal=",", encoding="cp1252")
    form = ("--separator", "|", "--decimal", ",", "--encoding", "cp1252")
    assert run("fit", tmp_path / "iris.dat", "--label", "Species", *FAST, "--out", out, *form) == 0
    rows = read_table(folder / "iris.csv").drop(columns="Species")
    assert np.array_equal(load(out).transform(rows), load(folder / "iris.narrows").transform(rows))


def test_fit_tunes_and_says_how_it_does_beside_pca(tmp_path, capsys, folder):
    given = ["--label", "Species", "--encoder", "6", "--learning-rate", "0.01", "--noise", "0"]
    out = tmp_path / "m.narrows"
    assert run("fit", folder / "iris.csv", "--out", out, *given, "--json") == 0
    found = json.loads(capsys.readouterr().out)["tuning"]
    assert found["folds"] == 5
    assert found["candidates"] == 3, "what is given is no candidate"
    model = load(out)[-1]
    assert type(model) is narrows.AutoencoderCV
    assert model.get_params()["learning_rate"] == 0.01
    assert found["steps"] == model.best_steps_
    assert found["held_out_error_of_pca"] == pytest.approx(model.curve_["error"].iloc[0])
    assert found["held_out_error"] <= found["held_out_error_of_pca"]


@pytest.mark.parametrize("option", [["--fast"], ["--patience", "3"], ["--restarts", "2"]])
def test_plain_trainings(tmp_path, capsys, folder, option):
    given = ["--label", "Species", "--encoder", "6", "--loss", "mae", "--batch-size", "64"]
    out = tmp_path / "m.narrows"
    assert run("fit", folder / "iris.csv", "--out", out, *given, *option, "--json") == 0
    assert json.loads(capsys.readouterr().out)["tuning"] is None
    model = load(out)[-1]
    assert type(model) is narrows.Autoencoder
    assert (model.loss, model.batch_size) == ("mae", 64)


def test_fit_learns_the_label_beside_the_rows(tmp_path, capsys, folder):
    given = ["--label", "Species", "--encoder", "6", "--learning-rate", "0.01", "--noise", "0.1"]
    out, iris = tmp_path / "m.narrows", folder / "iris.csv"
    assert run("fit", iris, "--out", out, *given, "--label-weight", "auto", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["classes"] == ["setosa", "versicolor", "virginica"]
    assert found["tuning"]["candidates"] == 12, "six weights of labels"
    assert found["tuning"]["held_out_score"] > 0.2
    rows = read_table(iris)
    model = load(out)
    assert "Species" not in model.feature_names_in_
    assert (model.predict(rows.drop(columns="Species")) == rows["Species"]).mean() > 0.8


def test_a_plain_fit_learns_the_label_too(tmp_path, capsys, folder):
    given = ["--label", "Species", "--encoder", "6", "--epochs", "20", "--label-weight", "2"]
    out = tmp_path / "m.narrows"
    assert run("fit", folder / "iris.csv", "--out", out, *given, "--json") == 0
    assert "label" in json.loads(capsys.readouterr().out)["measures"]
    assert hasattr(load(out), "predict_proba")
