"""Surveys taken back: their rows go whole, and the audit trail keeps that they were."""

from collections.abc import Callable

from sqlalchemy import Connection, delete, select

from serayu.models.errors import NotFoundError
from serayu.models.stores.register.audit import write_audit
from serayu.models.stores.register.database import Database
from serayu.models.stores.register.schema import audit, finding, review, segment, survey, survey_photo
from serayu.models.survey.entry import Withdrawn

__all__ = ["WithdrawalLog"]

_ACTION = "survey.withdraw"


class WithdrawalLog(Database):
    """The register's withdrawals of surveys."""

    def withdraw_survey(
        self, region: str, survey_id: str, *, by: str, now_us: int, remove: Callable[[], None]
    ) -> Withdrawn | None:
        """Remove a survey with its findings, segments and photos, and with what was said of the findings.

        A review says something of a finding and cannot be read without; that it was made, by whom and when stays in
        the audit trail, as does the withdrawal.

        Parameters
        ----------
        region, survey_id
            Which.
        by
            Who withdraws it.
        now_us
            When, microseconds UTC.
        remove
            Removes the pictures: called before the transaction ends, so that they never outlive the rows.

        Returns
        -------
        Withdrawn or None
            What it had; None where it was withdrawn before, and nothing was changed.

        Raises
        ------
        NotFoundError
            There never was a survey of that id.
        """
        here = (survey.c.region == region, survey.c.id == survey_id)
        own = select(finding.c.id).where(finding.c.region == region, finding.c.survey_id == survey_id)
        with self.writing() as connection:
            if connection.execute(select(survey.c.id).where(*here).with_for_update()).first() is None:
                _check_was_there(connection, region, survey_id)
                return None
            said = connection.execute(
                delete(review).where(review.c.region == region, review.c.finding_id.in_(own))
            ).rowcount
            gone = {
                table.name: connection.execute(
                    delete(table).where(table.c.region == region, table.c.survey_id == survey_id)
                ).rowcount
                for table in (finding, segment, survey_photo)
            }
            connection.execute(delete(survey).where(*here))
            done = Withdrawn(gone["finding"], gone["segment"], said)
            detail = f"{done.findings} findings, {done.reviews} reviews"
            write_audit(
                connection,
                region,
                actor=by,
                action=_ACTION,
                target=survey_id,
                detail=detail,
                now_us=now_us,
            )
            remove()
        return done


def _check_was_there(connection: Connection, region: str, survey_id: str) -> None:
    """Raise NotFoundError where the audit trail knows of no withdrawal of a survey."""
    query = select(audit.c.id).where(
        audit.c.region == region, audit.c.action == _ACTION, audit.c.target == survey_id
    )
    if connection.execute(query.limit(1)).first() is None:
        raise NotFoundError(f"tidak ada survei · there is no survey {survey_id!r}")
