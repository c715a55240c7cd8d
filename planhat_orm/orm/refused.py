"""What Django's querysets do and Planhat's lists cannot, or what is not built: refused, with what to write instead.

Imports errors only. Does nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NoReturn

from planhat_orm.errors import NotSupported, suggestion

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Django's methods that are awaited, without the "a" in front.
AWAITED: Final = (
    *("get", "create", "get_or_create", "update_or_create", "bulk_create", "bulk_update", "count", "in_bulk"),
    *("iterator", "latest", "earliest", "first", "last", "aggregate", "exists", "contains", "update", "delete"),
    "explain",
)
#: What is often looked for and has another name, or is not built.
INSTEAD: Final = {
    **dict.fromkeys(
        ("add", "remove", "set", "clear"), "set the link of each record to the one that it belongs to, and save() it"
    ),
    **dict.fromkeys(("len", "length", "size"), "len(queryset) reads all of it, count() only counts"),
    **dict.fromkeys(("limit", "head", "take", "top"), "queryset[:10] are the first ten"),
    **dict.fromkeys(("sort", "sorted", "sort_by"), "order_by('-<field>') puts it in order"),
    **dict.fromkeys(("find", "search", "where"), "filter(...) takes any field"),
    **dict.fromkeys(("to_csv", "to_excel"), "not built yet; csv.DictWriter writes what to_dicts(...) returns"),
    **dict.fromkeys(
        ("to_json", "to_jsonl"), "not built yet; json.dumps(..., default=str) writes what to_dicts(...) returns"
    ),
    **dict.fromkeys(
        ("to_pandas", "to_parquet"), "not built yet; pandas.DataFrame(...) takes what to_dicts(...) returns"
    ),
    **dict.fromkeys(("update_from", "upsert_from"), "not built yet; bulk_upsert(rows, key=...) takes dictionaries"),
}
#: Of the awaited ones, those that there are.
READY: Final = frozenset(("get", "create", "get_or_create", "count", "in_bulk", "first", "last", "exists", "contains"))


class Refused:
    """The refusals, as methods of every queryset.

    >>> Company.objects.aggregate()
    Traceback (most recent call last):
    planhat_orm.errors.NotSupported: Planhat computes nothing over a list; use sum(), max() and the like over ...
    """

    if not TYPE_CHECKING:
        # Hidden from type checkers, which say of each use that there is no such method; a method that never returns
        # would only make them skip what follows it.

        # What Planhat's lists cannot

        def annotate(self, *_: Any, **__: Any) -> NoReturn:
            """Refused: Planhat computes nothing in a list."""
            raise NotSupported("Planhat computes nothing in a list; read values() and compute in Python")

        alias = annotate

        def aggregate(self, *_: Any, **__: Any) -> NoReturn:
            """Refused: Planhat computes nothing over a list."""
            raise NotSupported(
                "Planhat computes nothing over a list; use sum(), max() and the like over values_list(..., flat=True)"
            )

        def union(self, *_: Any, **__: Any) -> NoReturn:
            """Refused: Planhat joins no lists."""
            raise NotSupported(
                "Planhat joins no lists; combine conditions with Q(...) | Q(...), Q(...) & Q(...), ~Q(...)"
            )

        intersection = union
        difference = union

        def distinct(self, *_: Any) -> NoReturn:
            """Refused: records are distinct already."""
            raise NotSupported("records are distinct already; for distinct values use set(values_list(..., flat=True))")

        def dates(self, *_: Any, **__: Any) -> NoReturn:
            """Refused: Planhat lists no dates."""
            raise NotSupported("Planhat lists no dates; use sorted(set(values_list(..., flat=True))) without None")

        datetimes = dates

        def raw(self, *_: Any, **__: Any) -> NoReturn:
            """Refused: Planhat takes no SQL."""
            raise NotSupported("Planhat takes no SQL; session.request() sends whatever its API takes")

        extra = raw

        def select_for_update(self, *_: Any, **__: Any) -> NoReturn:
            """Refused: Planhat locks nothing."""
            raise NotSupported("Planhat locks nothing; save() sends only what changed, and refuses where that moved")

        def latest(self, *_: Any, **__: Any) -> NoReturn:
            """Refused: no field is the date of a record by itself."""
            raise NotSupported(
                "name the order: order_by('-<field>').first() for the latest, order_by('<field>').first()"
            )

        earliest = latest

        def complex_filter(self, *_: Any, **__: Any) -> NoReturn:
            """Refused: filter takes both forms."""
            raise NotSupported("filter() takes both: filter(q) for a Q object, filter(**conditions) for a dictionary")

        def resolve_expression(self, *_: Any, **__: Any) -> NoReturn:
            """Refused: Planhat computes nothing in a list, and takes no query inside of another."""
            raise NotSupported(
                "Planhat takes no query inside of another; filter(company__in=queryset) reads that one first"
            )

        def __or__(self, other: Any) -> NoReturn:
            """Refused: Planhat joins no lists."""
            raise NotSupported(
                "querysets are not joined; join their conditions in one filter(): Q(...) | Q(...), Q(...) & Q(...)"
            )

        __and__ = __xor__ = __ror__ = __rand__ = __or__

        def __getattr__(self, name: str) -> NoReturn:
            raise AttributeError(f"a queryset has no {name!r}{of_unknown(self, name)}")

        def __dir__(self) -> list[str]:
            # What consoles complete: not what is refused.
            kind = type(self)
            return [name for name in super().__dir__() if getattr(kind, name, self) is not vars(Refused).get(name)]

        # What is not built

        def update(self, *_: Any, **__: Any) -> NoReturn:
            """Refused: not built."""
            raise NotSupported(
                "there is no update() of a whole queryset yet: change each record in a loop, then write them all with "
                "bulk_upsert(records), 5,000 a request"
            )

        def delete(self) -> NoReturn:
            """Refused: not built."""
            raise NotSupported("there is no delete() of a whole queryset yet: delete() each in a loop (a request each)")

        def bulk_create(self, *_: Any, **__: Any) -> NoReturn:
            """Refused: not built."""
            raise NotSupported("there is no bulk_create yet: bulk_upsert() creates what it does not find by a key")

        def bulk_update(self, *_: Any, **__: Any) -> NoReturn:
            """Refused: not built."""
            raise NotSupported("there is no bulk_update yet: bulk_upsert(records) sends what changed on each")

        def update_or_create(self, *_: Any, **__: Any) -> NoReturn:
            """Refused: not built."""
            raise NotSupported(
                "there is no update_or_create yet: get_or_create() it, change what differs and save() it; only that "
                "is sent"
            )


def of_unknown(queryset: Any, name: str) -> str:
    """Say what was probably meant by an unknown name.

    >>> of_unknown(Refused(), "agregate"), of_unknown(Refused(), "add")
    ("; did you mean 'aggregate'?", ': set the link of each record to the one that it belongs to, and save() it')
    """
    if name in INSTEAD:
        return f": {INSTEAD[name]}"
    return suggestion(name, [known for known in dir(type(queryset)) if not known.startswith("_")])


def of_unknown_value(values: Any, name: str) -> str:
    """Say what was probably meant by an unknown name of values."""
    if name == "distinct":
        return "values() has no distinct(): distinct values are set(values_list(..., flat=True))"
    if name == "bookmark":
        return "values() has no bookmark: loop over the records of changed_since(...) and ask that queryset"
    if name == "to_dicts":
        return "values() has no to_dicts(): list(values(...)) is the list of dictionaries"
    if not name.startswith("_") and hasattr(type(values._records), name):
        return f"{name}(...) comes before values(): it says which records, and values() what is shown of them"
    known = [one for one in dir(type(values)) if not one.startswith("_")]
    return f"values() has no {name!r}{suggestion(name, known)}"


def refuse_chunk_size(given: Mapping[str, Any]) -> None:
    """Refuse what Django's ``iterator()`` takes."""
    if given:
        raise NotSupported(
            f"iterator() takes no {', '.join(given)}: it holds one page, which is as large as Planhat gives it; "
            "chunks(n) gives lists of n records"
        )


