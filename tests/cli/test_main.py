"""What all commands share: help, examples, versions, completion, and how they end."""

import ast
import errno
import inspect
import json
import os
import re
import subprocess
import sys
import textwrap

import numpy as np
import pandas as pd
import pytest
from typer.main import get_command

import narrows
from narrows.cli import _main, main
from narrows.cli.commands import _compare
from narrows.cli.iris import _command as iris_command

COMMANDS = get_command(_main.app).commands
EXAMPLE = re.compile(r"^ *Example: narrows (.+)$", re.M)
PROGRAM = [sys.executable, "-c", "from narrows.cli import main; main()"]
CHEAP = {
    "fit": ["--epochs", "2", "--encoder", "6"],
    "width": ["--epochs", "2", "--encoder", "6"],
    "compare": ["--epochs", "2", "--encoder", "6", "--seeds", "1", "--preprocess", "none",
                "--controls", "random"],
}  # fmt: skip


def run(*arguments):
    """Run a command in this process; return its exit code."""
    with pytest.raises(SystemExit) as stop:
        main([os.fspath(argument) for argument in arguments])
    return stop.value.code or 0


def shown_help(name, capsys):
    assert run(name, "--help") == 0
    return capsys.readouterr().out


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """A folder with what the examples speak of."""
    folder = tmp_path_factory.mktemp("work")
    table = narrows.datasets.iris().iloc[::3]
    table.to_csv(folder / "iris.csv", index=False)
    rng = np.random.default_rng(0)
    numbers = pd.DataFrame(rng.normal(size=(40, 3)), columns=list("aby"))
    numbers.to_csv(folder / "d.csv", index=False)
    rows = table.drop(columns="Species")
    model = narrows.Autoencoder(encoder=(6,), epochs=1, random_state=0).fit(rows)
    narrows.save(model, folder / "iris.narrows")
    return folder


def test_plain_help_imports_nothing_heavy():
    heavy = ["keras", "jax", "sklearn", "pandas", "h5py", "scipy", "plotnine", "jinja2"]
    code = (
        "import sys\nfrom narrows.cli import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit as stop:\n    assert stop.code == 0\n"
        f"print([name for name in {heavy} if name in sys.modules], file=sys.stderr)"
    )
    for arguments in (["--help"], ["compare", "--help"]):
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
        )
        assert done.stderr == "[]\n"
        assert "Usage: narrows" in done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_an_example_that_can_be_copied(name, capsys):
    text = shown_help(name, capsys)
    examples = EXAMPLE.findall(text)
    assert examples
    wanted = EXAMPLE.findall(inspect.getdoc(COMMANDS[name].callback))
    assert examples == wanted, "broken over two lines of a terminal of 80 columns"
    assert all(example.split()[0] == name for example in examples)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_has_help_and_is_used(name):
    function = COMMANDS[name].callback
    definition = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    read = {
        node.id
        for statement in definition.body
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    assert set(inspect.signature(function).parameters) - read == set()
    assert [p.name for p in COMMANDS[name].params if not p.help] == []


def test_options_that_every_command_of_a_kind_has():
    options = {name: {o for p in c.params for o in p.opts} for name, c in COMMANDS.items()}
    assert [name for name in options if "--json" not in options[name]] == []
    quiet = [name for name in options if "--quiet" in options[name]]
    assert quiet == ["iris", "fit", "embed", "reconstruct", "compare", "width"]


@pytest.mark.long
@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "iris"])
def test_examples_run(name, work, tmp_path, capsys, monkeypatch):
    for source in work.iterdir():
        (tmp_path / source.name).write_bytes(source.read_bytes())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(_compare, "_write", lambda *_: None)  # pages have tests of their own
    for example in EXAMPLE.findall(inspect.getdoc(COMMANDS[name].callback)):
        given = example.split()
        assert run(*given, *_cheap(name, given)) == 0, capsys.readouterr().err
        assert capsys.readouterr().out


def _cheap(name, given):
    """Options that make a command quick, without those that make no sense beside an example's."""
    found = list(CHEAP.get(name, []))
    no_network = "--arms" in given and "autoencoder" not in given[given.index("--arms") + 1]
    tuned = "--label-weight" in given and "auto" in given
    for option in ["--epochs", "--encoder"] * no_network + ["--epochs"] * tuned:
        place = found.index(option)
        del found[place : place + 2]
    return found


def test_examples_of_iris_reach_it(tmp_path, monkeypatch):
    seen = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(iris_command, "_run", lambda *given: seen.append(given))
    for example in EXAMPLE.findall(inspect.getdoc(COMMANDS["iris"].callback)):
        assert run(*example.split()) == 0
    assert [os.fspath(given[0]) for given in seen] == ["narrows-iris", "iris-report"]


