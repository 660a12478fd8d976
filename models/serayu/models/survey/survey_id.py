"""What can be the id of a survey: one rule for who makes a survey and who takes one in."""

import re

from serayu.models.errors import BadInputError
from serayu.models.survey.schema import SURVEY

__all__ = ["check_survey_id"]


def check_survey_id(id_: str, *, field: str, file: str | None = None) -> None:
    """Check the id of a survey.

    Parameters
    ----------
    id_
        As it was given.
    field, file
        Where, for the error.

    Raises
    ------
    BadInputError
        It is not of the form `schema.SURVEY`; names file and field.
    """
    if re.fullmatch(SURVEY, id_) is None:
        form = "needs 1 to 64 letters, digits, dots, hyphens or underscores, of which the first a letter or digit"
        raise BadInputError(f"{id_[:80]!r}: a survey's id {form}", file=file, field=field)
