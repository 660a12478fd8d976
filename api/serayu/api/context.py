"""What one api process works with; made by `create_app`, found by routes through the request."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from fastapi import Request

from serayu.api.errors import UnknownCallerError
from serayu.api.idempotency import Answers
from serayu.api.limiter import FailureLimiter
from serayu.api.metrics import Metrics
from serayu.api.sessions import Sessions
from serayu.api.settings import ApiSettings
from serayu.api.snapshot import Snapshots
from serayu.api.stream import Stream
from serayu.api.templating import Pages
from serayu.api.views import ActiveLevel
from serayu.models.access import ApiKey
from serayu.models.alert import Alert
from serayu.models.region import Region
from serayu.models.stores.hot import HotStore
from serayu.models.stores.register import Register
from serayu.models.times import Clock
from serayu.models.warning.authority import Authority

if TYPE_CHECKING:
    from serayu.api.nowcasts import Nowcasts
    from serayu.api.scores import ScoreKeeper

__all__ = ["Api", "RegisterLevels", "api_of"]

P = ParamSpec("P")
T = TypeVar("T")


class RegisterLevels:
    """The alerts in force, from the register."""

    def __init__(self, register: Register, region: str) -> None:
        self._register = register
        self._region = region

    def active_levels(self) -> Mapping[str, ActiveLevel]:
        """Return the alert in force at each post that has one."""
        found = self._register.active_levels(self._region)
        return {
            station: ActiveLevel(
                alert.id, alert.level, level_since_us(alert), alert.verified, alert.reason.value
            )
            for station, alert in found.items()
        }

    def last_change_id(self) -> int:
        """Return the newest change of any alert."""
        return self._register.last_change_id()


def level_since_us(alert: Alert) -> int:
    """Return when the level in force was reached; confirming or verifying it does not count."""
    moves = [change.at_us for change in alert.changes if change.before is not change.after]
    return moves[-1] if moves else alert.opened_us


@dataclass(frozen=True, slots=True)
class Api:
    """Everything that routes share."""

    settings: ApiSettings
    region: Region
    authority: Authority
    hot: HotStore
    register: Register
    clock: Clock
    snapshots: Snapshots
    stream: Stream
    sessions: Sessions
    failures: FailureLimiter
    messages: FailureLimiter
    answers: Answers
    metrics: Metrics
    pages: Pages
    workers: ThreadPoolExecutor
    scores: "ScoreKeeper"
    nowcasts: "Nowcasts"

    async def present_us(self) -> int:
        """Return the present: the computer's, or that of the replay as of the newest reading."""
        if self.settings.clock == "replay":
            return (await self.snapshots.get()).now_us
        return self.clock.now_us()

    async def run(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run blocking work on the process's few own threads, each of which keeps its connections."""
        return await asyncio.get_running_loop().run_in_executor(self.workers, lambda: work(*args, **kwargs))

    async def login(self, client: str, secret: str) -> ApiKey:
        """Return the key of a secret.

        Raises
        ------
        UnknownCallerError
            Unknown, revoked, or of another region.
        TooManyError
            Neither, and the client has failed too often; a valid secret always works.
        """
        key = await self.run(self.register.find_key, secret)
        if key is None or key.region != self.region.code:
            self.failures.fail(client)
            raise UnknownCallerError("the key is unknown or revoked")
        return key


def api_of(request: Request) -> Api:
    """Return what the process works with."""
    api: Api = request.app.state.api
    return api
