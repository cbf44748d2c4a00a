"""Every figure draws, warns of nothing, and shows the levels it was given."""

import numpy as np
import pandas as pd
import pytest

from narrows import plots
from narrows.comparison import Answer, measure_named
from narrows.plots._history import tidy_history

HOSTILE = "<script>alert('$x^$')</script>"  # mathematics that matplotlib could not parse


def history_frame(restarts=1, epochs=6, columns=("loss", "val_loss", "accuracy", "val_accuracy")):
    rows = []
    for restart in range(restarts):
        for epoch in range(1, epochs + 1):
            values = dict.fromkeys(columns, 1 / epoch + 0.1 * restart)
            rows.append({"restart": restart, "epoch": epoch, **values})
    return pd.DataFrame(rows)


def embedding_frame(species=("setosa", "versicolor", "virginica")):
    rng = np.random.default_rng(0)
    labels = list(species) * 8
    parts = [
        pd.DataFrame(rng.normal(size=(len(labels), 2)), columns=["dim_1", "dim_2"]).assign(
            data_origin=origin, Species=labels
        )
        for origin in ("pca", "embedded_points")
    ]
    return pd.concat(parts, ignore_index=True)


def score_frame():
    rows = [
        {"arm": arm, "preprocess": way, "resample": number, "accuracy": 0.9 + 0.01 * number}
        for arm in ("z_arm", "a_arm")
        for way in ("none", "standardize")
        for number in range(4)
    ]
    frame = pd.DataFrame(rows)
    return frame.assign(kappa=frame["accuracy"] - 0.1)


def flowers(shift=0.0):
    rng = np.random.default_rng(1)
    return pd.DataFrame(
        {"Petal.Length": rng.uniform(1, 7, 12) + shift, "Sepal.Width": rng.uniform(2, 4.5, 12)}
    )


def texts(figure):
    """All text of the drawn figure, whether or not it survives as text in the SVG."""
    from matplotlib.text import Text

    found = []
    drawn = plots._save._off_screen(figure).draw()
    for text in drawn.findobj(Text):
        found.append(text.get_text())
    return found


@pytest.mark.parametrize("restarts", [1, 5])
def test_history_has_a_facet_per_measure_and_a_curve_per_restart_and_set(restarts):
    frame = history_frame(restarts)
    tidy = tidy_history(frame)
    assert list(tidy["measure"].cat.categories) == ["loss", "accuracy"]
    assert tidy["curve"].nunique() == 4 * restarts
    shown = texts(plots.history(frame))
    assert {"loss", "accuracy", "training", "validation"} <= set(shown)


@pytest.mark.parametrize("columns", [("loss",), ("loss", "val_loss"), ("loss", "accuracy")])
def test_history_without_validation_or_metrics(columns):
    frame = history_frame(columns=columns).drop(columns="restart")
    shown = texts(plots.history(frame))
    assert ("accuracy" in shown) == ("accuracy" in columns)
    assert "loss" in shown


def test_history_of_one_epoch_draws_points():
    layer = plots.history(history_frame(epochs=1)).layers[0]
    assert type(layer.geom).__name__ == "geom_point"
    assert plots.figure_svg(plots.history(history_frame(epochs=1))).startswith("<?xml")


def test_history_leaves_out_what_is_not_finite():
    frame = history_frame(restarts=2)
    frame.loc[3:5, "loss"] = [np.nan, np.inf, -np.inf]
    assert len(tidy_history(frame)) == 4 * 12 - 3
    plots.figure_svg(plots.history(frame))
    with pytest.raises(ValueError, match="no finite value"):
        plots.history(history_frame(columns=("loss",)).assign(loss=np.nan))


def test_reconstruction_shows_all_rows_with_the_reconstructed_on_top():
    figure = plots.reconstruction(flowers(), flowers(0.1))
    assert [len(layer.geom.data) for layer in figure.layers] == [12, 12]
    assert list(figure.layers[-1].geom.data["origin"].unique()) == ["reconstructed"]
    assert {"original", "reconstructed", "Petal.Length", "Sepal.Width"} <= set(texts(figure))


