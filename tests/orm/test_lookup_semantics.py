"""What each lookup finds, for each kind of field, whatever is stored: to be read as the specification.

``SPECIFICATION`` names, for a kind of field, what may be stored, and for each condition which of those it finds. A
negated condition finds all the others. docs/querysets.md has the same in a table for people.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planhat_orm import Q
from planhat_orm.errors import InvalidQuery
from planhat_orm.models import Company, Enduser, Task
from planhat_orm.orm import conversion, fields
from planhat_orm.orm.lookups import LOOKUPS, Predicate, compile_q
from planhat_orm.orm.matching import UNREADABLE
from planhat_orm.orm.operands import EQUAL, KINDS, ORDER, TEXT
from planhat_orm.orm.paths import resolve

if TYPE_CHECKING:
    from collections.abc import Callable

ID, OTHER = "64b00001912265b1f5000001", "64b00001912265b1f5000002"
NOON = datetime(2025, 4, 1, 12, tzinfo=UTC)
APRIL, MAY = date(2025, 4, 1), date(2025, 4, 30)


class Account(Company):
    """A company with a tenant's own fields."""

    blob: fields.Json = fields.Json("blob")
    tier: fields.Custom[str] = fields.Custom("Tier", str)
    seats: fields.Custom[int] = fields.Custom("Seats", int)
    live: fields.Custom[bool] = fields.Custom("Live", bool)
    go_live: fields.Custom[date] = fields.Custom("Go Live", date, as_days=True)
    regions: fields.Custom[list[str]] = fields.Custom("Regions", list)


class Missing:
    """Stands for a property that the row does not have."""


MISSING = Missing()
#: What no kind of field but an untyped one can read, and what every kind takes for no value.
NOTHING = {"missing": MISSING, "null": None}


@dataclass
class Kind:
    """A kind of field: one of it, what may be stored in it, and what each condition finds of that."""

    path: str
    stored: dict[str, Any]
    finds: list[tuple[dict[str, Any], set[str]]]
    inside: str = ""
    model: type[Company] | type[Enduser] | type[Task] = Account

    def row(self, label: str) -> dict[str, Any]:
        """Return a row that has what is called so."""
        value = {**NOTHING, **self.stored}[label]
        target = resolve(self.model._meta, self.path)
        if target.custom:
            return {"custom": {} if value is MISSING else {target.custom: value}}
        return {} if value is MISSING else {target.data_key: value}

    @property
    def labels(self) -> set[str]:
        return {*NOTHING, *self.stored}

    def q(self, condition: dict[str, Any]) -> Q:
        return Q(self.path, **condition)


