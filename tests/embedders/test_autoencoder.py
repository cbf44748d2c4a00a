"""The autoencoder as a scikit-learn transformer."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from narrows import Autoencoder


def make(**changes):
    """A small autoencoder with everything recorded; tests change one thing at a time."""
    settings = {
        "encoder": (6,),
        "epochs": 6,
        "learning_rate": 0.01,
        "metrics": ("accuracy",),
        "validation_fraction": 0.2,
        "restarts": 3,
        "random_state": 0,
    }
    return Autoencoder(**{**settings, **changes})


def held_out_rows(embedder, X):
    """Return the numbers of the rows that a fit trained on, and of those it held out."""
    from narrows.embedders.fitting._fit import split_job

    job = split_job(embedder, X, None, embedder.random_state)
    return job.rows, job.validation


@pytest.fixture(name="X", scope="session")
def all_rows(measurements):
    return measurements


@pytest.fixture(name="A", scope="session")
def all_rows_as_an_array(X):
    return X.to_numpy(np.float32)


@pytest.fixture(scope="module")
def fitted(X):
    return make().fit(X)


# What comes out


def test_outputs_are_those_of_the_keras_models(fitted, X, A):
    def predict(model, rows):
        return model.predict(rows, verbose=0)

    z = fitted.transform(X)
    assert z.shape == (150, 2)
    assert z.dtype == np.float32
    np.testing.assert_allclose(z, predict(fitted.encoder_, A), atol=1e-5)
    np.testing.assert_allclose(fitted.inverse_transform(z), predict(fitted.decoder_, z), atol=1e-5)
    np.testing.assert_allclose(fitted.reconstruct(X), predict(fitted.autoencoder_, A), atol=1e-5)
    np.testing.assert_allclose(fitted.reconstruct(X), fitted.inverse_transform(z), atol=1e-5)
    assert np.ptp(z, axis=0).min() > 0


def test_score_is_the_negative_mean_squared_error(fitted, X, A):
    expected = -np.mean((fitted.reconstruct(X).astype(float) - A) ** 2)
    assert fitted.score(X) == pytest.approx(expected, rel=1e-6)
    assert fitted.score(X) < 0


@pytest.mark.parametrize("rows", [1, 2, 33, 150])
def test_number_of_rows_does_not_change_them(fitted, X, rows):
    np.testing.assert_allclose(fitted.transform(X[:rows]), fitted.transform(X)[:rows], atol=1e-5)


def test_training_gets_better(fitted):
    first, last = (fitted.history_.groupby("restart")["loss"].nth(i).mean() for i in (0, -1))
    assert last < 0.95 * first  # it starts at PCA


def test_fit_transform_and_feature_names(fitted, X):
    np.testing.assert_array_equal(make().fit_transform(X), fitted.transform(X))
    assert fitted.get_feature_names_out().tolist() == ["autoencoder0", "autoencoder1"]
    frame = clone(fitted).set_output(transform="pandas").fit(X).transform(X)
    assert frame.columns.tolist() == ["autoencoder0", "autoencoder1"]
    assert frame.index.equals(X.index)


def test_in_a_pipeline(X):
    pipeline = make_pipeline(StandardScaler(), make()).fit(X)
    back = pipeline.inverse_transform(pipeline.transform(X))
    assert back.shape == X.shape
    assert np.abs(back.mean(axis=0) - X.to_numpy().mean(axis=0)).max() < 2


def test_summary_and_weights(fitted):
    # A and its bias: 10, 4→6: 30, 6→2 without bias: 12; B: 12, 2→6: 18, 6→4: 24.
    assert "Total params: 106\n" in fitted.summary()
    table = fitted.weights()
    assert table.columns.tolist() == ["layer", "weight", "shape", "rank", "trainable"]
    assert table["shape"].tolist() == [w.shape for w in fitted.autoencoder_.get_weights()]
    assert table["rank"].tolist() == [len(shape) for shape in table["shape"]]
    assert table["rank"].tolist().count(2) == 6


# The same and not the same


def test_same_seed_same_bits(fitted, X):
    again = make().fit(X)
    for one, two in zip(
        fitted.autoencoder_.get_weights(), again.autoencoder_.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(one, two)
    pd.testing.assert_frame_equal(fitted.history_, again.history_, check_exact=True)


def test_other_seed_other_weights(fitted, X):
    other = make(random_state=1).fit(X)
    assert not np.allclose(other.transform(X), fitted.transform(X), atol=0.01)
    assert other.history_["loss"].iloc[0] != fitted.history_["loss"].iloc[0]


def test_random_state_instance(X):
    one, two = (make(random_state=np.random.RandomState(3)).fit(X) for _ in range(2))
    np.testing.assert_array_equal(one.transform(X), two.transform(X))
    assert not np.array_equal(one.transform(X), make(random_state=3).fit(X).transform(X))


def test_a_restart_is_the_same_however_many_there_are(fitted, X):
    alone = make(restarts=1).fit(X)
    for mine, theirs in zip(alone.restarts_.weights[0], fitted.restarts_.weights[0], strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-3, atol=1e-4)
    together = fitted.history_.query("restart == 0")
    np.testing.assert_allclose(alone.history_, together, rtol=1e-3)
    others = [fitted.restarts_.weights[k][0] for k in range(3)]
    assert not np.allclose(others[0], others[1])
    assert not np.allclose(others[1], others[2])


def test_numpys_global_state_is_untouched(X):
    before = np.random.get_state()[1].copy()
    make(restarts=1).fit(X).transform(X)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_rows_are_not_written_to(A):
    rows = A.copy()
    make(restarts=1).fit(rows).transform(rows)
    np.testing.assert_array_equal(rows, A)


# Restarts and history


def test_history_columns_and_rows(fitted):
    history = fitted.history_
    assert history.columns.tolist() == [
        "restart", "epoch", "loss", "accuracy", "val_loss", "val_accuracy"
    ]  # fmt: skip
    assert history["restart"].tolist() == np.repeat([0, 1, 2], 6).tolist()
    assert history["epoch"].tolist() == [1, 2, 3, 4, 5, 6] * 3
    assert np.isfinite(history.to_numpy()).all()


def test_the_best_restart_is_chosen_by_validation_loss(fitted):
    table = fitted.restarts_.frame()
    last = fitted.history_.query("epoch == 6")
    np.testing.assert_array_equal(table["best_loss"].astype("f4"), last["val_loss"].astype("f4"))
    assert fitted.restarts_.monitored == "val_loss"
    assert fitted.restarts_.best == table["val_loss"].argmin()
    assert table["in_use"].tolist() == [k == fitted.restarts_.best for k in range(3)]
    assert table["epochs"].tolist() == table["best_epoch"].tolist() == [6, 6, 6]
    assert not table["diverged"].any()
    assert len(fitted.restarts_) == 3
    best = fitted.restarts_.weights[fitted.restarts_.best]
    for used, kept in zip(fitted.autoencoder_.get_weights(), best, strict=True):
        np.testing.assert_array_equal(used, kept)


def test_without_validation_the_loss_chooses(X):
    embedder = make(validation_fraction=0.0, metrics=()).fit(X)
    assert embedder.history_.columns.tolist() == ["restart", "epoch", "loss"]
    assert embedder.restarts_.monitored == "loss"
    assert embedder.restarts_.best == embedder.restarts_.frame()["loss"].argmin()


def test_frame_is_a_copy(fitted):
    table = fitted.restarts_.frame()
    table["loss"] = 0.0
    assert (fitted.restarts_.frame()["loss"] > 0).all()


def test_plot_and_repr(fitted):
    assert type(fitted.restarts_.plot()).__name__ == "ggplot"
    assert repr(fitted.restarts_).startswith("<3 restarts; val_loss ")
    assert f"restart {fitted.restarts_.best} in use" in repr(fitted.restarts_)


# Validation


def test_validation_measures_by_hand(fitted, A):
    """The last epoch's weights are in use, so what was recorded can be worked out from outside."""
    rows, held_out = held_out_rows(fitted, A)
    assert len(held_out) == 30
    assert sorted([*rows, *held_out]) == list(range(150))
    x = A[held_out]
    back = fitted.reconstruct(pd.DataFrame(x, columns=fitted.feature_names_in_))
    last = fitted.history_.query("restart == @fitted.restarts_.best and epoch == 6").iloc[0]
    assert last["val_loss"] == pytest.approx(np.mean((back - x) ** 2), rel=1e-4)
    accuracy = np.mean(back.argmax(axis=1) == x.argmax(axis=1))
    assert last["val_accuracy"] == pytest.approx(accuracy, abs=1e-6)


