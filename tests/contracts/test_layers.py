"""The layout's rule, read from the import statements: the data's way goes in one direction."""

import ast
from dataclasses import dataclass
from pathlib import Path

import pytest

import narrows

ROOT = Path(narrows.__file__).parent
STAGES = [
    "data", "networks", "objectives", "training", "quality", "embedders", "comparison", "plots",
    "report",
]  # fmt: skip
EDGES = ["storage", "export", "scale", "cli"]
FOR_ALL = {
    "_backend", "_checks", "_errors", "_files", "_forks", "_keras", "_progress", "_session",
    "_version",
}  # fmt: skip
# The methods in which a result may call on what draws it.
SHOWN_BY = {"plots": {"plot"}, "report": {"to_html", "_repr_html_"}}
# Which part alone may import a library; None for no part at all.
OWNERS = {
    "plotnine": "plots",
    "jinja2": "report",
    "h5py": "storage",
    "typer": "cli",
    "ydf": "comparison",
    "keras": "_keras",
    "onnx": "export",
    "onnxruntime": "export",
    "dask": "scale",
    "tensorflow": None,
    "torch": None,
}


@dataclass(frozen=True)
class Import:
    """One name that a file imports, and the function the statement stands in."""

    name: str
    function: str
    line: int


class _Reader(ast.NodeVisitor):
    def __init__(self, package: str):
        self.package = package
        self.found: list[Import] = []
        self.functions = [""]

    def visit_FunctionDef(self, node):
        self.functions.append(node.name)
        self.generic_visit(node)
        self.functions.pop()

    def _add(self, name, node):
        self.found.append(Import(name, self.functions[-1], node.lineno))

    def visit_Import(self, node):
        for alias in node.names:
            self._add(alias.name, node)

    def visit_ImportFrom(self, node):
        base = node.module or ""
        if node.level:
            parents = self.package.split(".")[: -node.level + 1 or None]
            base = ".".join([*parents, base]).rstrip(".")
        for alias in node.names:
            self._add(f"{base}.{alias.name}", node)

    def visit_Attribute(self, node):
        # ``keras.src`` needs no import of its own.
        if node.attr == "src" and isinstance(node.value, ast.Name) and node.value.id == "keras":
            self._add("keras.src", node)
        self.generic_visit(node)

    def visit_Call(self, node):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else None
        called = node.func.id if isinstance(node.func, ast.Name) else called
        if called in {"import_module", "__import__"}:
            argument = node.args[0] if node.args else None
            self._add(_written(argument), node)
        self.generic_visit(node)


def _written(argument) -> str:
    """The name that is imported, of which an f-string may write the beginning."""
    if isinstance(argument, ast.JoinedStr) and isinstance(argument.values[0], ast.Constant):
        begins = argument.values[0].value
        return f"{begins}<computed>" if begins.count(".") > 1 else "<computed>"
    return argument.value if isinstance(argument, ast.Constant) else "<computed>"


def part_of(path: str) -> str:
    """``plots/_theme.py`` → plots; ``_files.py`` → _files."""
    return path.split("/")[0].removesuffix(".py")


def part_named(name: str) -> str:
    """The part a name comes from: ``narrows.PCA`` → embedders, ``narrows.data.iris`` → data."""
    inner = name.split(".")[1] if "." in name else "__init__"
    inner = "_version" if inner == "__version__" else inner
    return narrows._HOMES.get(inner) or inner


def breaches(path: str, source: str) -> list[str]:
    """What a file at a path inside the package imports and should not."""
    part = part_of(path)
    if part == "__init__":  # the public names, loaded when they are used
        return []
    reader = _Reader(".".join(["narrows", *path.split("/")[:-1]]))
    reader.visit(ast.parse(source))
    return [
        f"{path}:{found.line} imports {found.name}: {reason}"
        for found in reader.found
        if (reason := _objection(part, found))
    ]