SPECIFICATION = {
    "text": Kind(
        "name",
        {
            "blank": "",
            "spaces": "  ",
            "Acme": "Acme",
            "ACME": "ACME",
            "acme & co": "acme & co",
            "number": 42,
            "true": True,
            "list": ["Acme"],
            "object": {"Acme": 1},
        },
        [
            ({"exact": "Acme"}, {"Acme"}),
            ({"exact": "42"}, {"number"}),
            ({"exact": ""}, {"blank"}),
            ({"exact": None}, {"missing", "null", "blank"}),
            ({"isnull": True}, {"missing", "null", "blank"}),
            ({"iexact": "acme"}, {"Acme", "ACME"}),
            ({"in": ["Acme", "42"]}, {"Acme", "number"}),
            ({"in": []}, set()),
            # By characters: digits before capitals before small letters. A blank text is a text.
            ({"gt": "Acme"}, {"acme & co"}),
            ({"gte": "Acme"}, {"Acme", "acme & co"}),
            ({"lt": "Acme"}, {"blank", "spaces", "ACME", "number"}),
            ({"lte": "Acme"}, {"blank", "spaces", "ACME", "number", "Acme"}),
            ({"range": ("ACME", "Acme")}, {"ACME", "Acme"}),
            ({"contains": "cm"}, {"Acme", "acme & co"}),
            ({"icontains": "cm"}, {"Acme", "ACME", "acme & co"}),
            ({"startswith": "A"}, {"Acme", "ACME"}),
            ({"istartswith": "a"}, {"Acme", "ACME", "acme & co"}),
            ({"endswith": "e"}, {"Acme"}),
            ({"iendswith": "E"}, {"Acme", "ACME"}),
            ({"regex": "^A|2$"}, {"Acme", "ACME", "number"}),
            ({"iregex": "^a.*e$"}, {"Acme", "ACME"}),
            ({"regex": "^$"}, {"blank"}),
        ],
    ),
    "number": Kind(
        "arr",
        {
            "blank": "",
            "zero": 0,
            "five": 5,
            "5.0": 5.0,
            "'5'": "5",
            "' 5 '": " 5 ",
            "7.5": 7.5,
            "true": True,
            "word": "many",
            "'nan'": "nan",
            "NaN": float("nan"),
            "infinity": float("inf"),
            "list": [5],
            "object": {"value": 5},
        },
        [
            ({"exact": 5}, {"five", "5.0", "'5'", "' 5 '"}),
            ({"exact": 0}, {"zero"}),
            ({"exact": 1}, set()),  # true is no number
            ({"isnull": True}, {"missing", "null", "blank"}),
            ({"in": [0, 7.5]}, {"zero", "7.5"}),
            ({"gt": 5}, {"7.5", "infinity"}),
            ({"gte": 5}, {"five", "5.0", "'5'", "' 5 '", "7.5", "infinity"}),
            ({"lt": 5}, {"zero"}),
            ({"lte": 5}, {"zero", "five", "5.0", "'5'", "' 5 '"}),
            ({"range": (1, 7.5)}, {"five", "5.0", "'5'", "' 5 '", "7.5"}),
            ({"range": (7, 1)}, set()),
        ],
    ),
    "true or false": Kind(
        "auto_renews",
        {
            "blank": "",
            "true": True,
            "false": False,
            "'true'": "true",
            "'FALSE'": "FALSE",
            "1": 1,
            "0": 0,
            "'1'": "1",
            "2": 2,
            "word": "yes",
            "list": [True],
        },
        [
            ({"exact": True}, {"true", "'true'", "1", "'1'"}),
            ({"exact": False}, {"false", "'FALSE'", "0"}),
            ({"in": [True, False]}, {"true", "'true'", "1", "'1'", "false", "'FALSE'", "0"}),
            ({"isnull": True}, {"missing", "null", "blank"}),
        ],
    ),
    "true or false by which a list hides rows": Kind(
        "archived",
        {"true": True, "false": False},
        [
            ({"exact": True}, {"true"}),
            ({"exact": False}, {"false", "missing", "null"}),
            ({"in": [False]}, {"false", "missing", "null"}),
            ({"in": [True]}, {"true"}),
            ({"in": [True, False]}, {"true", "false", "missing", "null"}),
            ({"isnull": True}, {"missing", "null"}),
        ],
        model=Enduser,
    ),
    "point in time": Kind(
        "updated_at",
        {
            "blank": "",
            "noon": "2025-04-01T12:00:00.000Z",
            "noon elsewhere": "2025-04-01T14:00:00+02:00",
            "noon in ms": 1_743_508_800_000,
            "midnight": "2025-04-01",
            "end of day": "2025-04-01T23:59:59.999Z",
            "next day": "2025-04-02T00:00:00.000Z",
            "30th": "2025-04-30T22:00:00.000Z",
            "word": "soon",
            "true": True,
            "list": ["2025-04-01"],
        },
        [
            ({"exact": NOON}, {"noon", "noon elsewhere", "noon in ms"}),
            ({"exact": "2025-04-01T12:00:00Z"}, {"noon", "noon elsewhere", "noon in ms"}),
            # A day stands for the whole day, in UTC or the zone of the session.
            ({"exact": APRIL}, {"noon", "noon elsewhere", "noon in ms", "midnight", "end of day"}),
            ({"exact": "2025-04-01"}, {"noon", "noon elsewhere", "noon in ms", "midnight", "end of day"}),
            ({"in": [date(2025, 4, 2), NOON]}, {"next day", "noon", "noon elsewhere", "noon in ms"}),
            ({"gt": APRIL}, {"next day", "30th"}),
            ({"gte": date(2025, 4, 2)}, {"next day", "30th"}),
            ({"lt": NOON}, {"midnight"}),
            ({"lte": NOON}, {"midnight", "noon", "noon elsewhere", "noon in ms"}),
            ({"lte": APRIL}, {"noon", "noon elsewhere", "noon in ms", "midnight", "end of day"}),
            ({"range": (date(2025, 4, 2), MAY)}, {"next day", "30th"}),
            ({"range": (NOON, APRIL)}, {"noon", "noon elsewhere", "noon in ms", "end of day"}),
            ({"isnull": True}, {"missing", "null", "blank"}),
        ],
    ),
    "calendar day": Kind(
        "customer_from",
        {
            "blank": "",
            "first": "2025-04-01T00:00:00.000Z",
            "first, shifted east": "2025-03-31T21:00:00.000Z",
            "first, shifted west": "2025-04-01T04:00:00.000Z",
            "first, as text": "2025-04-01",
            "first, in days": 20179,
            "30th": "2025-04-30T00:00:00.000Z",
            "word": "soon",
            "true": True,
        },
        [
            (
                {"exact": APRIL},
                {"first", "first, shifted east", "first, shifted west", "first, as text", "first, in days"},
            ),
            ({"exact": "2025-04-30"}, {"30th"}),
            ({"gt": APRIL}, {"30th"}),
            (
                {"lt": MAY},
                {"first", "first, shifted east", "first, shifted west", "first, as text", "first, in days"},
            ),
            ({"range": (date(2025, 4, 2), MAY)}, {"30th"}),
            # Held against an instant, a day is its midnight.
            ({"gte": NOON}, {"30th"}),
            ({"in": [MAY]}, {"30th"}),
            ({"isnull": True}, {"missing", "null", "blank"}),
        ],
    ),
    "list of texts": Kind(
        "tags",
        {
            "empty": [],
            "vip, eu": ["vip", "eu"],
            "VIP": ["VIP"],
            "one text": "vip, eu",
            "numbers": [5, None],
            "number": 5,
            "object": {"vip": 1},
        },
        [
            ({"contains": "vip"}, {"vip, eu", "one text"}),
            ({"contains": "vi"}, set()),  # one item is it, not a part of one
            ({"icontains": "vip"}, {"vip, eu", "one text", "VIP"}),
            ({"iexact": "vip"}, {"vip, eu", "one text", "VIP"}),
            ({"startswith": "v"}, {"vip, eu", "one text"}),
            ({"istartswith": "v"}, {"vip, eu", "one text", "VIP"}),
            ({"endswith": "u"}, {"vip, eu", "one text"}),
            ({"iendswith": "P"}, {"vip, eu", "one text", "VIP"}),
            ({"regex": "^V"}, {"VIP"}),
            ({"iregex": "^V"}, {"vip, eu", "one text", "VIP"}),
            ({"in": ["us", "eu"]}, {"vip, eu", "one text"}),
            ({"exact": ["vip", "eu"]}, {"vip, eu", "one text"}),
            ({"exact": ["eu", "vip"]}, set()),
            ({"exact": []}, {"empty"}),
            ({"isnull": True}, {"missing", "null", "empty"}),
        ],
    ),
    "list of links": Kind(
        "followers",
        {
            "empty": [],
            "blank": "",
            "ids": [ID, OTHER],
            "objects": [{"_id": ID}],
            "one odd": [ID, 7, None],
            "other": [OTHER],
            "one id": ID,
            "number": 5,
            "object": {"_id": ID},
        },
        [
            ({"exact": ID}, {"ids", "objects", "one odd"}),
            ({"exact": ID.upper()}, {"ids", "objects", "one odd"}),
            ({"contains": ID}, {"ids", "objects", "one odd"}),
            ({"in": [ID, OTHER]}, {"ids", "objects", "one odd", "other"}),
            ({"in": []}, set()),
            ({"isnull": True}, {"missing", "null", "empty", "blank"}),
        ],
    ),
    "link": Kind(
        "owner",
        {
            "blank": "",
            "id": ID,
            "object": {"_id": ID, "nickName": "Kim"},
            "other object": {"id": OTHER, "name": "Lee"},
            "empty object": {},
            "object of a number": {"_id": 5},
            "number": 5,
            "list": [ID],
        },
        [
            ({"exact": ID}, {"id", "object"}),
            ({"in": [ID, OTHER]}, {"id", "object", "other object"}),
            ({"isnull": True}, {"missing", "null", "blank", "empty object"}),
        ],
    ),
    "list": Kind(
        "alerts",
        {"blank": "", "empty": [], "texts": ["late", 5], "number": 5, "object": {"a": 1}, "text": "late"},
        [
            ({"exact": ["late", 5]}, {"texts"}),
            ({"exact": []}, {"empty"}),
            ({"in": [5, "early"]}, {"texts"}),
            ({"contains": 5}, {"texts"}),
            ({"contains": "late"}, {"texts"}),
            ({"contains": "lat"}, set()),
            ({"icontains": "LATE"}, {"texts"}),
            ({"startswith": "l"}, {"texts"}),
            ({"isnull": True}, {"missing", "null", "blank", "empty"}),
        ],
    ),
    "mapping": Kind(
        "usage",
        {"blank": "", "empty": {}, "empty list": [], "a": {"a": 1.0}, "text": "a", "list": ["a"]},
        [
            ({"exact": {"a": 1}}, {"a"}),
            ({"exact": {}}, {"empty"}),
            ({"isnull": True}, {"missing", "null", "blank", "empty", "empty list"}),
        ],
    ),
    "anything": Kind(
        "blob",
        {"blank": "", "texts": ["late", 5], "object": {"a": 1.0}, "number": 5, "text": "late", "true": True},
        [
            ({"exact": {"a": 1}}, {"object"}),
            ({"exact": 5}, {"number"}),
            ({"in": [5]}, {"number", "texts"}),
            ({"contains": 5}, {"texts"}),
            ({"contains": "late"}, {"texts", "text"}),
            ({"icontains": "LATE"}, {"texts", "text"}),
            ({"gte": 5}, {"number"}),
            ({"isnull": True}, {"missing", "null", "blank"}),
        ],
    ),
    "custom field": Kind(
        "custom.Anything",
        {
            "blank": "",
            "empty": [],
            "5": 5,
            "'5'": "5",
            "true": True,
            "Gold": "Gold",
            "gold": "gold",
            "list": ["Gold", 5],
            "object": {"a": 1},
            "NaN": float("nan"),
            "day": "2025-04-01",
            "day as an instant": "2025-04-01T00:00:00.000Z",
            "day in days": 20179,
            "evening": "2025-04-01T20:00:00.000Z",
        },
        [
            # Nobody said which type it has: what is stored is compared with values of its own kind alone.
            ({"exact": 5}, {"5"}),
            ({"exact": "5"}, {"'5'"}),
            ({"exact": True}, {"true"}),
            ({"exact": 1}, set()),
            ({"exact": "Gold"}, {"Gold"}),
            ({"exact": ""}, {"blank"}),
            ({"exact": {"a": 1}}, {"object"}),
            ({"exact": ["Gold", 5]}, {"list"}),
            ({"in": ["Gold", 5]}, {"Gold", "5", "list"}),
            ({"iexact": "GOLD"}, {"Gold", "gold", "list"}),
            ({"gt": 4}, {"5", "day in days"}),
            ({"gt": "F"}, {"Gold", "gold"}),
            ({"range": (1, 10)}, {"5"}),
            ({"contains": "ol"}, {"Gold", "gold"}),
            ({"contains": "Gold"}, {"Gold", "list"}),
            ({"contains": 5}, {"list"}),
            ({"icontains": "GO"}, {"Gold", "gold"}),
            ({"startswith": "G"}, {"Gold", "list"}),
            ({"regex": "^g"}, {"gold"}),
            # A date is compared with what can be read as one, whether it is given as a date or written as a text.
            ({"exact": APRIL}, {"day", "day as an instant", "day in days", "evening"}),
            ({"exact": "2025-04-01"}, {"day", "day as an instant", "day in days", "evening"}),
            ({"range": (date(2025, 3, 1), APRIL)}, {"day", "day as an instant", "day in days", "evening"}),
            ({"range": ("2025-03-01", "2025-04-01")}, {"day", "day as an instant", "day in days", "evening"}),
            ({"lte": "2025-04-01"}, {"5", "day", "day as an instant", "day in days", "evening"}),
            ({"gt": "2025-04-01"}, set()),
            ({"gte": "2025-04-01T20:00:00Z"}, {"evening"}),
            ({"startswith": "2025-04"}, {"day", "day as an instant", "evening"}),
            ({"isnull": True}, {"missing", "null", "blank", "empty"}),
        ],
    ),
    "declared custom text": Kind(
        "tier",
        {"blank": "", "Gold": "Gold", "number": 5, "true": True, "list": ["Gold"]},
        [
            ({"exact": "Gold"}, {"Gold"}),
            ({"exact": "5"}, {"number"}),
            ({"iexact": "GOLD"}, {"Gold"}),
            ({"isnull": True}, {"missing", "null", "blank"}),
        ],
    ),
    "declared custom number": Kind(
        "seats",
        {"blank": "", "5": 5, "'5'": "5", "word": "many", "true": True},
        [
            ({"exact": 5}, {"5", "'5'"}),
            ({"gt": 4}, {"5", "'5'"}),
            ({"isnull": True}, {"missing", "null", "blank"}),
        ],
    ),
    "declared custom day": Kind(
        "go_live",
        {"blank": "", "in days": 20179, "as an instant": "2025-04-01T00:00:00.000Z", "word": "soon"},
        [
            ({"exact": APRIL}, {"in days", "as an instant"}),
            ({"range": (APRIL, MAY)}, {"in days", "as an instant"}),
            ({"isnull": True}, {"missing", "null", "blank"}),
        ],
    ),
}
CASES = [
    pytest.param(kind, condition, found, id=f"{name} {condition}")
    for name, kind in SPECIFICATION.items()
    for condition, found in kind.finds
]