def test_accuracy_by_hand_where_it_is_neither_0_nor_1():
    x = np.random.default_rng(0).normal(size=(120, 4)).astype(np.float32)
    embedder = make().fit(x)
    _, held_out = held_out_rows(embedder, x)
    accuracy = np.mean(embedder.reconstruct(x[held_out]).argmax(1) == x[held_out].argmax(1))
    assert 0.1 < accuracy < 0.9
    recorded = embedder.restarts_.frame()["val_accuracy"][embedder.restarts_.best]
    assert recorded == pytest.approx(accuracy, abs=1e-6)


def test_given_validation_rows_are_those_validated_on(X, A):
    embedder = make(validation_fraction=0.0).fit(X[:120], validation_data=X[120:])
    back = embedder.reconstruct(X[120:])
    recorded = embedder.restarts_.frame()["val_loss"][embedder.restarts_.best]
    assert recorded == pytest.approx(np.mean((back - A[120:]) ** 2), rel=1e-4)


def test_validation_rows_do_not_change_the_training(X):
    def weights(held_out):
        embedder = make(validation_fraction=0.0, restarts=1)
        return embedder.fit(X[:120], validation_data=held_out).autoencoder_.get_weights()

    for one, two in zip(weights(X[120:]), weights(X[120:] * 100), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-6)


