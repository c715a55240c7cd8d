"""Conversion: tolerant reading, strict writing, and what counts as the same value."""

from __future__ import annotations

import contextlib
import copy
import json
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import marshmallow
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planhat_orm.orm import conversion

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
CONVERTERS = [
    conversion.Text,
    conversion.Number,
    conversion.Integer,
    conversion.Boolean,
    conversion.Instant,
    conversion.Day,
    conversion.DayNumber,
    conversion.TextList,
    conversion.IdList,
    conversion.Json,
    conversion.List,
    conversion.Map,
    conversion.Reference,
    conversion.ReferenceList,
]
SOME_ID = "64b0f1a2c3d4e5f60718293a"


@pytest.mark.parametrize("converter", CONVERTERS, ids=lambda converter: converter.__name__)
@given(value=JSON)
def test_whatever_json_holds_is_read_or_refused_by_a_validation_error(
    converter: type[conversion.Tolerant], value: Any
) -> None:
    before = copy.deepcopy(value)
    with contextlib.suppress(marshmallow.ValidationError):
        converter().deserialize(value)
    # The untouched row is what changes are told from: no reading may change it.
    assert repr(value) == repr(before)


@pytest.mark.parametrize("converter", CONVERTERS, ids=lambda converter: converter.__name__)
@given(value=JSON)
def test_what_was_read_is_written_as_json_or_refused(converter: type[conversion.Tolerant], value: Any) -> None:
    field = converter()
    try:
        wire = field.encode(field.deserialize(value))
    except marshmallow.ValidationError:
        return
    assert isinstance(json.dumps(wire, allow_nan=False), str)


@given(value=JSON)
def test_a_copy_is_the_same_and_shares_no_container(value: Any) -> None:
    twin = conversion.plain_copy(value)
    assert conversion.same(twin, value)
    if isinstance(value, (list, dict)):
        assert twin is not value
        before = repr(value)
        twin.clear()
        assert repr(value) == before


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (1, 1.0, True),
        (True, 1, False),
        (False, 0, False),
        (False, None, False),
        ("", None, False),
        ([1, [True]], [1, [1]], False),
        ({"a": [1.0]}, {"a": [1]}, True),
        ({"a": 1}, {"a": 1, "b": None}, False),
        ((1, 2), [1, 2], True),
        (date(2025, 4, 1), datetime(2025, 4, 1, tzinfo=UTC), False),
        (datetime(2025, 4, 1), datetime(2025, 4, 1, tzinfo=UTC), False),
    ],
)
def test_sameness_tells_true_from_one_at_any_depth(one: Any, other: Any, equal: bool) -> None:
    assert conversion.same(one, other) is equal
    assert conversion.same(other, one) is equal


def test_a_value_that_is_no_number_is_the_same_as_itself() -> None:
    nan = float("nan")
    assert conversion.same({"a": [nan]}, {"a": [nan]})


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        ("2021-07-27T20:25:44.430Z", datetime(2021, 7, 27, 20, 25, 44, 430000, UTC)),
        ("2021-07-27T22:25:44+02:00", datetime(2021, 7, 27, 20, 25, 44, tzinfo=UTC)),
        ("2021-07-27T20:25:44", datetime(2021, 7, 27, 20, 25, 44, tzinfo=UTC)),
        ("2021-07-27", datetime(2021, 7, 27, tzinfo=UTC)),
        (1_600_000_000_000, datetime(2020, 9, 13, 12, 26, 40, tzinfo=UTC)),
        ("", None),
        ("   ", None),
        (None, None),
    ],
)
def test_points_in_time_are_aware_and_in_utc(stored: Any, read: datetime | None) -> None:
    assert conversion.Instant().deserialize(stored) == read


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        ("2025-04-01T00:00:00.000Z", date(2025, 4, 1)),
        ("2025-03-31T21:00:00.000Z", date(2025, 4, 1)),
        ("2025-04-01T04:00:00.000Z", date(2025, 4, 1)),
        ("2025-04-01", date(2025, 4, 1)),
        (18395, date(2020, 5, 13)),
        (0, date(1970, 1, 1)),
        (-1, date(1969, 12, 31)),
        ("", None),
    ],
)
def test_a_calendar_day_is_the_nearest_utc_midnight_or_a_count_of_days(stored: Any, read: date | None) -> None:
    assert conversion.Day().deserialize(stored) == read
    assert conversion.DayNumber().deserialize(stored) == read