def compiled(kind: Kind, q: Q) -> Predicate:
    return compile_q(kind.model._meta, [q])


@pytest.mark.parametrize(("kind", "condition", "found"), CASES)
def test_each_lookup_finds_just_this(kind: Kind, condition: dict[str, Any], found: set[str]) -> None:
    assert found <= kind.labels
    test = compiled(kind, kind.q(condition))
    assert {label for label in kind.labels if test(kind.row(label))} == found


@pytest.mark.parametrize(("kind", "condition", "found"), CASES)
def test_a_negated_lookup_finds_all_the_others(kind: Kind, condition: dict[str, Any], found: set[str]) -> None:
    for q in (~kind.q(condition), ~~~kind.q(condition), Q(~kind.q(condition))):
        test = compiled(kind, q)
        assert {label for label in kind.labels if test(kind.row(label))} == kind.labels - found


@pytest.mark.parametrize("name", SPECIFICATION)
def test_what_is_null_and_what_is_not_are_all_there_is(name: str) -> None:
    kind = SPECIFICATION[name]
    null, other = (compiled(kind, Q(kind.path, isnull=one)) for one in (True, False))
    for label in kind.labels:
        assert null(kind.row(label)) is not other(kind.row(label))
    assert all(null(kind.row(label)) for label in NOTHING)