def test_too_small_a_share(X):
    with pytest.raises(ValueError, match=r"'validation_fraction' of 0.001.*150 rows, of which 0"):
        make(validation_fraction=0.001).fit(X)


# Early stopping


@pytest.fixture(scope="module")
def stopped(X):
    """So large a learning rate that the validation loss soon goes up and down."""
    return make(epochs=60, patience=3, learning_rate=0.1).fit(X)


def test_patience_stops_after_so_many_epochs_without_a_better_one(stopped):
    table = stopped.restarts_.frame()
    assert (table["epochs"] < 60).any(), "no restart stopped: the test shows nothing"
    for row in table.itertuples():
        losses = stopped.history_.query("restart == @row.restart")["val_loss"].to_numpy()
        assert len(losses) == row.epochs
        assert row.best_epoch == losses.argmin() + 1
        assert row.best_loss == losses.min()
        assert row.final_loss == losses[-1]
        if row.epochs < 60:
            assert row.epochs == row.best_epoch + 3
    assert (table["best_loss"] < table["final_loss"]).any()


def test_the_best_epochs_weights_are_in_use(stopped, A):
    _, held_out = held_out_rows(stopped, A)
    x = A[held_out]
    back = stopped.reconstruct(pd.DataFrame(x, columns=stopped.feature_names_in_))
    table = stopped.restarts_.frame().set_index("restart")
    best = table.loc[stopped.restarts_.best]
    assert np.mean((back - x) ** 2) == pytest.approx(best["best_loss"], abs=1e-5)
    assert best["best_loss"] == table["best_loss"].min()