@given(day=st.dates(), shift=st.integers(min_value=-11 * 60 - 59, max_value=11 * 60 + 59))
def test_a_day_shifted_by_any_zone_is_read_as_that_day(day: date, shift: int) -> None:
    try:
        moved = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(minutes=shift)
    except OverflowError:
        return
    assert conversion.Day().deserialize(conversion.wire_instant(moved)) == day


@given(day=st.dates())
def test_days_survive_the_way_out_and_back(day: date) -> None:
    for converter in (conversion.Day(), conversion.DayNumber()):
        if isinstance(converter, conversion.DayNumber) and abs((day - conversion.EPOCH_DAY).days) >= 100_000:
            continue
        assert converter.deserialize(converter.encode(day)) == day


@given(moment=st.datetimes(timezones=st.just(UTC) | st.timezones()))
def test_times_survive_the_way_out_and_back_to_the_millisecond(moment: datetime) -> None:
    normal = conversion.normal_instant(moment)
    if (
        not timedelta(days=1)
        < moment.replace(tzinfo=None) - datetime.min
        < datetime.max - datetime.min - timedelta(days=1)
    ):
        return  # near the ends of the calendar UTC may be beyond them
    wire = conversion.Instant().encode(moment)
    assert wire.endswith("Z")
    assert conversion.Instant().deserialize(wire) == normal


def test_a_time_that_utc_has_no_year_for_is_refused() -> None:
    early = datetime.min.replace(tzinfo=timezone(timedelta(hours=9)))
    assert conversion.normal_instant(early) is early
    with pytest.raises(marshmallow.ValidationError, match="outside the years 1 to 9999"):
        conversion.Instant().encode(early)


def test_a_naive_datetime_is_refused_unless_a_zone_is_named() -> None:
    naive = datetime(2025, 7, 1, 9)
    with pytest.raises(marshmallow.ValidationError, match="without a time zone"):
        conversion.Instant().encode(naive)
    stockholm = ZoneInfo("Europe/Stockholm")
    assert conversion.Instant().encode(naive, stockholm) == "2025-07-01T07:00:00.000Z"
    assert conversion.normal_instant(naive, stockholm) == datetime(2025, 7, 1, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        (3.7, 3.7),
        (3, 3),
        ("3", 3),
        ("-3.20", -3.2),
        (" 7 ", 7),
        ("1e3", 1000.0),
        ("", None),
        (10**400, 10**400),
    ],
)
def test_numbers_keep_what_came(stored: Any, read: Any) -> None:
    number = conversion.Integer().deserialize(stored)
    assert number == read
    assert type(number) is type(read)


@pytest.mark.parametrize("stored", ["many", "1_000", "nan", "inf", "1e999", True, [], {}, "٣"])
def test_what_is_no_number_is_refused_as_one(stored: Any) -> None:
    with pytest.raises(marshmallow.ValidationError, match="not a number"):
        conversion.Number().deserialize(stored)


@pytest.mark.parametrize(
    ("stored", "read"),
    [(True, True), ("true", True), (" False ", False), (1, True), (0.0, False), ("0", False), ("", None), (" ", None)],
)
def test_booleans_are_read_in_every_shape_they_came_in(stored: Any, read: bool | None) -> None:
    assert conversion.Boolean().deserialize(stored) is read


@pytest.mark.parametrize("stored", [5, -1, 2.0, "maybe", [], {}, float("nan")])
def test_what_is_neither_true_nor_false_is_refused(stored: Any) -> None:
    with pytest.raises(marshmallow.ValidationError, match="not true or false"):
        conversion.Boolean().deserialize(stored)


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        (SOME_ID, SOME_ID),
        ({"_id": SOME_ID, "nickName": "Kim"}, SOME_ID),
        ({"id": SOME_ID, "isOwner": True}, SOME_ID),
        ({"_id": None, "id": SOME_ID}, SOME_ID),
        ({}, None),
        ("", None),
        (None, None),
    ],
)
def test_references_are_read_in_every_shape_they_came_in(stored: Any, read: str | None) -> None:
    assert conversion.Reference().deserialize(stored) == read


def test_a_list_of_ids_reads_ids_and_objects_alike() -> None:
    assert conversion.IdList().deserialize([SOME_ID, {"_id": SOME_ID, "name": "CSM"}]) == [SOME_ID, SOME_ID]


def test_a_comma_separated_text_is_read_as_the_list_it_stands_for() -> None:
    assert conversion.TextList().deserialize(",one,two, ") == ["one", "two"]


def test_choices_bind_writing_and_not_reading() -> None:
    field = conversion.Text(validate=marshmallow.validate.OneOf(["a", "b"]))
    assert field.deserialize("c") == "c"
    with pytest.raises(marshmallow.ValidationError, match="Must be one of"):
        field.encode("c")


