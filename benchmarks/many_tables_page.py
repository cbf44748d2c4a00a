"""The page of ``many_tables.py``: what its results say, as a table and a figure.

Run: ``python benchmarks/many_tables_page.py`` after ``many_tables.py``, which fills the file of
results. The figure goes to docs/figures/many-tables.png.

A table is called ruled by a row if one test row makes up more than a quarter of PCA's test error.
That says nothing about any contestant but PCA, and was settled before the half that is only
reported was run.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from _common import RESULTS, machine, table, write
from _rdatasets import read
from many_tables import CONTESTANTS, LIST, WORSE, chosen, common, known, pca, standardized, summary
from sklearn.model_selection import KFold

FIGURE = Path(__file__).parents[1] / "docs" / "figures" / "many-tables.png"
RULING = 0.25
QUANTILES = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)
NAMES = {
    "cv": "AutoencoderCV", "plain": "Autoencoder", "before": "Autoencoder, default of before",
    "mlp": "MLPRegressor", "kernel-pca": "KernelPCA", "prototype": "prototype",
}  # fmt: skip


def largest_row(X: np.ndarray, bottleneck: int, folds: int) -> float:
    """Return the share of one row in PCA's test error over all folds."""
    errors = []
    for train, test in KFold(folds, shuffle=True, random_state=0).split(X):
        own, new = standardized(X[train], X[test])
        errors.append(((pca(own, new, bottleneck, 1)[0] - new) ** 2).sum(axis=1))
    found = np.concatenate(errors)
    return float(found.max() / found.sum())


def with_shares(results: pd.DataFrame) -> pd.DataFrame:
    """Add each table's largest row."""
    keys = ["package", "item", "bottleneck", "folds"]
    tables = results[keys].drop_duplicates()
    shares = [
        largest_row(read(f"{one.package}/{one.item}"), one.bottleneck, one.folds)
        for one in tables.itertuples()
    ]
    return results.merge(tables.assign(row_share=shares), on=keys)


def spread(results: pd.DataFrame) -> str:
    """Return the ratios' distribution as a Markdown table."""
    rows = []
    for (bottleneck, name), group in results.groupby(["bottleneck", "contestant"]):
        ratios = group["ratio"].fillna(np.inf)
        rows.append([bottleneck, NAMES[name], *(f"{ratios.quantile(q):.3f}" for q in QUANTILES)])
    head = ["dimensions", "contestant", "least", "10 %", "25 %", "median", "75 %", "90 %", "most"]
    return table(head, rows)


def by_size(results: pd.DataFrame) -> str:
    """Return AutoencoderCV's geometric mean by rows and by columns."""
    own = results[results["contestant"] == "cv"]
    rows = []
    for of, bounds in (("rows", (0, 300, 1000, 3000, 10**6)), ("columns", (0, 6, 9, 15, 10**6))):
        place = pd.cut(own[of], bounds)
        for (bottleneck, part), group in own.groupby(["bottleneck", place], observed=True):
            last = "more" if part.right >= 10**6 else f"{part.right:,.0f}"
            ratios = group["ratio"]
            rows.append(
                [bottleneck, f"{part.left + 1:,.0f} to {last} {of}", len(group),
                 f"{np.exp(np.log(ratios).mean()):.3f}", f"{(ratios < 0.9).mean():.0%}"]
            )  # fmt: skip
    head = ["dimensions", "tables of", "how many", "geometric mean", "at least 10 % better"]
    return table(head, sorted(rows, key=lambda row: row[0]))


def above(results: pd.DataFrame) -> str:
    """Return the tables on which AutoencoderCV is worse than PCA by more than 1 %."""
    own = results[(results["contestant"] == "cv") & ~(results["ratio"] <= WORSE)]
    rows = [
        [one.bottleneck, f"{one.package}/{one.item}", f"{one.rows:,}", one.columns,
         f"{one.ratio:.3f}", f"{one.row_share:.0%}"]
        for one in own.sort_values("ratio", ascending=False).itertuples()
    ]  # fmt: skip
    if not rows:
        return "None."
    return table(["dimensions", "table", "rows", "columns", "ratio", "largest row's share"], rows)