def test_a_stopped_restart_is_the_same_alone(stopped, X):
    alone = make(epochs=60, patience=3, learning_rate=0.1, restarts=1).fit(X)
    n = min(5, len(alone.history_))
    together = stopped.history_.query("restart == 0")
    np.testing.assert_allclose(alone.history_[:n], together[:n], rtol=1e-3)


# Noise, divergence


def test_noise_changes_the_training_only(X):
    plain, noisy = make(restarts=1).fit(X), make(restarts=1, noise=0.5).fit(X)
    assert not np.allclose(plain.transform(X), noisy.transform(X), atol=1e-3)
    np.testing.assert_array_equal(noisy.transform(X), noisy.transform(X))
    for one, two in zip(plain.history_["loss"], noisy.history_["loss"], strict=True):
        assert one != two


def test_all_restarts_lost_is_an_error_with_advice(X):
    with pytest.raises(ValueError, match=r"All 3 lost it.*lower the 'learning_rate'"):
        make(learning_rate=1e30).fit(X)


def test_some_restarts_lost_is_a_warning_that_names_them():
    from narrows._keras import keras

    class Sometimes(keras.initializers.RandomUniform):
        """Starts some restarts with weights whose squares are infinite."""

        def __call__(self, shape, dtype=None):
            drawn = keras.random.uniform(shape, seed=self.seed)
            return keras.ops.where(drawn[0, 0] < 0.5, 1e30, 0.1) * drawn

    def encoder(x):
        return keras.layers.Dense(2, kernel_initializer=Sometimes(), name="code")(x)

    x = np.random.default_rng(0).normal(size=(40, 3))
    embedder = Autoencoder(encoder=encoder, decoder=(), epochs=2, restarts=8, random_state=0)
    # Warnings are errors here; it is given last, when the embedder is complete.
    with (
        keras.saving.custom_object_scope({"Sometimes": Sometimes}),
        pytest.raises(ConvergenceWarning, match="left out") as caught,
    ):
        embedder.fit(x)
    lost = embedder.restarts_.frame().query("diverged")["restart"].tolist()
    assert 0 < len(lost) < 8
    assert f"{len(lost)} of 8 restarts" in str(caught.value)
    assert str(lost) in str(caught.value)
    assert embedder.restarts_.best not in lost
    assert np.isfinite(embedder.transform(x)).all()


# Many at once


@pytest.mark.parametrize("lengths", [(120, 120, 120), (120, 100, 120)])
def test_fit_resamples_equals_separate_fits(X, lengths):
    rng = np.random.default_rng(0)
    resamples = [X.iloc[rng.integers(0, 150, n)] for n in lengths]
    template = make(restarts=2, epochs=4)
    together = template.fit_resamples(resamples, seeds=[5, 6, 7])
    assert not hasattr(template, "encoder_")
    for one, rows, seed in zip(together, resamples, [5, 6, 7], strict=True):
        alone = make(restarts=2, epochs=4, random_state=seed).fit(rows)
        assert one.random_state == seed
        assert one.restarts_.best == alone.restarts_.best
        np.testing.assert_allclose(one.history_, alone.history_, rtol=1e-3)
        np.testing.assert_allclose(one.transform(X), alone.transform(X), rtol=1e-3, atol=1e-3)
        assert one.feature_names_in_.tolist() == X.columns.tolist()
    weights = [one.autoencoder_.get_weights()[0] for one in together]
    assert not np.allclose(weights[0], weights[1])


def test_fit_resamples_needs_a_seed_for_each(X):
    with pytest.raises(ValueError, match="2 matrices and 1 seeds"):
        make().fit_resamples([X, X], seeds=[1])


# Scikit-learn's contract


def test_parameters_are_remembered_and_cloned():
    embedder = make(bottleneck=3, noise=0.1)
    parameters = embedder.get_params()
    assert parameters["bottleneck"] == 3
    assert parameters["encoder"] == (6,)
    assert clone(embedder).get_params() == parameters
    assert embedder.set_params(epochs=9) is embedder
    assert embedder.epochs == 9
    with pytest.raises(ValueError, match="Invalid parameter 'depth'"):
        embedder.set_params(depth=3)


