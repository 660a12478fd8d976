"""TOML tables of a region with one part for each post: ``[post.<station id>]``."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

from serayu.models.errors import BadInputError
from serayu.models.impact.layers import convert
from serayu.models.region import Region

Head = TypeVar("Head", bound=msgspec.Struct)
Post = TypeVar("Post", bound=msgspec.Struct)


def read_posts(
    file: Path, region: Region, head: type[Head], post: type[Post]
) -> tuple[Head, Mapping[str, Post]] | None:
    """Read such a table; None where the file is not there.

    Parameters
    ----------
    file, region
        The file, and the region whose stations it may name.
    head, post
        What stands above the posts, and what stands in each.

    Raises
    ------
    BadInputError
        It is no TOML, a field is wrong or a station unknown; names file and field.
    """
    try:
        table = tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BadInputError(error.strerror or str(error), file=file) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInputError(f"not TOML: {error}", file=file) from None
    parts = table.pop("post", {})
    if not isinstance(parts, dict):
        raise BadInputError("expected tables [post.<station id>]", file=file, field="post")
    posts = {}
    for station_id, part in parts.items():
        if station_id not in region.stations:
            raise BadInputError(f"unknown station {station_id!r}", file=file, field=f"post.{station_id}")
        posts[station_id] = convert(part, post, file=file, field=f"post.{station_id}")
    return convert(table, head, file=file), posts
