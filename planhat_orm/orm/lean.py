"""The lean list: every record of a model with its id and its keys, in one request, where Planhat has such a list.

Imports the session's types, what reads rows, and wire descriptions. It does not promise more than a few properties:
others are loaded when they are read, a request each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from planhat_orm.errors import FilterIgnored, InvalidQuery, NotSupported, suggestion
from planhat_orm.orm.index import shows, without_blanks
from planhat_orm.orm.missing import rows_of
from planhat_orm.orm.state import Origin
from planhat_orm.wire.endpoints import path_for
from planhat_orm.wire.transport import Request

if TYPE_CHECKING:
    from planhat_orm.orm.options import Options
    from planhat_orm.orm.query import Query
    from planhat_orm.session.session import Session

M = TypeVar("M")
Row = dict[str, Any]


class LeanMethods(Generic[M]):
    """``lean()``, as a method of every queryset."""

    if TYPE_CHECKING:
        query: Query

        def _bound(self) -> Session: ...

    def lean(self, **filters: str | list[str] | tuple[str, ...]) -> list[M]:
        """Read the lean list: GET /leancompanies, every company with its id, name and keys, in one request.

        The objects are live ones that know these few fields; any other is loaded when it is read, one object at a time,
        so that a list with ``only()`` is cheaper where more is wanted. No order is documented.

        :param filters: what the list can be narrowed by, by Python names: for companies ``external_id``, ``source_id``
            and ``status``, of which several may be given as a list.
        :raises NotSupported: where Planhat has no such list.
        :raises InvalidQuery: for another filter, a blank or wrong value, and after ``filter()``, an order or a slice.
        :raises FilterIgnored: Planhat sent a record that it was asked to leave out. The rows do not show a status, so
            the first answer of a session that is narrowed by it is held against a page of the list: one more request.

        Source: https://www.planhat.com/developers/api/company

        >>> [company.name for company in Company.objects.lean(external_id="acme-42")]
        ['Acme']
        """
        model, meta = self.query.model, self.query.model._meta
        if not meta.lean_path:
            raise NotSupported(f"Planhat has no lean list of {meta.name}; only('name') narrows its list")
        if self.query.where or self.query.order or self.query.sliced or self.query.params:
            raise InvalidQuery(
                f"lean() reads the whole list or what its own filters give: {meta.name}.objects.lean(...)"
            )
        session = self._bound()
        params = lean_params(meta, filters)
        if self.query.empty:
            return []
        path = path_for(meta.lean_path)
        response = session.send(Request("GET", path, params=params))
        rows = without_blanks(meta, rows_of(response, path))
        check(session, meta, params, rows)
        origin = Origin(session, frozenset(meta.lean_fields), response.number, on_missing=self.query.on_missing)
        return cast("list[M]", session.identity_map.adopt(model, rows, origin))


def lean_params(meta: Options, filters: dict[str, Any]) -> dict[str, str]:
    """Return the parameters of the lean list for filters by Python names."""
    known = {meta.by_key[data_key].name: name for name, data_key in meta.lean_params.items()}
    params: dict[str, str] = {}
    for name, value in filters.items():
        if name not in known:
            hint = suggestion(name, known) or f"; it can by {', '.join(known)}"
            raise InvalidQuery(f"the lean list of {meta.name} cannot be narrowed by {name!r}{hint}")
        field, several = meta.field(name), isinstance(value, (list, tuple))
        if several and known[name] not in meta.lean_many:
            raise InvalidQuery(f"the lean list of {meta.name} takes one {name}, not a list")
        values = list(value) if several else [value]
        for one in values:
            if not isinstance(one, str) or not one.strip():
                raise InvalidQuery(f"lean(): {name} must be text that is not blank, not {one!r}")
            if "," in one and known[name] in meta.lean_many:
                raise InvalidQuery(f"lean(): {name} {one!r} holds a comma; give several as a list")
            if field.choices and one not in field.choices:
                raise InvalidQuery(
                    f"lean(): {one!r} is no {name} (there are {', '.join(field.choices)})"
                    f"{suggestion(one, field.choices)}"
                )
        if not values:
            raise InvalidQuery(f"lean(): {name} is an empty list; leave it out for all records")
        params[known[name]] = ",".join(values)
    return params


def check(session: Session, meta: Options, params: dict[str, str], rows: list[Row]) -> None:
    """Raise when the answer holds a record that Planhat was asked to leave out, or lacks one that it should hold."""
    for name, text in params.items():
        data_key = meta.lean_params[name]
        wanted = {one.casefold() for one in (text.split(",") if name in meta.lean_many else [text])}
        if data_key in meta.lean_fields:
            wrong = [row for row in rows if str(row.get(data_key, "")).casefold() not in wanted]
            proof = f"sent {wrong[0].get('_id')} with {wrong[0].get(data_key)!r}" if wrong else ""
        else:
            seen = shows(session, meta, (name, text), rows) if rows else True
            proof = "its list shows other records with that" if seen is False else ""
        if proof:
            raise FilterIgnored(
                f"{meta.name}.objects.lean(): Planhat was asked for {meta.by_key[data_key].name} {text!r} and {proof}; "
                "it ignored the filter. Nothing of it was handed out"
            )
