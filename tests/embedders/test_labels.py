"""Embeddings that learn labels: what they start from, what they predict, what files keep."""

import numpy as np
import onnxruntime
import pandas as pd
import pytest
from scipy import special
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import narrows
from narrows import Autoencoder, AutoencoderCV, LinearAutoencoder
from narrows.embedders.fitting._label_start import StartChooser, label_error
from narrows.embedders.fitting._labels import labels_of_fit
from narrows.embedders.tuning._front import _affordable

SMALL = {"encoder": (8, 6), "epochs": 20, "random_state": 0}
QUICK = {"param_distributions": {"learning_rate": [3e-3]}, "epochs": 8, "cv": 3, "random_state": 0}


@pytest.fixture(name="X", scope="module")
def standardized(measurements):
    return StandardScaler().fit_transform(measurements)


@pytest.fixture(name="y", scope="module")
def species():
    return narrows.datasets.iris()["Species"]


@pytest.fixture(name="taught", scope="module")
def taught_(X, y):
    return Autoencoder(label_weight=1.0, **SMALL).fit(X, y)


# --- what is learned


def test_labels_are_learned_and_rows_given_back(taught, X, y):
    assert (taught.predict(X) == y).mean() > 0.9
    assert list(taught.classes_) == ["setosa", "versicolor", "virginica"]
    assert taught.score(X) > -0.3
    assert {"reconstruction", "label"} <= set(taught.history_.columns)


def test_probabilities_are_those_of_the_linear_model(taught, X):
    a = taught.transform(X).astype(float) @ taught.label_coef_.T + taught.label_intercept_
    np.testing.assert_allclose(taught.predict_proba(X), special.softmax(a, axis=1))


def test_the_history_is_what_the_delivered_model_loses(taught, X, y):
    """The last loss is close to that of the final weights: the head belongs to the network."""
    p = taught.predict_proba(X)[np.arange(len(y)), pd.factorize(y, sort=True)[0]]
    last = taught.history_.iloc[-1]
    assert -np.log(p).mean() == pytest.approx(last["label"], rel=0.1)
    assert -taught.score(X) == pytest.approx(last["reconstruction"], rel=0.1)


def test_numbers_are_predicted_in_their_own_units(X):
    y = 1e5 + 300 * X[:, 3]
    found = Autoencoder(1, label_weight=10.0, **SMALL).fit(X[:, :3], y)
    assert not hasattr(found, "predict_proba")
    error = found.predict(X[:, :3]) - y
    assert (error**2).mean() < 0.2 * y.var()


@pytest.mark.parametrize("loss", ["mse", "huber"])
def test_numbers_with_a_loss_of_their_own(X, loss):
    found = Autoencoder(label_weight=1.0, label_loss=loss, **SMALL).fit(X[:, :3], X[:, 3])
    assert np.corrcoef(found.predict(X[:, :3]), X[:, 3])[0, 1] > 0.9


@pytest.mark.parametrize("kind", [Autoencoder, LinearAutoencoder])
def test_functions_and_linear_networks_learn_labels_too(kind, X, y):
    more = {} if kind is LinearAutoencoder else {"residual": False, "encoder": (8,)}
    found = kind(label_weight=1.0, epochs=60, random_state=0, **more).fit(X, y)
    assert (found.predict(X) == y).mean() > 0.75


def test_without_a_weight_labels_change_nothing(X, y):
    with_labels, without = Autoencoder(**SMALL).fit(X, y), Autoencoder(**SMALL).fit(X)
    assert with_labels.transform(X).tobytes() == without.transform(X).tobytes()
    assert not hasattr(with_labels, "predict")
    assert not hasattr(with_labels, "classes_")


def test_a_second_fit_without_labels_forgets_the_first(X, y):
    found = Autoencoder(label_weight=1.0, **SMALL).fit(X, y)
    found.set_params(label_weight=0.0).fit(X)
    assert not hasattr(found, "predict")


# --- rows without a label


