"""The newest landslide assessment of each region, with what its watch remembers of each road."""

from collections.abc import Mapping

import msgspec
from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from serayu.models.landslide.result import Report
from serayu.models.landslide.watch import LandslideRecord, RoadWatch
from serayu.models.stores.register.database import Database
from serayu.models.stores.register.schema import landslide as table

_encoder = msgspec.json.Encoder()
_reports = msgspec.json.Decoder(Report)
_roads = msgspec.json.Decoder(dict[str, RoadWatch])


class LandslideLog(Database):
    """The register's landslide assessments."""

    def record_landslide(
        self, region: str, *, at_us: int, report: Report, roads: Mapping[str, RoadWatch]
    ) -> None:
        """Keep an assessment in place of the one before.

        Parameters
        ----------
        region
            Of which region.
        at_us
            Moment of the assessment, microseconds UTC.
        report
            What it says.
        roads
            What is remembered of each road, by its number.
        """
        row = {
            "region": region,
            "at_us": at_us,
            "report": _encoder.encode(report).decode(),
            "roads": _encoder.encode(dict(roads)).decode(),
        }
        with self.writing() as connection:
            dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
            fresh = dialect.insert(table)
            changed = {name: fresh.excluded[name] for name in ("at_us", "report", "roads")}
            connection.execute(fresh.on_conflict_do_update(index_elements=["region"], set_=changed), row)

    def landslide(self, region: str) -> LandslideRecord | None:
        """Return the newest assessment of a region; None before the first."""
        query = select(table.c.at_us, table.c.report, table.c.roads).where(table.c.region == region)
        with self.reading() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        return LandslideRecord(row.at_us, _reports.decode(row.report), _roads.decode(row.roads))