def test_versions_and_device(capsys):
    assert run("--version") == 0
    lines = capsys.readouterr().out.splitlines()
    names = ["narrows", "Python", "Keras", "JAX", "device"]
    assert [line.split()[0] for line in lines] == names
    assert all(re.fullmatch(r"\w+ \d+\.\d\S*", line) for line in lines[:-1])
    assert re.fullmatch(r"device (CPU \(\d+ cores\)|(GPU|TPU) \(\d+ x .+\))", lines[-1])


def test_a_device_that_is_not_there():
    environment = {**os.environ, "JAX_PLATFORMS": "no_such_platform"}
    done = subprocess.run(
        [*PROGRAM, "--version"], capture_output=True, text=True, env=environment, check=True
    )
    assert "device none: " in done.stdout
    assert "no_such_platform" in done.stdout


@pytest.mark.parametrize(
    ("shell", "words"),
    [
        ("bash", {"COMP_WORDS": "narrows in", "COMP_CWORD": "1"}),
        ("zsh", {"_TYPER_COMPLETE_ARGS": "narrows in"}),
        ("fish", {"_TYPER_COMPLETE_ARGS": "narrows in", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}),
    ],
)
def test_completion(shell, words):
    """The script that a shell reads, and what the script then asks for."""

    def asked(**variables):
        environment = {**os.environ, **variables}
        done = subprocess.run(PROGRAM, capture_output=True, text=True, env=environment, check=False)
        assert done.stderr == ""
        return done.stdout

    script = asked(_NARROWS_COMPLETE=f"source_{shell}")
    assert f"_NARROWS_COMPLETE=complete_{shell}" in script
    assert "inspect" in asked(_NARROWS_COMPLETE=f"complete_{shell}", **words)


def test_show_completion_names_the_program(monkeypatch, capsys):
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    assert run("--show-completion", "bash") == 0
    assert "_NARROWS_COMPLETE=complete_bash" in capsys.readouterr().out


