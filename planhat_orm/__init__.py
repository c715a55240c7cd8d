"""An Active Record ORM over the Planhat REST API.

>>> from planhat_orm import connect
>>> from planhat_orm.models import Company
"""

from planhat_orm.errors import (
    AmbiguousWrite,
    ApiError,
    BadRequest,
    BulkError,
    ConfigurationError,
    DecodeError,
    FieldError,
    FieldNotLoaded,
    FilterIgnored,
    Forbidden,
    InvalidQuery,
    MultipleObjectsReturned,
    NotFound,
    NotSupported,
    ObjectDeleted,
    ObjectDoesNotExist,
    PaginationError,
    PlanhatError,
    RateLimited,
    ReadOnlyError,
    ServerError,
    StaleObjectError,
    TransportError,
    Unauthorized,
    UnknownField,
    ValidationError,
)
from planhat_orm.orm.lookups import Q
from planhat_orm.session.session import Session, connect
from planhat_orm.wire.quota import Quota

__all__ = [
    "AmbiguousWrite",
    "ApiError",
    "BadRequest",
    "BulkError",
    "ConfigurationError",
    "DecodeError",
    "FieldError",
    "FieldNotLoaded",
    "FilterIgnored",
    "Forbidden",
    "InvalidQuery",
    "MultipleObjectsReturned",
    "NotFound",
    "NotSupported",
    "ObjectDeleted",
    "ObjectDoesNotExist",
    "PaginationError",
    "PlanhatError",
    "Q",
    "Quota",
    "RateLimited",
    "ReadOnlyError",
    "ServerError",
    "Session",
    "StaleObjectError",
    "TransportError",
    "Unauthorized",
    "UnknownField",
    "ValidationError",
    "connect",
]
