"""Which published surveys judged which roads, and which of them the same stretches."""

import msgspec
from sqlalchemy import desc, select

from serayu.models.stores.register.database import Database
from serayu.models.stores.register.schema import segment, survey
from serayu.models.survey.overlap import Overlap, Stretch, overlapping
from serayu.models.times import rfc3339

__all__ = ["OverlapLog"]


class _Segment(msgspec.Struct, frozen=True):
    """Of a segment's feature, where it is."""

    properties: Stretch


_segments = msgspec.json.Decoder(_Segment)


class OverlapLog(Database):
    """The roads of the register's surveys."""

    def survey_roads(self, region: str) -> dict[str, tuple[str, ...]]:
        """Return the roads that each survey judged, by survey; surveys without roads are not in it."""
        query = select(segment.c.survey_id, segment.c.ruas).where(segment.c.region == region).distinct()
        roads: dict[str, list[str]] = {}
        with self.reading() as connection:
            for row in connection.execute(query.order_by(segment.c.survey_id, segment.c.ruas)):
                roads.setdefault(row.survey_id, []).append(row.ruas)
        return {name: tuple(own) for name, own in roads.items()}

    def overlaps(self, region: str, survey_id: str) -> tuple[Overlap, ...]:
        """Return the other surveys that judged a stretch of road which this one judged, the last published first."""
        roads = select(segment.c.ruas).where(segment.c.region == region, segment.c.survey_id == survey_id)
        query = select(segment.c.survey_id, segment.c.body).where(
            segment.c.region == region, segment.c.ruas.in_(roads)
        )
        stretches: dict[str, list[Stretch]] = {}
        with self.reading() as connection:
            for row in connection.execute(query):
                stretches.setdefault(row.survey_id, []).append(_segments.decode(row.body).properties)
            found = overlapping(stretches.pop(survey_id, ()), stretches)
            order = (desc(survey.c.published_us), desc(survey.c.id))
            rows = connection.execute(select(survey).where(survey.c.region == region).order_by(*order))
            return tuple(
                Overlap(
                    survey=row.id,
                    first=None if row.first_us is None else rfc3339(row.first_us),
                    published=rfc3339(row.published_us),
                    ruas=tuple(sorted(found[row.id])),
                    km=round(sum(found[row.id].values()), 3),
                )
                for row in rows
                if row.id in found
            )