@pytest.mark.parametrize("name", SPECIFICATION)
def test_what_cannot_be_read_is_neither_null_nor_equal_to_anything(name: str) -> None:
    kind = SPECIFICATION[name]
    target = resolve(kind.model._meta, kind.path)
    unreadable = [label for label in kind.labels if target.read(kind.row(label)) is UNREADABLE]
    for condition, found in kind.finds:
        assert found.isdisjoint(unreadable), condition


@pytest.mark.parametrize("name", SPECIFICATION)
def test_each_kind_knows_the_lookups_that_mean_something_there_and_refuses_the_others(name: str) -> None:
    kind = SPECIFICATION[name]
    target = resolve(kind.model._meta, kind.path)
    known = next((knows for made, _, knows in KINDS if isinstance(target.converter, made)), frozenset(LOOKUPS))
    values = {"in": [], "range": (1, 2), "isnull": True}
    for lookup in set(LOOKUPS) - known:
        with pytest.raises(InvalidQuery, match=f"which {lookup} cannot compare"):
            compiled(kind, Q(kind.path, **{lookup: values.get(lookup, "x")}))
    said = {lookup for condition, _ in kind.finds for lookup in condition}
    assert said <= known


def test_the_specification_shows_every_lookup_of_every_kind() -> None:
    shown = {
        name: {lookup for condition, _ in kind.finds for lookup in condition} for name, kind in SPECIFICATION.items()
    }
    assert shown["text"] == set(LOOKUPS)
    assert {"exact", "in", "isnull", "gt", "gte", "lt", "lte", "range"} == shown["number"] == shown["point in time"]
    assert shown["list of texts"] == set(LOOKUPS) - {"gt", "gte", "lt", "lte", "range"}
    kinds = {type(resolve(kind.model._meta, kind.path).converter) for kind in SPECIFICATION.values()}
    assert {made for made, _, _ in KINDS} <= {base for made in kinds for base in made.__mro__}


