"""What the manifest says of weights that are evaluated."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from serayu.models.errors import BadInputError
from serayu.vision.runtime.manifest import read_manifest
from serayu.vision.runtime.weights import DEFAULT_THRESHOLD, is_file_name, weights_folder

__all__ = ["Known", "source_of"]


@dataclass(frozen=True, slots=True)
class Known:
    """Digest of the weights' file (of the ONNX file, for weights of the manifest), and where the threshold is from."""

    sha256: str
    threshold_source: str


def source_of(weights: str) -> Known:
    """Return what is known of weights, a name of the manifest or a file.

    Raises
    ------
    BadInputError
        There are no such weights, or the file cannot be read.
    """
    file = Path(weights)
    if not is_file_name(file):
        folder = weights_folder()
        entry = read_manifest(folder).entry(weights, folder=folder)
        return Known(entry.sha256, entry.threshold_source)
    try:
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        raise BadInputError(error.strerror or str(error), file=file) from None
    return Known(digest, f"none: a file without manifest, {DEFAULT_THRESHOLD} by default")