def test_install_completion_writes_the_script(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    monkeypatch.setenv("HOME", os.fspath(tmp_path))
    monkeypatch.setenv("USERPROFILE", os.fspath(tmp_path))
    assert run("--install-completion", "bash") == 0
    assert "completion installed" in capsys.readouterr().out
    written = [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    assert any("_NARROWS_COMPLETE=complete_bash" in text for text in written)


def test_a_fault_of_ours_exits_1_with_traceback_and_sentence(work, tmp_path, capsys, monkeypatch):
    def broken(*arguments, **more):
        raise TypeError("a mistake of ours")

    monkeypatch.setattr(narrows.AutoencoderCV, "fit", broken)
    assert run("fit", work / "iris.csv", "--out", tmp_path / "m.narrows") == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("Traceback")
    assert lines[-2] == "TypeError: a mistake of ours"
    assert lines[-1].startswith("narrows: this is a fault of narrows, not of your input.")


def test_ctrl_c_says_what_is_left(work, tmp_path, capsys, monkeypatch):
    def stopped(*arguments, **more):
        raise KeyboardInterrupt

    monkeypatch.setattr("narrows.storage.load", stopped)
    model, table = work / "iris.narrows", work / "iris.csv"
    assert run("embed", model, table, "--out", tmp_path / "z.csv") == 130
    assert capsys.readouterr().err == "narrows: interrupted; no file was changed.\n"
    monkeypatch.setattr(iris_command, "_run", stopped)
    assert run("iris", "--out", tmp_path / "f") == 130
    assert "has so far stays" in capsys.readouterr().err


def full(*arguments, **more):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("name", ["fit", "embed", "reconstruct", "compare"])
def test_a_full_disk_is_one_sentence_and_leaves_the_old_file(
    name, work, tmp_path, capsys, monkeypatch
):
    kind = {"fit": "narrows", "compare": "json"}.get(name, "csv")
    out = tmp_path / f"out.{kind}"
    out.write_text("old")
    label = ["--label", "Species"] if name in ("fit", "compare") else []
    model = [work / "iris.narrows"] if name in ("embed", "reconstruct") else []
    monkeypatch.setattr(os, "fsync", full)
    quick = ["--probe", "neighbours", "--resampling", "3x1"] if name == "compare" else []
    given = [name, *model, work / "iris.csv", *label, *CHEAP.get(name, []), *quick, "--out", out]
    assert run(*given) == 2
    sentence = capsys.readouterr().err
    assert sentence == (
        f"narrows: Cannot read or write {os.fspath(out)!r}: No space left on device. "
        "Free some space, or write elsewhere.\n"
    )
    assert out.read_text() == "old"
    assert os.listdir(tmp_path) == [out.name]


def test_a_full_disk_that_nobody_expected(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(iris_command, "_run", full)
    assert run("iris", "--out", tmp_path) == 2
    sentence = capsys.readouterr().err
    assert sentence.startswith("narrows: Cannot read or write a file: No space left")
    assert sentence.count("\n") == 1


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")
@pytest.mark.parametrize("arguments", [["inspect", "iris.narrows"], ["--help"]])
def test_stdout_on_a_full_disk(work, arguments):
    with open("/dev/full", "w") as nowhere:
        done = subprocess.run(
            [*PROGRAM, *arguments], cwd=work, stdout=nowhere, stderr=subprocess.PIPE, text=True,
            check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert "No space left on device." in done.stderr
    assert done.stderr.startswith("narrows: Cannot ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("name", ["embed", "reconstruct"])
def test_files_that_are_not_there_bring_near_names(name, work, tmp_path, capsys):
    out = ["--out", tmp_path / "z.csv"]
    assert run(name, work / "iris.narows", work / "iris.csv", *out) == 2
    assert "Did you mean 'iris.narrows'" in capsys.readouterr().err
    assert run(name, work / "iris.narrows", work / "irs.csv", *out) == 2
    assert "Did you mean 'iris.csv'" in capsys.readouterr().err
    assert run(name, work / "none" / "m.narrows", work / "iris.csv", *out) == 2
    assert "There is no folder" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["inspect", "export"])
def test_models_that_are_not_there_bring_near_names(name, work, tmp_path, capsys):
    rest = ["--onnx", tmp_path / "m.onnx"] if name == "export" else []
    assert run(name, work / "iris.narows", *rest) == 2
    assert "Did you mean 'iris.narrows'" in capsys.readouterr().err


def test_an_empty_table(work, tmp_path, capsys):
    (tmp_path / "t.csv").write_text("")
    for arguments in (["fit"], ["embed", work / "iris.narrows"], ["compare"]):
        label = ["--label", "x"] if arguments[0] == "compare" else []
        out = [] if label else ["--out", tmp_path / ("m.narrows", "z.csv")[len(arguments) - 1]]
        assert run(*arguments, tmp_path / "t.csv", *label, *out) == 2
        assert "It is empty (0 bytes)" in capsys.readouterr().err


def test_json_knows_no_nan():
    from narrows.cli._results import _plain

    given = {"a": [np.float32("nan"), np.int64(3), 1.5], "b": (np.bool_(True), None, "x")}
    assert (
        json.dumps(_plain(given), allow_nan=False)
        == '{"a": [null, 3, 1.5], "b": [true, null, "x"]}'
    )


@pytest.fixture
def odd_csv(tmp_path):
    """A table that needs three options: groups of digits, a sign for gaps, codes."""
    path = tmp_path / "odd.csv"
    lines = [f'"{n},500.5",{"?" if n % 3 else n},0{n % 4},{"ab"[n % 2]}' for n in range(1, 25)]
    path.write_text("\n".join(["price,size,code,label", *lines]))
    return path


def test_options_of_text_reach_the_model(odd_csv, tmp_path, capsys):
    out, options = tmp_path / "m.narrows", ["--thousands", ",", "--na", "?", "--text", "code"]
    assert run("fit", odd_csv, "--label", "label", *options, *CHEAP["fit"], "--out", out) == 0
    assert "warning" not in capsys.readouterr().err
    kinds = [one.kind for one in narrows.load(out)[0].encodings_]
    assert kinds == ["number", "number", "text"]
    for command in ("embed", "reconstruct"):
        more = ["--thousands", ",", "--na", "?", "--out", tmp_path / "z.csv"]
        assert run(command, out, odd_csv, *more) == 0
    assert run("export", out, "--onnx", tmp_path / "m.onnx", "--rows", odd_csv, *options[:4]) == 0
    capsys.readouterr()
    quick = ["--probe", "neighbours", "--resampling", "2x1"]
    assert run("compare", odd_csv, "--label", "label", *options, *CHEAP["compare"], *quick) == 0


def test_what_is_read_otherwise_is_warned_of(odd_csv, tmp_path, capsys):
    out = tmp_path / "m.narrows"
    assert run("fit", odd_csv, "--label", "label", *CHEAP["fit"], "--out", out) == 0
    said = capsys.readouterr().err
    for part in ("with thousands=','", "first '01' in row 0", "--text on the command line"):
        assert part in said
    assert run("fit", odd_csv, "--text", "cod", "--out", out) == 2
    assert "There is no 'cod' (did you mean 'code'?)" in capsys.readouterr().err


def test_more_than_fits_into_memory(monkeypatch, work, tmp_path, capsys):
    def fit(*_, **__):
        raise MemoryError("Unable to allocate 14.9 GiB")

    monkeypatch.setattr(narrows.data.TablePreprocessor, "fit", fit)
    assert run("fit", work / "iris.csv", "--out", tmp_path / "m.narrows") == 2
    said = capsys.readouterr().err
    assert said.startswith("narrows: The work must fit into memory. There is not enough: Unable")
    assert said.count("\n") == 1


@pytest.mark.long
def test_a_closed_stdout(odd_csv, tmp_path):
    out = tmp_path / "m.narrows"
    command = [*PROGRAM, "fit", odd_csv, "--label", "label", *CHEAP["fit"], "--out", out]
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", *map(os.fspath, command)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert out.exists()