def overview(results: pd.DataFrame) -> str:
    """Return what the script prints, in words for a page."""
    found = summary(results)
    rows = [
        [one[0], NAMES[one[1]], one[2], *(f"{cell:.3f}" for cell in one[3:6]), *one[6:8],
         f"{one[8]:.0f}"]
        for one in found.itertuples(index=False)
    ]  # fmt: skip
    head = [
        "dimensions", "contestant", "tables", "geometric mean", "median", "worst", "above 1.01",
        "failed", "seconds a table",
    ]  # fmt: skip
    return table(head, rows)


def draw(results: pd.DataFrame) -> None:
    """Draw AutoencoderCV's ratios over rows and columns."""
    import plotnine as p9

    own = results[results["contestant"] == "cv"].assign(
        ruled=lambda frame: np.where(frame["row_share"] > RULING, "ruled by a row", "other")
    )
    long = own.melt(
        id_vars=["ratio", "bottleneck", "ruled"], value_vars=["rows", "columns"],
        var_name="of", value_name="count",
    )  # fmt: skip
    long["of"] = pd.Categorical(long["of"], ["rows", "columns"])
    long["dimensions"] = long["bottleneck"].map(lambda width: f"{width} dimensions")
    figure = (
        p9.ggplot(long, p9.aes("count", "ratio", color="ruled", shape="ruled"))
        + p9.geom_hline(yintercept=1, linetype="dashed", color="#666666")
        + p9.geom_point(alpha=0.75, size=2)
        + p9.facet_grid("dimensions", "of", scales="free_x")
        + p9.scale_x_log10(labels=lambda values: [f"{value:,.0f}" for value in values])
        + p9.scale_y_log10(breaks=[0.05, 0.1, 0.2, 0.5, 1])
        + p9.scale_color_manual(values={"other": "#0072B2", "ruled by a row": "#D55E00"})
        + p9.labs(x="", y="test error of AutoencoderCV over PCA's", color="", shape="")
        + p9.theme_bw()
        + p9.theme(figure_size=(7, 5), legend_position="top")
    )
    figure.save(FIGURE, dpi=150, verbose=False)


def main() -> None:
    """Write the page and the figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=RESULTS / "many_tables.csv")
    parser.add_argument("--folds", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--no-write", action="store_true")
    options = parser.parse_args()
    results = known(options.results)
    same = (results[["folds", "seeds"]] == [options.folds, options.seeds]).all(axis=1)
    results = results[same & (results["half"] == "report") & (results["contestant"] != "pca")]
    # Of a table that is under way not all contestants are there.
    results = common(results[results["contestant"].isin(list(CONTESTANTS))])
    results = with_shares(results)
    tables = pd.read_csv(LIST)
    counts = []
    for width, group in results.groupby("bottleneck"):
        there = len(group) // group["contestant"].nunique()
        counts.append(f"{there} of {len(chosen(tables, 'report', width, None))} at {width}")
    calm = results[results["row_share"] <= RULING]
    text = "\n\n".join(
        [
            "# On which tables does an autoencoder reconstruct better than PCA?",
            (
                f"{machine(('jax', 'keras', 'scikit-learn'))}. The half of the tables that is only "
                "reported, in a random order, as far as it was run: "
                f"{', '.join(counts)} dimensions. {options.folds} folds, {options.seeds} seed. "
                "Test error over PCA's of the same width; columns standardized."
            ),
            overview(results),
            f"Without the tables that one row rules (more than {RULING:.0%} of PCA's test error):",
            overview(calm),
            "## The distribution",
            spread(results),
            "## By size",
            by_size(results),
            f"## Where AutoencoderCV is worse than PCA by more than {WORSE - 1:.0%}",
            above(results),
        ]
    )
    write("many_tables.md", text, wanted=not options.no_write)
    if not options.no_write:
        draw(results)


if __name__ == "__main__":
    main()
