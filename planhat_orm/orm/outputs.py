"""Ways out of a queryset as plain values: ``values()``, ``values_list()`` and the table of ``show()``.

Works on records and paths. It does not promise that each value has its field's type: one that cannot be read comes as
it is stored, since one odd value must not fail a list.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Literal, NoReturn, TypeVar, overload

from planhat_orm.errors import InvalidQuery
from planhat_orm.orm.lookups import LazyValues
from planhat_orm.orm.refused import of_unknown_value
from planhat_orm.orm.taking import portions

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from planhat_orm.orm.costs import Cost
    from planhat_orm.orm.paths import Output
    from planhat_orm.orm.queryset import QuerySet
    from planhat_orm.session.session import Session

T = TypeVar("T")

#: How many columns show() prints, and how wide they are at most.
COLUMNS = 6
WIDTH = 30


@dataclass(frozen=True, slots=True)
class Shape:
    """What one record becomes; without outputs a dictionary of all that is loaded."""

    form: Literal["dict", "tuple", "flat"]
    outputs: tuple[Output, ...]

    def of(self, record: Any) -> Any:
        """Return the record in this shape."""
        if self.form == "dict":
            return {one.path: one.of(record) for one in self.outputs} if self.outputs else record.to_dict()
        if self.form == "flat":
            return self.outputs[0].of(record)
        return tuple(one.of(record) for one in self.outputs)


class Values(LazyValues, Generic[T]):
    """What ``values()`` and ``values_list()`` give: a lazy list over the records of a queryset.

    >>> names = Company.objects.order_by("name").values_list("name", flat=True)
    >>> names.first(), len(names[:2])
    ('Acme', 2)
    """

    def __init__(self, records: QuerySet[Any], shape: Shape) -> None:
        self._records = records
        self._shape = shape

    def __iter__(self) -> Iterator[T]:
        return map(self._shape.of, self._records)

    def __len__(self) -> int:
        return len(self._records)

    def __bool__(self) -> bool:
        return bool(self._records)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Values[T]: ...
    def __getitem__(self, index: int | slice) -> T | Values[T]:
        if isinstance(index, slice):
            return Values(self._records[index], self._shape)
        found: T = self._shape.of(self._records[index])
        return found

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> NoReturn:
            raise AttributeError(of_unknown_value(self, name))

    def __repr__(self) -> str:
        return f"<Values of {self._records!r}>"

    def __reduce__(self) -> tuple[Any, ...]:
        # Pickled as the list of its rows, as a queryset is.
        return list, (list(self),)

    def _bound_to(self) -> Session | None:
        """Return the session that it reads from, None where that is open yet."""
        return self._records._bound_to()

    def _said(self) -> str:
        """Say what is read."""
        return f"{self._records._said()}.values()"

    def _cost_left(self) -> Cost | None:
        """Return the cost of what has to be read yet, None when everything is here."""
        return self._records._cost_left()

    def first(self) -> T | None:
        """Return the first row, None if there is none; sent is what ``first()`` of the queryset sends.

        >>> Company.objects.order_by("name").values_list("name", "status").first()
        ('Acme', 'customer')
        """
        record = self._records.first()
        return None if record is None else self._shape.of(record)

    def last(self) -> T | None:
        """Return the last row, None if there is none; sent is what ``last()`` of the queryset sends.

        :raises InvalidQuery: after a slice.

        >>> Company.objects.order_by("-name").values_list("name", flat=True).last()
        'Acme'
        """
        record = self._records.last()
        return None if record is None else self._shape.of(record)

    def iterator(self) -> Iterator[T]:
        """Iterate without a cache, holding one page at a time; an order is left to Planhat.

        :raises PaginationError: when the pages of an ordered list contradict each other.

        >>> sum(1 for _ in Company.objects.values_list("name").iterator())
        500
        """
        return map(self._shape.of, self._records.iterator())

    def chunks(self, size: int) -> Iterator[list[T]]:
        """Iterate in lists of so many rows, without a cache, as ``chunks`` of the queryset does.

        :param size: how many rows a list has; the last one has what is left.
        :raises InvalidQuery: for anything but a whole number above 0.

        >>> [len(names) for names in Company.objects.values_list("name", flat=True).chunks(300)]
        [300, 200]
        """
        return portions(self.iterator, size)

    def count(self) -> int:
        """Return how many rows there are, in the fewest requests that tell.

        >>> Company.objects.values("name").count()
        500
        """
        return self._records.count()

    def explain(self) -> str:
        """Say how the records will be got, as ``explain()`` of the queryset does, and what links cost. Sends nothing.

        >>> print(Company.objects.none().values("name").explain())
        Company.none()
          nothing is asked: no row can match
          requests: 0
        """
        return str(self.cost())

    def cost(self) -> Cost:
        """Return what ``explain()`` says, as data, links included. Sends nothing.

        >>> Company.objects.filter(external_id="acme-42").values("name").cost().requests
        1
        """
        return self._records._cost_of(self._shape.outputs)

    def show(self, count: int = 20) -> None:
        """Print the first rows as a table of the paths; without any, of the first fields that have values.

        :param count: how many.

        >>> Company.objects.order_by("name").values("name", "external_id").show(1)
        name  external_id
        Acme  acme-42
        """
        shape = Shape("dict", self._shape.outputs)
        named = [one.path for one in shape.outputs]
        print(table_of([shape.of(record) for record in self._records[: checked_count(count)]], named))

    def exists(self) -> bool:
        """Tell whether there is any row; pages are read only until one matches.

        >>> Company.objects.filter(external_id="nobody-7").values("name").exists()
        False
        """
        return self._records.exists()


def checked_count(count: int) -> int:
    """Return how many rows ``show()`` is to print; raises InvalidQuery for what is no number of rows."""
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise InvalidQuery(f"show() takes a number of rows, not {count!r}")
    return count


def table_of(dicts: list[dict[str, Any]], named: Container[str] = ()) -> str:
    """Lay dictionaries of records out as a table of the first keys that have values; long values are shortened.

    :param named: keys that are shown in any case.

    >>> print(table_of([]))
    (no records)
    """
    if not dicts:
        return "(no records)"
    filled = [name for name in dicts[0] if any(row.get(name) not in (None, "", [], {}) for row in dicts)]
    room = max(COLUMNS - sum(name in named for name in dicts[0]), 0)
    others = [name for name in filled if name not in named][:room]
    columns = [name for name in dicts[0] if name in named or name in others]
    cells = [columns, *([cell(row.get(name)) for name in columns] for row in dicts)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(columns))]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in cells
    )


def cell(value: Any) -> str:
    """Return a value on one line of a table.

    >>> cell(None), cell(0), cell("two\\nlines")
    ('', '0', 'two lines')
    """
    text = "" if value is None else " ".join(str(value).split())
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 3]}..."