def test_rows_without_a_label_teach_the_reconstruction_only(X, y):
    """Other labels there, in whatever form they are missing, change no bit."""
    codes = pd.factorize(y, sort=True)[0]
    gone = np.arange(len(y)) % 3 == 0
    fits = [
        Autoencoder(label_weight=1.0, **SMALL).fit(X, values)
        for values in (
            np.where(gone, -1, codes),
            np.where(gone, np.nan, codes),
            [None if is_gone else code for code, is_gone in zip(codes, gone, strict=True)],
            pd.Series(codes, dtype="Int64").mask(gone),
        )
    ]
    for one in fits[1:]:
        assert one.transform(X).tobytes() == fits[0].transform(X).tobytes()
    assert list(fits[0].classes_) == [0, 1, 2]


def test_gaps_in_text_are_rows_without_a_label(X, y):
    some = y.astype(object).where(np.arange(len(y)) % 2 == 0, None)
    found = Autoencoder(label_weight=1.0, **SMALL).fit(X, some)
    assert list(found.classes_) == sorted(set(y))


def test_few_labels_count_as_much_as_many(X, y):
    """The labels' term is the mean over rows that have one."""
    one_in_ten = y.astype(object).where(np.arange(len(y)) % 10 == 0, None)
    labels = labels_of_fit(Autoencoder(label_weight=1.0), one_in_ten, len(y))
    assert labels.weights.mean() == pytest.approx(1)
    assert (labels.weights > 0).sum() == 15


def test_balanced_classes_count_alike(y):
    few = y[:110]  # 50, 50, 10
    labels = labels_of_fit(Autoencoder(label_weight=1.0, class_weight="balanced"), few, 110)
    sums = [labels.weights[labels.values == code].sum() for code in range(3)]
    np.testing.assert_allclose(sums, sums[0], rtol=1e-5)
    assert labels.guess == pytest.approx(np.log(3))


# --- the start


def start_of(X, y, width, weight):
    labels = labels_of_fit(Autoencoder(label_weight=1.0), y, len(X))
    mean, scale = X.mean(axis=0), X.std(axis=0)
    ones = np.ones(len(X), np.float32)
    chooser = StartChooser(X.astype("f"), ones, mean, scale, labels, width)
    return chooser.best(weight), labels


def test_where_labels_weigh_nothing_it_starts_at_pca(X, y):
    start, _ = start_of(X, y, 2, 0.0)
    theirs = narrows.PCA(2).fit(X).components_
    np.testing.assert_allclose(np.abs(start.axes.T), np.abs(theirs), atol=1e-5)
    np.testing.assert_allclose(np.abs(start.back), np.abs(theirs), atol=1e-5)


def test_where_labels_weigh_all_it_starts_as_good_as_the_best_linear_embedding(X, y):
    start, labels = start_of(X, y, 2, 1e6)
    v = (X - X.mean(axis=0)) @ start.axes / start.deviations
    found = label_error(v @ start.kernel + start.bias, labels.values, labels)
    for other in (narrows.PCA(2), LinearDiscriminantAnalysis()):
        Z = StandardScaler().fit_transform(other.fit(X, y).transform(X))
        p = LogisticRegression().fit(Z, y).predict_proba(Z)
        theirs = -np.log(p[np.arange(len(y)), labels.values.astype(int)]).mean() / labels.guess
        assert found < 1.1 * theirs


def test_the_way_back_is_by_least_squares(X, y):
    start, _ = start_of(X, y, 2, 1e6)
    x = X - X.mean(axis=0)
    z = x @ start.axes
    np.testing.assert_allclose(start.back, np.linalg.lstsq(z, x, rcond=None)[0], atol=1e-5)


def test_training_starts_there(X, y):
    """Before the first step that counts, the network is the linear start."""
    at_start = Autoencoder(
        label_weight=1e3, encoder=(6,), epochs=1, learning_rate=1e-30, random_state=0
    ).fit(X, y)
    start, _ = start_of(X, y, 2, 1e3)
    np.testing.assert_allclose(
        at_start.transform(X), (X - X.mean(axis=0)) @ start.axes, atol=1e-3 * np.abs(X).max()
    )
    v = at_start.transform(X) / start.deviations @ start.kernel + start.bias
    np.testing.assert_allclose(at_start.predict_proba(X), special.softmax(v, axis=1), atol=1e-3)