def _objection(part: str, found: Import) -> str | None:
    library = found.name.split(".")[0]
    if library != "narrows":
        if library == "<computed>":
            return "a computed name cannot be checked"
        if library in OWNERS and part != OWNERS[library]:
            return f"only {OWNERS[library] or 'nobody'} imports {library}"
        return None
    target = part_named(found.name)
    if target == part or target in FOR_ALL:
        return None
    if any(name.startswith("_") for name in found.name.split(".")[2:]):
        return f"private to {target}, which exports what others need"
    # A result shows itself; figures and pages know results, or frames, and no result knows them.
    if target in SHOWN_BY and found.function in SHOWN_BY[target] and part in STAGES:
        return None
    if part == "datasets":
        return None if target == "data" else "the facade shows data only"
    if part in FOR_ALL:
        return "what all may import imports nothing of the package"
    if part in STAGES:
        earlier = STAGES[: STAGES.index(part)]
        return None if target in earlier else f"{part} imports earlier stages only: {earlier}"
    if part in EDGES:
        # The command line is a user of the package: it may say ``import narrows`` itself.
        allowed = {*STAGES, "datasets"} | ({*EDGES, "__init__"} if part == "cli" else set())
        return None if target in allowed else f"{part} imports stages only"
    return "no such part is known"


FILES = sorted(file.relative_to(ROOT).as_posix() for file in ROOT.rglob("*.py"))


def test_there_are_files_to_read():
    assert {part_of(file) for file in FILES} >= {*STAGES, "storage", "datasets", *FOR_ALL}


@pytest.mark.parametrize("file", FILES)
def test_imports_follow_the_layout(file):
    assert breaches(file, (ROOT / file).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("data/_x.py", "from narrows.embedders import PCA"),
        ("data/_x.py", "from narrows import PCA"),
        ("data/_x.py", "from ..embedders import PCA"),
        ("training/_x.py", "def f():\n    import narrows.embedders._pca"),
        ("embedders/_x.py", "def draw():\n    from narrows.plots import history"),
        ("embedders/_x.py", "from narrows.plots import history"),
        ("comparison/_x.py", "class R:\n    def plot(self):\n        from narrows.report import r"),
        ("comparison/_x.py", "from narrows.report import render"),
        ("embedders/_x.py", "if True:\n    from narrows import plots"),
        ("report/_x.py", "from narrows.storage import save_weights_hdf5"),
        ("report/_x.py", "from narrows import save_weights_hdf5"),
        ("storage/_x.py", "from narrows.cli import main"),
        ("export/_x.py", "import narrows.storage"),
        ("plots/_x.py", "import narrows"),
        ("datasets.py", "from narrows.embedders import PCA"),
        ("_files.py", "from narrows.data import iris"),
        ("embedders/_x.py", "from narrows.data._matrix import to_matrix"),
        ("embedders/_x.py", "from narrows.data import _matrix"),
        ("embedders/_x.py", "import narrows.data.reading._text"),
        ("cli/_x.py", "from narrows.data.reading._form import Form"),
        ("extras/_x.py", "from narrows.data import iris"),
        ("report/_x.py", "from plotnine import aes"),
        ("plots/_x.py", "import jinja2"),
        ("networks/_x.py", "import h5py"),
        ("storage/_x.py", "import typer"),
        ("embedders/_x.py", "import ydf"),
        ("training/_x.py", "import keras"),
        ("training/_x.py", "from keras.src.backend import common"),
        ("training/_x.py", "from narrows._keras import keras\nkeras.src.backend"),
        ("cli/_x.py", "import torch"),
        ("data/_x.py", "from importlib import import_module\nimport_module('narrows.cli')"),
        ("data/_x.py", "from importlib import import_module\nimport_module(f'narrows.{x}')"),
        ("data/_x.py", "from importlib import import_module\nimport_module(f'narrows.cli.{x}')"),
    ],
)
def test_a_breach_is_found(file, line):
    assert len(breaches(file, line)) == 1


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("embedders/_x.py", "from narrows.training import train\nfrom narrows import _files"),
        ("embedders/_x.py", "class R:\n    def plot(self):\n        from narrows.plots import h"),
        ("comparison/_x.py", "class R:\n    def to_html(self):\n        import narrows.report"),
        ("report/_x.py", "from narrows import plots, PCA\nfrom ._cells import cells"),
        (
            "cli/_x.py",
            "import typer\nfrom narrows.storage import x\nfrom narrows import __version__",
        ),
        ("storage/_x.py", "import h5py\nfrom narrows.embedders import PCA"),
        ("_keras.py", "import keras\nfrom keras.src.backend import common"),
        ("__init__.py", "from narrows.storage import x"),
    ],
)
def test_what_is_allowed_passes(file, line):
    assert breaches(file, line) == []
