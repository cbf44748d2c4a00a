"""What a call warns of, beside the warnings that Keras has of its own."""

import warnings


def warnings_of(call):
    """Return the UserWarnings of a call."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    return [one for one in caught if one.category is UserWarning]
