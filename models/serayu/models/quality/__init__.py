"""Quality control after IOOS QARTOD.

Names here need only the standard library, so that a station can use them; the vectorised tests, which need
numpy, are in `serayu.models.quality.qartod`.
"""

from serayu.models.quality.climatology import ClimatologySpan
from serayu.models.quality.defaults import DEFAULT_PROFILES
from serayu.models.quality.flags import PRECEDENCE, QcTest, QualityFlag, failure_names, reason_names, worst
from serayu.models.quality.profile import QcProfile
from serayu.models.quality.streaming import QcResult, StreamingQc

__all__ = [
    "DEFAULT_PROFILES",
    "PRECEDENCE",
    "ClimatologySpan",
    "QcProfile",
    "QcResult",
    "QcTest",
    "QualityFlag",
    "StreamingQc",
    "failure_names",
    "reason_names",
    "worst",
]