def refuse_named(given: Mapping[str, Any]) -> None:
    """Refuse what Django's ``values_list()`` takes besides ``flat``."""
    if given:
        raise NotSupported(
            f"values_list() takes no {', '.join(given)}: paths such as 'owner.email' are no names of Python's; "
            "values(...) gives dictionaries"
        )


def of_awaited(name: str) -> str:
    """Say what to write in place of an awaited method.

    >>> of_awaited("count")
    'requests are sent by threads, not by an event loop: await asyncio.to_thread(queryset.count, ...)'
    """
    call = f"queryset.{name}, ..." if name in READY else "list, queryset"
    if name in (
        "update",
        "delete",
        "bulk_create",
        "bulk_update",
        "update_or_create",
        "aggregate",
        "latest",
        "earliest",
    ):
        call = "function, queryset"
    return f"requests are sent by threads, not by an event loop: await asyncio.to_thread({call})"


def awaited(name: str) -> Callable[..., NoReturn]:
    """Make the refusal of an awaited method."""

    def refuse(self: Any, *_: Any, **__: Any) -> NoReturn:
        raise NotSupported(
            "explain() sends nothing, so that nothing is awaited" if name == "explain" else of_awaited(name)
        )

    refuse.__name__, refuse.__qualname__ = f"a{name}", f"Refused.a{name}"
    refuse.__doc__ = "Refused: requests are sent by threads."
    return refuse


for _name in AWAITED:
    setattr(Refused, f"a{_name}", awaited(_name))