# --- lanes


def test_together_is_alone(X, y):
    embedder = Autoencoder(label_weight=1.0, **SMALL)
    rows = [np.arange(0, 120), np.arange(30, 150)]
    codes = pd.factorize(y, sort=True)[0]
    lanes = embedder._fit_lanes([X[r] for r in rows], [3, 4], labels=[codes[r] for r in rows])
    for lane, (r, seed) in enumerate(zip(rows, [3, 4], strict=True)):
        alone = clone(embedder).set_params(random_state=seed).fit(X[r], codes[r])
        # One program for a lane and for several, but chunks of other sizes.
        np.testing.assert_allclose(lanes.transform(lane, X), alone.transform(X), atol=2e-4)
        np.testing.assert_allclose(lanes.embedder(lane).label_coef_, alone.label_coef_, rtol=1e-3)


def test_the_same_seed_gives_the_same_bits(taught, X, y):
    again = Autoencoder(label_weight=1.0, **SMALL).fit(X, y)
    assert again.transform(X).tobytes() == taught.transform(X).tobytes()
    assert again.label_coef_.tobytes() == taught.label_coef_.tobytes()


def test_a_checkpoint_goes_on_to_the_same_bits(tmp_path, taught, X, y):
    file = tmp_path / "half"
    first = Autoencoder(label_weight=1.0, **SMALL).fit(X, y, checkpoint=file)
    again = Autoencoder(label_weight=1.0, **SMALL).fit(X, y, checkpoint=file)
    for one in (first, again):
        assert one.transform(X).tobytes() == taught.transform(X).tobytes()
        assert one.label_coef_.tobytes() == taught.label_coef_.tobytes()
    with pytest.raises(ValueError, match="differs in its rows"):
        Autoencoder(label_weight=1.0, **SMALL).fit(X, y[::-1].to_numpy(), checkpoint=file)


# --- scikit-learn, files


def test_what_scikit_learn_takes_it_for(taught, X):
    assert is_classifier(taught)
    assert not is_classifier(Autoencoder(label_weight=1.0))
    number = Autoencoder(label_weight=1.0, **SMALL).fit(X[:, :3], X[:, 3])
    assert is_regressor(number)


def test_in_a_pipeline(X, y):
    pipeline = make_pipeline(StandardScaler(), Autoencoder(label_weight=1.0, **SMALL)).fit(X, y)
    assert (pipeline.predict(X) == y).mean() > 0.9
    assert pipeline.transform(X).shape == (150, 2)


@pytest.mark.parametrize("labels", ["text", "numbers", "booleans"])
def test_files_keep_the_head(tmp_path, X, y, labels):
    given = {"text": y, "numbers": X[:, 0], "booleans": y == "setosa"}[labels]
    model = Autoencoder(label_weight=1.0, **SMALL).fit(X, given)
    narrows.save(model, tmp_path / "model.narrows")
    again = narrows.load(tmp_path / "model.narrows")
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    assert again.predict(X).dtype == model.predict(X).dtype
    assert again.label_weight == 1.0


