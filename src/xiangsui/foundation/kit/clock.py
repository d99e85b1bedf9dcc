"""The only place that asks what time it is, so that tests and replays can set it."""

import datetime as dt
from zoneinfo import ZoneInfo

from django.utils import timezone

BEIJING = ZoneInfo("Asia/Shanghai")


def now() -> dt.datetime:
    """The present moment, aware, in UTC."""
    return timezone.now()


def today() -> dt.date:
    """The date in Beijing, which is the date of every station's day."""
    return now().astimezone(BEIJING).date()
