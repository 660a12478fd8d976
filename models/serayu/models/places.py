"""Where things are when nobody says otherwise."""

from pathlib import Path

from serayu.models.errors import BadInputError

DEFAULT_REGION = "banyumas"
HOT_STORE = "hot.sqlite"


def default_region() -> Path:
    """Return the region folder that comes with Serayu: beside the checkout, or inside the installed package.

    Raises
    ------
    BadInputError
        Neither is there.
    """
    package = Path(__file__).resolve().parent
    for folder in (package / "regions" / DEFAULT_REGION, package.parents[2] / "regions" / DEFAULT_REGION):
        if folder.is_dir():
            return folder
    raise BadInputError("no region given and none came with the installation; name one with --region")


def default_data_dir(region_code: str) -> Path:
    """Return the data folder of a region below the present folder."""
    return Path("serayu-data") / region_code


def existing_data_dir(data: Path | None, region_code: str) -> Path:
    """Return the data folder that is named, or the region's own; it must hold data.

    Raises
    ------
    BadInputError
        There is no hot store in it: a wrong folder must not look like an empty one.
    """
    folder = data or default_data_dir(region_code)
    if not (folder / HOT_STORE).is_file():
        raise BadInputError(f"no data here (no {HOT_STORE}); name the folder with --data", file=folder)
    return folder
