"""The register as one object."""

from serayu.models.stores.register.alerts import AlertLog
from serayu.models.stores.register.audit import AuditLog
from serayu.models.stores.register.bulletins import BulletinLog
from serayu.models.stores.register.deliveries import Deliveries
from serayu.models.stores.register.delivery_log import DeliveryLog
from serayu.models.stores.register.evaluator import EvaluatorLog
from serayu.models.stores.register.fields import FieldTokens
from serayu.models.stores.register.forecasts import ForecastLog
from serayu.models.stores.register.keys import Keys
from serayu.models.stores.register.landslides import LandslideLog
from serayu.models.stores.register.overlaps import OverlapLog
from serayu.models.stores.register.recipients import Recipients
from serayu.models.stores.register.reviews import ReviewLog
from serayu.models.stores.register.surveys import SurveyLog
from serayu.models.stores.register.withdrawals import WithdrawalLog


class Register(
    EvaluatorLog,
    ForecastLog,
    LandslideLog,
    SurveyLog,
    WithdrawalLog,
    OverlapLog,
    ReviewLog,
    AlertLog,
    BulletinLog,
    Deliveries,
    DeliveryLog,
    Recipients,
    Keys,
    FieldTokens,
    AuditLog,
):
    """Everything that is not an observation, of one or many regions.

    Alerts, forecasts, landslide assessments, surveys and reviews, bulletins and their delivery, evaluator states, keys,
    field links, audit.

    The schema must be there: call `serayu.models.stores.register.upgrade` once before. Threads may share it.

    Parameters
    ----------
    url
        ``sqlite:////var/lib/serayu/register.db`` or ``postgresql://user@host/name``.
    busy_timeout_ms
        How long a transaction waits for a lock that another one holds.
    """
