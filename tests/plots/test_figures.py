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


def curve_frame(first=2.0):
    errors = np.array([first, first - 0.5, first - 1.0])
    return pd.DataFrame(
        {
            "step": [0, 10, 20], "error": errors, "standard_error": [0, 0.1, 0.2],
            "chosen": [False, False, True],
        }
    )  # fmt: skip


def test_a_held_out_curve_is_in_percent_of_its_start():
    figure = plots.held_out_curve(curve_frame(), loss="mse")
    assert figure.data["away"].tolist() == [0, -25, -50]
    assert figure.data["high"].tolist() == [0, -20, -40]
    assert figure.labels.y == "held-out error minus that of PCA, %"
    shown = " ".join(texts(figure))
    assert "dashed: PCA, 2 mse" in shown
    assert "chosen, 20 steps, -50 %" in shown
    kept = curve_frame().assign(chosen=[True, False, False])
    assert "no step, which is PCA" in " ".join(texts(plots.held_out_curve(kept)))


def test_a_held_out_curve_from_an_error_that_is_not_positive():
    figure = plots.held_out_curve(curve_frame(0.0), "the start", "cosine_similarity")
    assert figure.data["away"].tolist() == [0, -0.5, -1]
    assert figure.labels.y == "held-out error minus that of the start, cosine_similarity"
    with pytest.raises(ValueError, match="must have a row for the start"):
        plots.held_out_curve(curve_frame().iloc[:0])
    with pytest.raises(ValueError, match="lacks the column"):
        plots.held_out_curve(curve_frame().drop(columns="chosen"))


def results(count=3):
    params = np.empty(count, dtype=object)
    params[:] = [{"learning_rate": 0.1 * n, "noise": 0.0} for n in range(count)]
    means = -np.arange(1.0, count + 1)[::-1]
    return {
        "params": params, "mean_test_score": means, "split0_test_score": means - 0.5,
        "split1_test_score": means + 0.5, "steps": np.full(count, 250),
    }  # fmt: skip


def test_candidates_have_the_best_on_top_and_the_chosen_marked():
    figure = plots.candidates(results(), {"learning_rate": 0.1, "noise": 0.0})
    names = ["learning_rate 0.2, 250 steps", "learning_rate 0.1, 250 steps ★",
             "learning_rate 0, 250 steps"]  # fmt: skip
    assert figure.data["candidate"].tolist() == names
    assert figure.data["error"].tolist() == [1, 2, 3]
    assert figure.data["low"].tolist() == [0.5, 1.5, 2.5]
    assert set(names) <= set(texts(figure))


def test_many_candidates_are_cut_and_lost_ones_left_out():
    found = results(40)
    found["mean_test_score"][:2] = np.nan
    figure = plots.candidates(found)
    assert len(figure.data) == 30
    assert "the best 30 of 40" in figure.labels.caption
    found["mean_test_score"][:] = np.nan
    with pytest.raises(ValueError, match="must have a finite error"):
        plots.candidates(found)


def test_a_front_has_errors_against_scores():
    found = results(4)
    for one, weight in zip(found["params"], [0.0, 0.3, 1.0, 3.0], strict=True):
        one["label_weight"] = weight
    found["mean_test_label"] = np.array([0.5, 0.6, np.nan, 0.9])
    figure = plots.front(found, found["params"][1], "mse")
    assert figure.data["error"].tolist() == [4, 3, 1]
    assert figure.data["score"].tolist() == [0.5, 0.6, 0.9]
    assert figure.data["chosen"].tolist() == [False, True, False]
    assert {"0", "0.3", "3"} <= set(texts(figure))
    with pytest.raises(ValueError, match="mean_test_label"):
        plots.front(results(4))
    found["mean_test_label"][:] = np.nan
    with pytest.raises(ValueError, match="finite error and score"):
        plots.front(found)


def width_frame(smallest=0.01, unseen=2.0):
    error = np.array([1.0, smallest])
    return pd.DataFrame(
        {
            "bottleneck": [1, 2], "error": error, "low": error - 0.02, "high": error + 0.02,
            "pca_error": 2 * error, "pca_low": error, "pca_high": 3 * error,
            "cell_error": unseen * error, "chosen": [False, True],
        }
    )  # fmt: skip


def test_widths_have_a_panel_for_unseen_cells_and_a_band_for_the_dimension():
    from narrows.quality import IntrinsicDimension

    tidy = plots._tuning.tidy_widths(width_frame())
    unseen = tidy[tidy["panel"] == "of unseen cells: what the choice goes by"]
    assert unseen["error"].tolist() == [2, 0.02, 4, 0.04]
    assert unseen["high"].tolist() == pytest.approx([2.04, 0.06, 6, 0.06])
    figure = plots.widths(width_frame(), IntrinsicDimension(1.6, 1.2, 2.1, 0.95, 50), "mse")
    assert any("Log10" in str(type(one)) or "log10" in str(type(one)) for one in figure.scales)
    assert (figure.data["low"] > 0).all()
    shown = " ".join(texts(figure))
    for said in (
        "autoencoder",
        "PCA",
        "the chosen width, 2",
        "intrinsic dimension of the rows, 1.6",
    ):
        assert said in shown


def test_widths_without_unseen_cells_have_one_panel_and_near_errors_no_logarithm():
    figure = plots.widths(width_frame(0.5, np.nan))
    assert list(figure.data["panel"].cat.categories) == ["held-out error"]
    assert not any("log10" in str(type(one)) for one in figure.scales)
    assert "intrinsic" not in " ".join(texts(figure))
    without = width_frame().assign(pca_error=np.nan)
    assert len(plots.widths(without).data) == 4
    with pytest.raises(ValueError, match="must have a finite error"):
        plots.widths(without.assign(error=np.nan))
    with pytest.raises(ValueError, match="lacks the column"):
        plots.widths(width_frame().drop(columns="cell_error"))