def test_the_constructor_checks_nothing():
    Autoencoder(bottleneck=-1, loss="nonsense", encoder="no")


def test_a_model_as_encoder_survives_clone_and_starts_anew(X):
    import keras

    inputs = keras.Input((4,))
    model = keras.Model(inputs, keras.layers.Dense(2, name="code")(inputs))
    embedder = Autoencoder(encoder=model, decoder=(), epochs=1, random_state=0)
    one, two = embedder.fit(X).transform(X), clone(embedder).fit(X).transform(X)
    np.testing.assert_array_equal(one, two)
    assert embedder.encoder is model
    assert embedder.encoder_ is not model


@pytest.mark.parametrize("method", ["transform", "reconstruct", "score", "inverse_transform"])
def test_not_fitted(method, A):
    with pytest.raises(NotFittedError):
        getattr(Autoencoder(), method)(A)


def test_column_names_are_kept_and_checked(fitted, X):
    assert fitted.feature_names_in_.tolist() == X.columns.tolist()
    assert fitted.n_features_in_ == 4
    with pytest.raises(ValueError, match="same order"):
        fitted.transform(X[X.columns[::-1]])
    with pytest.raises(ValueError, match=r"missing.*\n.*Petal.Width"):
        fitted.transform(X.iloc[:, :3])
    with pytest.raises(ValueError, match=r"unseen.*\n.*Extra"):
        fitted.transform(X.assign(Extra=1.0))


def test_wrong_number_of_columns(X, A):
    embedder = make(restarts=1).fit(A)
    with pytest.raises(ValueError, match=r"3 features.*expecting 4"):
        embedder.transform(A[:, :3])
    with pytest.raises(ValueError, match=r"\(n_rows, 2\). Got \(150, 4\)"):
        embedder.inverse_transform(A)


def test_missing_and_infinite_numbers(A):
    for bad, word in ((np.nan, "NaN"), (np.inf, "infinite")):
        broken = A.copy()
        broken[3, 1] = bad
        wanted = rf"{word}.*row 3 .*'x1'.*narrows\.TablePreprocessor"
        with pytest.raises(ValueError, match=wanted):
            make().fit(broken)


def test_verbose_shows_a_bar_on_stderr(X, capsys):
    make(verbose=1).fit(X)
    out, err = capsys.readouterr()
    assert out == ""
    assert "training" in err or err.strip() == ""


def test_reconstruction_error_by_row_column_and_cell(post, measurements):
    cells = (post.reconstruct(measurements) - measurements.to_numpy("float32")) ** 2
    by = {name: post.reconstruction_error(measurements, by=name) for name in ("row", "column")}
    np.testing.assert_allclose(by["row"], cells.mean(axis=1), rtol=1e-5)
    np.testing.assert_allclose(by["column"], cells.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(post.reconstruction_error(measurements, by="cell"), cells, rtol=1e-4)
    assert post.score(measurements) == pytest.approx(-by["row"].mean())
    with pytest.raises(ValueError, match=r"'row', 'column' or 'cell'. Got 'rows' instead"):
        post.reconstruction_error(measurements, by="rows")


def test_sample_weights_move_the_fit(measurements):
    def fit(weight):
        embedder = Autoencoder(encoder=(4,), epochs=3, random_state=0)
        return embedder.fit(measurements, sample_weight=weight).restarts_.weights[0]

    ones, plain = fit(np.ones(150)), fit(None)
    assert all(np.array_equal(a, b) for a, b in zip(ones, plain, strict=True))
    tilted = fit(np.arange(150.0))
    assert not np.array_equal(tilted[0], plain[0])
    with pytest.raises(ValueError, match="Negative values"):
        fit(-np.ones(150))
