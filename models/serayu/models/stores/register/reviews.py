"""What people say of findings: every word is kept, the last one counts."""

from sqlalchemy import desc, insert, select

from serayu.models.errors import BadInputError, NotFoundError
from serayu.models.stores.register.audit import write_audit
from serayu.models.stores.register.database import Database
from serayu.models.stores.register.schema import finding, review
from serayu.models.stores.register.surveys import review_of
from serayu.models.survey.finding import DefectClass
from serayu.models.survey.review import Judgement, Review

__all__ = ["ReviewLog"]

_COLUMNS = (
    review.c.id.label("review_id"),
    review.c.finding_id.label("id"),
    finding.c.survey_id,
    review.c.judgement,
    review.c.label.label("said"),
    review.c.key_id,
    review.c.name,
    review.c.at_us,
)
_both = review.join(finding, (finding.c.region == review.c.region) & (finding.c.id == review.c.finding_id))


class ReviewLog(Database):
    """The register's reviews."""

    def add_review(
        self,
        region: str,
        finding_id: str,
        judgement: Judgement,
        *,
        label: DefectClass | None = None,
        key_id: str,
        name: str,
        now_us: int,
    ) -> Review:
        """Keep what somebody says of a finding; said again right away by the same person it changes nothing.

        Parameters
        ----------
        region, finding_id
            Of which finding.
        judgement
            What is said.
        label
            The right class of a correction; else None.
        key_id, name
            Who.
        now_us
            When, microseconds UTC.

        Raises
        ------
        NotFoundError
            No such finding.
        BadInputError
            A correction without a class or to the class that it has, or a class beside another judgement.
        """
        here = (finding.c.region == region, finding.c.id == finding_id)
        with self.writing() as connection:
            row = connection.execute(select(finding.c.label).where(*here)).first()
            if row is None:
                raise NotFoundError(f"there is no finding {finding_id!r}")
            said = _said(judgement, label, DefectClass(row.label))
            newest = select(*_COLUMNS).select_from(_both).where(*here).order_by(desc(review.c.id)).limit(1)
            last = connection.execute(newest).mappings().first()
            if last is not None and (last["key_id"], last["judgement"], last["said"]) == (
                key_id,
                judgement,
                said,
            ):
                return review_of(last)
            fields = {
                "region": region,
                "finding_id": finding_id,
                "judgement": judgement.value,
                "label": None if said is None else said.value,
                "key_id": key_id,
                "name": name,
                "at_us": now_us,
            }
            connection.execute(insert(review), fields)
            detail = judgement.value if said is None else f"{judgement.value} {said.value}"
            write_audit(
                connection,
                region,
                actor=name,
                action="finding.review",
                target=finding_id,
                detail=detail,
                now_us=now_us,
            )
            return review_of(connection.execute(newest).mappings().one())

    def reviews(
        self, region: str, *, survey_id: str | None = None, finding_id: str | None = None
    ) -> list[Review]:
        """Return all reviews, oldest first; of one survey or finding where given."""
        query = select(*_COLUMNS).select_from(_both).where(review.c.region == region).order_by(review.c.id)
        if survey_id is not None:
            query = query.where(finding.c.survey_id == survey_id)
        if finding_id is not None:
            query = query.where(review.c.finding_id == finding_id)
        with self.reading() as connection:
            return [review_of(row) for row in connection.execute(query).mappings()]


def _said(judgement: Judgement, label: DefectClass | None, detected: DefectClass) -> DefectClass | None:
    """Return what the finding is by a judgement; None for nothing."""
    if judgement is Judgement.CORRECTED:
        if label is None:
            raise BadInputError("a correction needs the right class", field="class")
        if label is detected:
            raise BadInputError("this is the class that it has: confirm it instead", field="class")
        return label
    if label is not None:
        raise BadInputError("only a correction has a class", field="class")
    return detected if judgement is Judgement.CONFIRMED else None