def test_the_page_says_which_lookups_each_kind_knows() -> None:
    text = (Path(__file__).parents[2] / "docs/querysets.md").read_text(encoding="utf-8")
    lines = text[text.index("| Kind of field |") :].split("\n\n")[0].splitlines()[2:]
    said = {cells[1].strip(): set(re.findall(r"\w+", cells[2])) for line in lines if (cells := line.split("|"))}
    groups = {"all": set(LOOKUPS), "equal": EQUAL, "order": ORDER, "text": TEXT}
    for _, kind, known in KINDS:
        words = said.pop(kind.removeprefix("a ").capitalize())
        assert {name for word in words for name in groups.get(word, {word})} == known, kind
    assert said == {"Custom field, declared": set(), "Custom field": {"all"}}


def test_days_are_those_of_the_sessions_zone() -> None:
    zone = ZoneInfo("America/New_York")
    evening = {"updatedAt": "2025-04-02T02:00:00Z", "custom": {"Day": "2025-04-01", "Instant": "2025-04-02T02:00:00Z"}}
    for q in (
        Q(updated_at=APRIL),
        Q(updated_at__lte=APRIL),
        Q("custom.Day", exact=APRIL),
        Q("custom.Day", exact="2025-04-01"),
        Q("custom.Instant", range=("2025-04-01", "2025-04-01")),
    ):
        assert compile_q(Account._meta, [q], zone)(evening), q
    assert not compile_q(Account._meta, [Q(updated_at__gt=APRIL)], zone)(evening)


