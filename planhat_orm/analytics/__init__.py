"""Metrics and activities: what goes to Planhat's analytics host, and metrics read back.

Imports the models and the ORM. Importing this package registers Metric. It does not promise that what was sent is
stored: Planhat acknowledges, and handles it later.
"""

from planhat_orm.analytics.activity import Activity
from planhat_orm.analytics.metric import Metric

__all__ = ["Activity", "Metric"]
