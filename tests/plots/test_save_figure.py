"""Saving: the same bytes, nothing global touched, old files safe."""

import os
import subprocess
import sys

import matplotlib
import pandas as pd
import pytest

from narrows import plots
from narrows._files import replace_file


@pytest.fixture
def figure():
    frame = pd.DataFrame({"epoch": [1, 2, 3], "loss": [3.0, 2.0, 1.5], "val_loss": [3.0, 2.5, 2.0]})
    return plots.history(frame)


def test_the_same_figure_gives_the_same_bytes(figure, tmp_path):
    first = [path.read_bytes() for path in plots.save_figure(figure, tmp_path / "a", "history")]
    second = [path.read_bytes() for path in plots.save_figure(figure, tmp_path / "b", "history")]
    assert first == second
    assert first[1].decode() == plots.figure_svg(figure)


def test_jitter_is_the_same_every_time():
    rows = {"arm": "pca", "preprocess": "none", "accuracy": [0.9] * 20}
    svgs = [plots.figure_svg(plots.scores(pd.DataFrame(rows))) for _ in range(2)]
    assert svgs[0] == svgs[1]


def test_png_is_150_dpi_and_svg_has_no_date(figure, tmp_path):
    png, svg = plots.save_figure(figure, tmp_path / "new" / "folder", "history")
    assert (png.name, svg.name) == ("history.png", "history.svg")
    width = int.from_bytes(png.read_bytes()[16:20], "big")
    assert width == 7 * 150
    assert "<dc:date>" not in svg.read_text("utf-8")


def test_no_setting_no_backend_and_no_open_figure_stay_behind(tmp_path):
    code = (
        "import sys, matplotlib, pandas as pd\n"
        "from narrows import plots\n"
        "matplotlib.rcParams['font.size'] = 13.5\n"
        # Merely reading the backend would choose one.
        "names = [name for name in matplotlib.rcParams if name != 'backend']\n"
        "before = {name: matplotlib.rcParams[name] for name in names}\n"
        "frame = pd.DataFrame({'epoch': [1, 2], 'loss': [2.0, 1.0]})\n"
        f"plots.save_figure(plots.history(frame), {str(tmp_path)!r}, 'h')\n"
        "assert matplotlib.get_backend(auto_select=False) is None, 'a backend was chosen'\n"
        "assert before == {name: matplotlib.rcParams[name] for name in names}\n"
        "import matplotlib.pyplot as plt\n"
        "assert plt.get_fignums() == []\n"
    )
    environment = {key: value for key, value in os.environ.items() if key != "MPLBACKEND"}
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, env=environment)


def test_settings_survive_a_failure(figure):
    before = dict(matplotlib.rcParams)
    from plotnine import aes, geom_point

    with pytest.raises(Exception, match="nowhere"):
        plots.figure_svg(figure + geom_point(aes(x="nowhere")))
    assert dict(matplotlib.rcParams) == before


def test_old_file_survives_a_failing_write(tmp_path, monkeypatch):
    target = tmp_path / "page.html"
    target.write_bytes(b"old")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        replace_file(target, b"new")
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["page.html"]


def test_importing_plots_and_report_loads_no_heavy_library():
    code = (
        "import sys, narrows.plots, narrows.report\n"
        "heavy = {'plotnine', 'matplotlib', 'jinja2', 'pandas'} & set(sys.modules)\n"
        "sys.exit(', '.join(sorted(heavy)) or 0)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, f"imported: {result.stderr}"