@pytest.mark.parametrize("values", [{1, 5}, frozenset((1, 5)), {1: 2, 5: 6}])
def test_a_range_has_an_order(values: Any) -> None:
    with pytest.raises(InvalidQuery, match="in that order"):
        Q(arr__range=values)


# The algebra, over anything that JSON can hold

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=4)
    | st.sampled_from(["Gold", ID, "", "5"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3) | st.just("_id"), inner, max_size=3)
    ),
    max_leaves=5,
)
samples = st.sampled_from(
    [(kind, label) for kind in SPECIFICATION.values() if kind.model is Account for label in sorted(kind.labels)]
)


@st.composite
def rows(draw: st.DrawFn) -> dict[str, Any]:
    """A row with something in each of a few fields: what the specification knows, or anything at all."""
    row: dict[str, Any] = {"custom": {}}
    for kind, label in draw(st.lists(samples, max_size=6)):
        made = kind.row(label)
        row = {**row, **made, "custom": {**row["custom"], **made.get("custom", {})}}
    for path in draw(st.lists(st.sampled_from(sorted(kind.path for kind in SPECIFICATION.values())), max_size=4)):
        if path != "archived":
            target, value = resolve(Account._meta, path), draw(json_values)
            row = (
                {**row, "custom": {**row["custom"], target.custom: value}}
                if target.custom
                else {
                    **row,
                    target.data_key: value,
                }
            )
    return row


simple = st.sampled_from(
    [kind.q(condition) for kind in SPECIFICATION.values() if kind.model is Account for condition, _ in kind.finds]
)
queries = st.recursive(
    simple,
    lambda inner: (
        st.builds(lambda a, b: a & b, inner, inner)
        | st.builds(lambda a, b: a | b, inner, inner)
        | st.builds(lambda a, b: a ^ b, inner, inner)
        | st.builds(lambda a: ~a, inner)
        | st.builds(Q, inner, inner)
    ),
    max_leaves=5,
)


def holds(row: dict[str, Any], *where: Q) -> bool:
    return compile_q(Account._meta, where)(row)


@given(a=queries, b=queries, c=queries, row=rows())
def test_the_laws_of_logic_hold_for_q(a: Q, b: Q, c: Q, row: dict[str, Any]) -> None:
    for one, other in (
        (~~a, a),
        (a & a, a),
        (a | a, a),
        (a & b, b & a),
        (a | b, b | a),
        ((a & b) & c, a & (b & c)),
        ((a | b) | c, a | (b | c)),
        (a & (b | c), (a & b) | (a & c)),
        (a | (b & c), (a | b) & (a | c)),
        (~(a & b), ~a | ~b),
        (~(a | b), ~a & ~b),
        (a & (a | b), a),
        (a ^ b, (a | b) & ~(a & b)),
        (~(a ^ b), (a & b) | (~a & ~b)),
    ):
        assert holds(row, one) is holds(row, other), (one, other)
    assert not holds(row, a & ~a)
    assert holds(row, a | ~a)