def test_facets_keep_the_order_of_appearance_and_free_scales():
    figure = plots.embedding_facets(embedding_frame())
    assert list(figure.data["origin"].cat.categories) == ["pca", "embedded_points"]
    assert figure.facet.free == {"x": True, "y": True}
    assert {"pca", "embedded_points", "setosa", "virginica"} <= set(texts(figure))


def test_facets_of_no_points_are_refused():
    with pytest.raises(ValueError, match="at least one embedding with two columns"):
        plots.embedding_facets(embedding_frame().iloc[:0])


def test_intervals_shade_each_facets_own_region():
    def rows(**ropes):
        return [
            Answer(
                "better than the reference", "a", False, "b", preprocess, "forest",
                measure_named("rmse"), difference=0.1, low=0.0, high=0.2, rope=rope,
                verdict="undecided",
            )
            for preprocess, rope in ropes.items()
        ]  # fmt: skip

    regions = plots.intervals(rows(none=5.0, standardize=0.1)).layers[0].geom.data
    assert dict(zip(regions["preprocess"], regions["rope"], strict=True)) == {
        "none": 5.0, "standardize": 0.1
    }  # fmt: skip
    assert len(plots.intervals(rows(none=0.0)).layers) == 3
    plots.figure_svg(plots.intervals(rows(none=5.0, standardize=0.1)))


def test_a_quantity_gets_a_continuous_scale_and_few_numbers_get_classes():
    frame = embedding_frame()
    frame["y"] = np.arange(len(frame)) / 7
    assert "shape" not in plots.embedding_facets(frame, "y").mapping
    frame["y"] = np.arange(len(frame)) % 3
    figure = plots.embedding_facets(frame, "y")
    assert {"0", "1", "2"} <= set(texts(figure))
    assert "shape" in figure.mapping


def test_many_points_become_an_image_in_the_svg():
    few = embedding_frame()
    many = pd.concat([few] * 120, ignore_index=True)
    assert "<image" not in plots.figure_svg(plots.embedding_overlay(few))
    assert "<image" in plots.figure_svg(plots.embedding_overlay(many))


def test_labels_are_shown_as_they_are_and_escaped_in_svg():
    frame = embedding_frame(species=("setosa", HOSTILE, None)).rename(columns={"Species": HOSTILE})
    figure = plots.embedding_facets(frame, HOSTILE)
    with_math = plots.figure_svg(figure)
    assert texts(figure).count(HOSTILE) == 2  # the legend's title and one key
    assert "(missing)" in texts(figure)
    assert "<script" not in with_math


def test_scores_put_the_first_arm_on_top_and_draw_the_intervals_given():
    frame = score_frame()
    groups = frame.groupby(["arm", "preprocess"])["accuracy"].mean().reset_index(name="mean")
    summary = groups.assign(low=groups["mean"] - 0.05, high=groups["mean"] + 0.2)
    figure = plots.scores(frame, summary)
    drawn = plots._save._off_screen(figure).draw()
    labels = [label.get_text() for label in drawn.axes[0].get_yticklabels()]
    assert labels == ["a_arm", "z_arm"]  # from the bottom up
    assert drawn.axes[0].get_xlim()[1] > 1.1
    assert {"preprocess: none", "preprocess: standardize"} <= set(texts(figure))


def test_scores_of_kappa_without_a_summary():
    figure = plots.scores(score_frame(), measure="kappa")
    assert "Kappa" in texts(figure)
    middle = figure.layers[-1].geom.data
    np.testing.assert_allclose(middle["mean"], 0.815)


@pytest.mark.parametrize(
    ("draw", "lacking"),
    [
        (lambda: plots.history(pd.DataFrame({"loss": [1.0]})), "epoch"),
        (lambda: plots.reconstruction(flowers(), flowers().iloc[:, :1]), "Sepal.Width"),
        (lambda: plots.embedding_overlay(embedding_frame().drop(columns="dim_2")), "dim_2"),
        (lambda: plots.embedding_facets(embedding_frame(), "species"), "species"),
        (lambda: plots.scores(score_frame().drop(columns="arm")), "arm"),
        (lambda: plots.scores(score_frame(), score_frame()), "mean"),
    ],
)
def test_a_missing_column_is_named(draw, lacking):
    with pytest.raises(ValueError, match=f"lacks the column.*'{lacking}'"):
        draw()