@pytest.mark.parametrize(
    ("converter", "value", "complaint"),
    [
        (conversion.Text, 3, r"must be a text \(str\), not int 3"),
        (conversion.Number, "3", "must be a number, not str '3'"),
        (conversion.Number, True, "must be a number, not bool"),
        (conversion.Number, float("inf"), "finite"),
        (conversion.Integer, 3.5, "must be a whole number"),
        (conversion.Boolean, 1, "must be True or False"),
        (conversion.Instant, "2025-01-01", "must be a datetime"),
        (conversion.Instant, date(2025, 1, 1), "must be a datetime"),
        (conversion.Day, datetime(2025, 1, 1, tzinfo=UTC), "must be a date"),
        (conversion.TextList, "a,b", "must be a list of texts"),
        (conversion.TextList, ["a", 1], "1 is of type int"),
        (conversion.IdList, ["admin"], "24 hexadecimal digits"),
        (conversion.Reference, "acme-42", "24 hexadecimal digits"),
        (conversion.Json, {1: "a"}, "a key that is no text"),
        (conversion.Json, [{"a": object()}], "JSON cannot say"),
        (conversion.Json, {"a": [float("nan")]}, "finite"),
    ],
)
def test_writing_refuses_the_wrong_type_and_says_what_is_expected(
    converter: type[conversion.Tolerant], value: Any, complaint: str
) -> None:
    with pytest.raises(marshmallow.ValidationError, match=complaint):
        converter().encode(value)


def test_dates_inside_json_are_sent_as_timestamps() -> None:
    when = datetime(2025, 1, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    assert conversion.wire_json({"day": date(2025, 1, 1), "times": (when,)}) == {
        "day": "2025-01-01T00:00:00.000Z",
        "times": ["2025-01-01T10:00:00.000Z"],
    }


def test_a_long_value_is_cut_in_messages() -> None:
    assert len(conversion.shown("x" * 10_000)) < 300
    assert conversion.shown("x" * 10_000).endswith("(10,002 characters)")


@pytest.mark.parametrize("stored", ["7\x1f", "\x1c7", " 7 ", "+7\u2003"])
def test_white_space_of_every_kind_around_a_number_is_left_out(stored: str) -> None:
    assert conversion.Number().deserialize(stored) == 7


def test_a_number_with_thousands_of_zeros_in_front_is_read() -> None:
    assert conversion.Number().deserialize("0" * 5000 + "7") == 7


@pytest.mark.parametrize(
    ("converter", "value", "cure"),
    [
        (conversion.Number(), "3", "must be a number, not str '3': int('3') makes it one"),
        (conversion.Number(), " 3.5 ", ": float(' 3.5 ') makes it one"),
        (conversion.Integer(), "3", "must be a whole number (int), not str '3': int('3') makes it one"),
        (conversion.Text(), 42, "must be a text (str), not int 42: write '42'"),
        (conversion.Day(), "2026-01-12", "not str '2026-01-12': date.fromisoformat('2026-01-12') makes it one"),
        (conversion.Day(), datetime(2026, 1, 12, tzinfo=UTC), ": its .date() is one"),
        (conversion.Instant(), date(2026, 1, 12), ": write datetime(2026, 1, 12, tzinfo=timezone.utc)"),
        (conversion.Instant(), "2026-01-12T09:00:00Z", ": datetime.fromisoformat('2026-01-12T09:00:00Z') makes it one"),
        (
            conversion.Instant(),
            "2026-01-12",
            ": datetime.fromisoformat('2026-01-12').replace(tzinfo=timezone.utc) makes it one",
        ),
    ],
)
def test_the_cure_for_a_value_of_the_wrong_type_is_named(converter: Any, value: Any, cure: str) -> None:
    with pytest.raises(marshmallow.ValidationError) as caught:
        converter.encode(value)
    [message] = caught.value.messages
    assert str(message).endswith(cure)


@pytest.mark.parametrize(
    ("converter", "value"),
    [
        (conversion.Number(), "three"),
        (conversion.Number(), "1_000"),
        (conversion.Integer(), "3.5"),
        (conversion.Text(), True),
        (conversion.Text(), ["a"]),
        (conversion.Day(), "soon"),
        (conversion.Instant(), "soon"),
        (conversion.Instant(), 20454),
    ],
)
def test_where_no_cure_is_known_none_is_named(converter: Any, value: Any) -> None:
    with pytest.raises(marshmallow.ValidationError) as caught:
        converter.encode(value)
    [message] = caught.value.messages
    assert str(message).endswith(f"not {type(value).__name__} {value!r}")