@given(a=queries, b=queries, row=rows())
def test_several_filters_are_one_and_their_order_does_not_matter(a: Q, b: Q, row: dict[str, Any]) -> None:
    everything = Account.objects.all()
    first, second = everything.filter(a).exclude(b), everything.exclude(b).filter(a)
    assert holds(row, *first.query.where) is holds(row, *second.query.where) is holds(row, a & ~b)
    assert holds(row, *everything.exclude(a).query.where) is holds(row, *everything.filter(~a).query.where)
    assert holds(row, *everything.exclude(a, b).query.where) is (not (holds(row, a) and holds(row, b)))


#: Conditions on one value, of every kind that can be put in a list.
EQUALS = [
    (kind, condition["exact"])
    for kind in SPECIFICATION.values()
    for condition, _ in kind.finds
    if kind.model is Account and condition.get("exact") is not None and kind.path not in ("tags",)
]


@given(data=st.data(), row=rows())
def test_in_is_one_exact_or_another(data: st.DataObject, row: dict[str, Any]) -> None:
    kind = data.draw(st.sampled_from([kind for kind, _ in EQUALS]))
    values = data.draw(st.lists(st.sampled_from([value for one, value in EQUALS if one is kind]), max_size=3))
    stored = resolve(Account._meta, kind.path).read(row)
    within = holds(row, Q(kind.path, **{"in": values}))
    either = any(holds(row, Q(kind.path, exact=value)) for value in values)
    # Of a list, one item has to be among the values; ``exact`` holds the whole list against one.
    assert within is either or isinstance(stored, list)
    assert within or not either


ENDS: dict[str, st.SearchStrategy[Any]] = {
    "arr": st.integers(-9, 9) | st.floats(-9, 9),
    "name": st.sampled_from(["", "A", "Acme", "a", "zz"]),
    "updated_at": st.sampled_from([NOON, APRIL, MAY, "2025-04-01", "2025-04-02T00:00:00Z"]),
    "customer_from": st.sampled_from([NOON, APRIL, MAY, "2025-04-30"]),
    "custom.Anything": st.sampled_from([5, 4.5, "Gold", APRIL, "2025-04-01", NOON]),
    "seats": st.integers(-9, 9),
}


@given(data=st.data(), row=rows())
def test_range_is_from_and_to(data: st.DataObject, row: dict[str, Any]) -> None:
    path = data.draw(st.sampled_from(sorted(ENDS)))
    first, last = data.draw(ENDS[path]), data.draw(ENDS[path])
    both = holds(row, Q(path, gte=first), Q(path, lte=last))
    assert holds(row, Q(path, range=(first, last))) is both
    assert holds(row, Q(path, range=[first, last])) is both
    assert holds(row, Q(path, gt=first)) <= holds(row, Q(path, gte=first))
    assert holds(row, Q(path, lt=last)) <= holds(row, Q(path, lte=last))
    assert not (holds(row, Q(path, gt=first)) and holds(row, Q(path, lte=first)))


@given(
    stored=json_values,
    path=st.sampled_from(sorted(kind.path for kind in SPECIFICATION.values() if kind.path != "archived")),
)
def test_a_row_that_passes_exactly_passes_loosely(stored: Any, path: str) -> None:
    target = resolve(Account._meta, path)
    row = {"custom": {target.custom: stored}} if target.custom else {target.data_key: stored}
    for kind in SPECIFICATION.values():
        for condition, _ in kind.finds if kind.path == path else ():
            for test in compile_q(Account._meta, [kind.q(condition)]).tests:
                assert test.loosely(row) or not test(row), condition


@pytest.mark.parametrize("converter", [conversion.Text, conversion.Number, conversion.Boolean, conversion.Instant])
def test_a_value_of_another_kind_is_refused_rather_than_never_found(converter: type) -> None:
    wrong: dict[type, tuple[str, Any]] = {
        conversion.Text: ("name", 5),
        conversion.Number: ("arr", "5"),
        conversion.Boolean: ("auto_renews", 1),
        conversion.Instant: ("updated_at", 5),
    }
    path, value = wrong[converter]
    refused: Callable[[], object] = lambda: Company.objects.filter(**{path: value})  # noqa: E731
    with pytest.raises(InvalidQuery):
        refused()
