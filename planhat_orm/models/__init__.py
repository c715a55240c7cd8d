"""What Planhat has: one module per object, with declarations and quirks only.

Imports the ORM. Importing this package registers every object; a new one is a new module and a line here. It does not
promise to hold everything that Planhat has: metrics and activities are in ``planhat_orm.analytics``, and
``session.request`` reaches the rest.
"""

from typing import TYPE_CHECKING, NoReturn

from planhat_orm.models.asset import Asset
from planhat_orm.models.campaign import Campaign
from planhat_orm.models.churn import Churn
from planhat_orm.models.company import Company
from planhat_orm.models.conversation import Conversation
from planhat_orm.models.custom_field import CustomField
from planhat_orm.models.deal import Deal
from planhat_orm.models.enduser import Enduser
from planhat_orm.models.invoice import Invoice
from planhat_orm.models.issue import Issue
from planhat_orm.models.license import License
from planhat_orm.models.line_item import LineItem
from planhat_orm.models.note import Note
from planhat_orm.models.nps import NPS
from planhat_orm.models.objective import Objective
from planhat_orm.models.opportunity import Opportunity
from planhat_orm.models.product import Product
from planhat_orm.models.project import Project
from planhat_orm.models.sale import Sale
from planhat_orm.models.task import Task
from planhat_orm.models.ticket import Ticket
from planhat_orm.models.time_entry import TimeEntry
from planhat_orm.models.timesheet import Timesheet
from planhat_orm.models.user import User
from planhat_orm.models.workspace import Workspace

__all__ = [
    "NPS",
    "Asset",
    "Campaign",
    "Churn",
    "Company",
    "Conversation",
    "CustomField",
    "Deal",
    "Enduser",
    "Invoice",
    "Issue",
    "License",
    "LineItem",
    "Note",
    "Objective",
    "Opportunity",
    "Product",
    "Project",
    "Sale",
    "Task",
    "Ticket",
    "TimeEntry",
    "Timesheet",
    "User",
    "Workspace",
]

if not TYPE_CHECKING:
    # Hidden from type checkers, which would take it as leave to import any name.

    def __getattr__(name: str) -> NoReturn:
        if name in ("Activity", "Metric"):
            raise ImportError(f"{name} is in planhat_orm.analytics: from planhat_orm.analytics import {name}")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
