"""A manifest that nobody could read again is not written."""

from pathlib import Path

import msgspec
import pytest

from serayu.models.errors import BadInputError
from serayu.vision.export.shelf import put
from serayu.vision.runtime.manifest import MANIFEST_FILE, read_manifest
from tests.vision.runtime.pictures import shelf


def test_an_entry_that_makes_no_sense_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    (entry,) = read_manifest(shelf(tmp_path)).weights
    before = (tmp_path / MANIFEST_FILE).read_bytes()
    with pytest.raises(BadInputError, match=r"manifest\.json, field also_gsd_mm: tiny: must be above 0"):
        put(msgspec.structs.replace(entry, also_gsd_mm=(0.0,)), (tmp_path / entry.file,), folder=tmp_path)
    assert (tmp_path / MANIFEST_FILE).read_bytes() == before
    put(msgspec.structs.replace(entry, also_gsd_mm=(80.0,)), (tmp_path / entry.file,), folder=tmp_path)
    assert read_manifest(tmp_path).weights[0].also_gsd_mm == (80.0,)
