"""Fisher's iris data with the column names of R's ``iris``."""

import pandas as pd

COLUMNS = ("Sepal.Length", "Sepal.Width", "Petal.Length", "Petal.Width")
LABEL = "Species"


def iris() -> pd.DataFrame:
    """Return Fisher's iris data as R prints it.

    Returns
    -------
    pandas.DataFrame of shape (150, 5)
        ``Sepal.Length``, ``Sepal.Width``, ``Petal.Length`` and ``Petal.Width`` in centimetres,
        and ``Species``, a categorical with the levels setosa, versicolor and virginica,
        fifty rows each. A new frame at every call.

    Notes
    -----
    The values come from scikit-learn's bundled copy, which agrees with R's ``datasets::iris``
    (and so with Fisher's paper) since scikit-learn 0.20. The copy in the UCI repository
    differs in two setosa rows.

    References
    ----------
    Fisher, R. A. (1936). The use of multiple measurements in taxonomic problems.
    Annals of Eugenics 7(2), 179–188. https://doi.org/10.1111/j.1469-1809.1936.tb02137.x

    Examples
    --------
    >>> import narrows
    >>> table = narrows.datasets.iris()
    >>> table.shape
    (150, 5)
    """
    from sklearn.datasets import load_iris

    bundle = load_iris()
    table = pd.DataFrame(bundle.data, columns=list(COLUMNS))
    levels = [str(name) for name in bundle.target_names]
    table[LABEL] = pd.Categorical.from_codes(bundle.target, categories=levels)
    return table
