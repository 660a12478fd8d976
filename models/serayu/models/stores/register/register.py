"""The register as one object."""

from serayu.models.stores.register.alerts import AlertLog
from serayu.models.stores.register.audit import AuditLog
from serayu.models.stores.register.evaluator import EvaluatorLog
from serayu.models.stores.register.fields import FieldTokens
from serayu.models.stores.register.keys import Keys


class Register(EvaluatorLog, AlertLog, Keys, FieldTokens, AuditLog):
    """Alerts, evaluator states, keys, field links and audit of one or many regions.

    The schema must be there: call `serayu.models.stores.register.upgrade` once before. Threads may share it.

    Parameters
    ----------
    url
        ``sqlite:////var/lib/serayu/register.db`` or ``postgresql://user@host/name``.
    busy_timeout_ms
        How long a transaction waits for a lock that another one holds.
    """