def test_onnx_holds_the_embedding(tmp_path, taught, X):
    narrows.export_onnx(taught, tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"))
    (found, *_) = session.run(None, {session.get_inputs()[0].name: X.astype("f")})
    np.testing.assert_allclose(found, taught.transform(X), atol=1e-5)


@pytest.mark.parametrize("kind", ["classes", "numbers"])
def test_onnx_predicts_on_request(tmp_path, X, y, kind):
    labels = y if kind == "classes" else 1000 + 50 * X[:, 3]
    model = make_pipeline(StandardScaler(), Autoencoder(label_weight=1.0, **SMALL)).fit(X, labels)
    narrows.export_onnx(model, tmp_path / "model.onnx", labels=True)
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"))
    names = [one.name for one in session.get_outputs()]
    found = dict(zip(names, session.run(None, {"rows": X}), strict=True))
    wanted = (
        {"probabilities": model.predict_proba(X)}
        if kind == "classes"
        else {"prediction": model.predict(X)[:, None]}
    )
    for name, values in ({"embedding": model.transform(X)} | wanted).items():
        np.testing.assert_allclose(found[name], values, rtol=1e-5, atol=1e-5)


def test_onnx_predicts_only_what_was_taught(tmp_path, X):
    model = Autoencoder(**SMALL).fit(X)
    with pytest.raises(ValueError, match="taught none"):
        narrows.export_onnx(model, tmp_path / "model.onnx", labels=True)


# --- the tuned one


def test_the_tuned_one_finds_that_labels_help(X, y):
    space = {"label_weight": [0.0, 1.0], "learning_rate": [3e-3]}
    found = AutoencoderCV(**{**QUICK, "param_distributions": space}).fit(X[:, :3], y)
    results = pd.DataFrame(found.cv_results_)
    assert {"mean_test_label", "split0_test_label", "param_label_weight"} <= set(results.columns)
    assert hasattr(found, "predict_proba")
    assert found.best_params_["label_weight"] in (0.0, 1.0)


def test_where_labels_help_nobody_nothing_wins(X):
    noise = np.random.default_rng(1).integers(2, size=len(X))
    space = {"label_weight": [0.0, 3.0], "learning_rate": [3e-3]}
    found = AutoencoderCV(**{**QUICK, "param_distributions": space}).fit(X, noise)
    assert found.best_params_["label_weight"] == 0
    plain = AutoencoderCV(**QUICK).fit(X)
    # The same network, and a linear model on it that predicts hardly better than guessing.
    np.testing.assert_allclose(found.transform(X), plain.transform(X), atol=1e-3)
    assert found.predict_proba(X).shape == (150, 2)


def test_where_nothing_is_compressed_rounding_decides_and_something_is_chosen(X, y):
    """Errors are 0 but for rounding, which may be below 0."""
    space = {"label_weight": [0.0, 1.0], "learning_rate": [3e-3]}
    embedder = AutoencoderCV(**{**QUICK, "param_distributions": space})
    with pytest.warns(UserWarning, match="Nothing is compressed"):
        embedder.fit(X[:, :2], y)
    assert embedder.predict(X[:, :2]).shape == (150,)


@pytest.mark.parametrize("least", [2.0, 0.0, -1e-9, -0.5])
def test_the_best_is_always_affordable(least):
    assert _affordable(least) >= least
    assert _affordable(2.0) == pytest.approx(2.4)


def test_the_tuned_one_is_stored(tmp_path, X, y):
    space = {"label_weight": [0.0, 1.0], "learning_rate": [3e-3]}
    found = AutoencoderCV(**{**QUICK, "param_distributions": space}).fit(X, y)
    narrows.save(found, tmp_path / "tuned.narrows")
    again = narrows.load(tmp_path / "tuned.narrows")
    np.testing.assert_array_equal(again.predict(X), found.predict(X))
    np.testing.assert_array_equal(
        again.cv_results_["mean_test_label"], found.cv_results_["mean_test_label"]
    )


# --- what is refused


@pytest.mark.parametrize(
    ("y", "said"),
    [
        (None, "must have labels, as 'label_weight' is not 0"),
        (["a"] * 150, "at least two classes"),
        ([None] * 150, "a label in some row"),
        ([1.5] * 150, "different numbers"),
        (["a", "b"], "a label for each of 150 rows"),
        (np.zeros((150, 2)), "one-dimensional"),
        ([np.inf] + [1.5] * 149, "finite numbers"),
    ],
)
def test_labels_that_teach_nothing_are_refused(X, y, said):
    with pytest.raises(ValueError, match=said):
        Autoencoder(label_weight=1.0, **SMALL).fit(X, y)


@pytest.mark.parametrize(
    "wrong",
    [{"label_weight": -1}, {"label_weight": 1, "label_loss": "hinge"}, {"class_weight": "equal"}],
)
def test_parameters_that_are_none(X, y, wrong):
    with pytest.raises(ValueError, match=next(reversed(wrong))):
        Autoencoder(**{**SMALL, **wrong}).fit(X, y)


def test_what_has_no_effect_is_said(X, y):
    with pytest.warns(UserWarning, match="class_weight='balanced' with label_weight=0"):
        Autoencoder(class_weight="balanced", **SMALL).fit(X, y)
