"""What every file of a table is checked for, whatever its form."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from narrows._checks import listed
from narrows._files import no_such_file
from narrows.data.reading._files import opened

# What files begin with, whatever they are called.
SIGNATURES = {
    b"PAR1": "a Parquet file",
    b"ARROW1": "an Arrow file",
    b"FEA1": "a file of Feather's first version",
    b"PK\x03\x04": "a zip or Excel file",
    b"\xd0\xcf\x11\xe0": "an old Excel file",
    b"\x1f\x8b": "a gzip file",
    b"\x89HDF": "an HDF5 file",
}
AS_NAMED = "as its extension says"


def check_there(path: Path) -> None:
    """Raise FileNotFoundError, naming files that are called like it, or ValueError for a folder."""
    if path.is_dir():
        raise ValueError(f"A table is a file. Got the folder {str(path)!r} instead.")
    if path.exists():
        return
    raise FileNotFoundError(no_such_file(path))


def check_names(path: Path, names: list[str]) -> None:
    """Raise ValueError unless column names are distinct."""
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise ValueError(
            f"{str(path)!r} must have distinct column names. Got {listed(repeated)} more than "
            "once instead. Rename the columns."
        )


def check_named(path: Path, option: str, names: Iterable[str], known: list[str]) -> None:
    """Raise ValueError unless a table has the columns that an option names."""
    missing = [name for name in names if name not in known]
    if missing:
        raise ValueError(
            f"{option} must name columns of {str(path)!r}. Got {listed(missing)} instead. It has "
            f"{listed(known)}."
        )
    if option == "drop" and set(names) >= set(known):
        raise ValueError(f"drop must leave a column of {str(path)!r}. Got {listed(names)}: all.")


def check_signature(
    path: Path, wanted: str, *, allowed: tuple[bytes, ...] = (), why: str = AS_NAMED
) -> None:
    """Raise ValueError if a file begins as one of another form does."""
    with opened(path) as file:
        start = file.read(8)
    for signature, what in SIGNATURES.items():
        if start.startswith(signature) and signature not in allowed:
            raise ValueError(
                f"{str(path)!r} must be {wanted}, {why}. Got {what} instead. Rename or convert it."
            )
