"""The OpenAPI document: FastAPI's, with the schemas of the msgspec documents and of problems."""

from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from serayu.api.errors import Problem
from serayu.api.forecast_views import ForecastView
from serayu.api.observations import AggregatesPage, ObservationsPage
from serayu.api.stations import StationDocument, StationsDocument

__all__ = ["describe"]

DOCUMENTS = (StationsDocument, StationDocument, ForecastView, ObservationsPage, AggregatesPage, Problem)
DESCRIPTION = """\
Sungai, hujan, lalu lintas dan lahan Kabupaten: bacaan, umur, mutu, dan peringatan. Rivers, rain, traffic and fields:
readings with age and quality, and alerts.

Times are RFC 3339 UTC. Every reading carries its age and its QARTOD flag; a value that is stale, failed or missing is
never given as `value`. Levels are named, for Siaga 1 is the worst. Errors are problem documents (RFC 9457). Without a
key the public sees rivers, rain, junctions and alerts; farmers see their own fields beside that.
"""


def describe(app: FastAPI) -> None:
    """Give the application its OpenAPI document; made on the first request for it."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # FastAPI's documented way to extend it


def _document(app: FastAPI) -> dict[str, Any]:
    made = get_openapi(title=app.title, version=app.version, description=DESCRIPTION, routes=app.routes)
    _, schemas = msgspec.json.schema_components(DOCUMENTS, ref_template="#/components/schemas/{name}")
    components = made.setdefault("components", {})
    components.setdefault("schemas", {}).update(schemas)
    components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for methods in made["paths"].values():
        for operation in methods.values():
            operation["security"] = [{}, {"key": []}]
            operation["responses"].pop("422", None)
            operation["responses"]["default"] = {"description": "A problem (RFC 9457).", "content": problem}
    return made
