"""Querysets over HTTP against plain Python over the same rows: none wrong, none missing, none twice.

Each question is made at random and answered twice: by a queryset, and by an evaluation that shares no code with it. The
number of examples is that of the hypothesis profile: HYPOTHESIS_PROFILE=thorough runs thirty times as many.
"""

from __future__ import annotations

import random
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, note
from hypothesis import strategies as st
from plain_meaning import read, stored
from plain_queries import Condition, Question, conditions, questions
from plain_world import FIELDS, GONE, World, strangers

from planhat_orm.errors import (
    DecodeError,
    FilterIgnored,
    InvalidQuery,
    MultipleObjectsReturned,
    NotSupported,
    ObjectDoesNotExist,
    PaginationError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from planhat_orm import Session
    from planhat_orm.sandbox import Sandbox


def session_of(world: World, question: Question) -> Session:
    """A session of its own for each example, so that none knows what another one found out."""
    return world.box.session(timezone=question.zone)


def ids(records: Any) -> list[str]:
    return [record.id for record in records]


def check(question: Question, world: World, found: list[str], *, streamed: bool = False) -> None:
    """Hold the ids that came against those that plain Python finds."""
    matching = question.matching(world)
    wanted = [row["_id"] for row in question.cut(matching)]
    assert len(found) == len(set(found)), "a record came twice"
    assert not set(found) - {row["_id"] for row in matching}, "a record came that does not match"
    assert len(found) == len(wanted), "a record is missing"
    by_id = {row["_id"]: row for row in matching}
    if question.by_planhat and (question.slices or streamed):
        assert question.fits([by_id[one] for one in found], world)
    elif question.order or question.turned or not question.slices:
        if question.order or question.turned or one_list(question):
            assert found == wanted
        else:
            assert sorted(found) == sorted(wanted)
    elif one_list(question):
        assert found == wanted


def one_list(question: Question) -> bool:
    """Whether rows without an order come by id.

    Tasks come list by list, several lists of ids one by one, and the list of metrics has no order.
    """
    return not question.model.endswith(("Task", "Metric")) and not question.kept and not question.left


def check_values(question: Question, world: World, records: list[Any]) -> None:
    """Hold what the records say of a few fields against what is stored."""
    rows = {row["_id"]: row for row in world.rows(question.model)}
    for record in records[:2]:
        for known in (*question.only, *question.deferred, *(one for one, _ in question.order)):
            raw = stored(rows[record.id], known.key)
            kind = Condition(known, "exact", None).kind
            if kind in ("any", "texts", "links"):
                continue
            value = read(kind, raw)
            if known.kind == "key" and value == "":
                value = None  # the index of companies does not tell a blank key from none
            try:
                said = getattr(record, f"{known.name}_id" if kind == "link" else known.name)
                said = None if known.kind == "key" and said == "" else said
            except DecodeError:
                said = "odd"
            assert said == ("odd" if type(value) is object else value), (known.name, raw)


# What is asked of a queryset


def listed(question: Question, world: World, qs: Any) -> None:
    records = list(qs)
    check(question, world, ids(records))
    check_values(question, world, records)
    assert len(qs) == len(records)
    assert bool(qs) is bool(records)
    assert ids(qs) == ids(records)


def streamed(question: Question, world: World, qs: Any) -> None:
    try:
        check(question, world, ids(qs.iterator()), streamed=True)
    except PaginationError:
        assert question.by_planhat  # values of several types, whose order at Planhat nobody knows


def counted(question: Question, world: World, qs: Any) -> None:
    wanted = question.cut(question.matching(world))
    assert qs.count() == len(wanted)
    assert qs.exists() is bool(wanted)
    assert len(qs) == len(wanted)


def indexed(question: Question, world: World, qs: Any) -> None:
    matching = question.matching(world)
    wanted = [row["_id"] for row in question.cut(matching)]
    for place in (0, 2, len(wanted) - 1, len(wanted), 1):
        if 0 <= place < len(wanted):
            found = qs[place].id
            assert found in [row["_id"] for row in matching]
            assert found == wanted[place] or question.by_planhat or not one_list(question)
        else:
            with pytest.raises((IndexError, InvalidQuery)):
                qs[place]


def ends(question: Question, world: World, qs: Any) -> None:
    wanted = question.cut(question.matching(world))
    first = qs.first()
    assert (first is None) is (not wanted)
    cut = replace(question, slices=(*question.slices, (0, 1)))
    check(cut, world, [first.id] if first else [])
    if not qs.query.sliced:
        last = qs.last()
        check(replace(cut, turned=not cut.turned), world, [last.id] if last else [])


def plain(question: Question, world: World, qs: Any) -> None:
    rows = {row["_id"]: row for row in world.rows(question.model)}
    found = list(qs.values_list("id", *(one.name for one in question.only)))
    check(question, world, [row[0] for row in found])
    assert [row["id"] for row in qs.values("id")] == [row[0] for row in found]
    assert all(row[0] in rows for row in found)


def in_bulk(question: Question, world: World, qs: Any) -> None:
    matching = {row["_id"] for row in question.matching(world)}
    some = world.ids(question.model)[::3]
    if qs.query.sliced:
        with pytest.raises(InvalidQuery):
            qs.in_bulk(some)
        return
    found = qs.in_bulk([*some, some[0], GONE])
    assert set(found) == matching & set(some)
    assert all(record.id == key for key, record in found.items())


def sliced_again(question: Question, world: World, qs: Any) -> None:
    assert len(qs) == len(question.cut(question.matching(world)))
    for bounds in ((1, 4), (0, 200), (3, None)):
        again = replace(question, slices=(*question.slices, bounds))
        found = ids(qs[bounds[0] : bounds[1]])
        assert found == ids(qs)[bounds[0] : bounds[1]]
        check(replace(again, slices=(*question.slices, bounds)), world, ids(qs.all()[bounds[0] : bounds[1]]))


def one(question: Question, world: World, qs: Any) -> None:
    wanted = question.cut(question.matching(world))
    try:
        assert qs.get().id == wanted[0]["_id"]
        assert len(wanted) == 1
    except ObjectDoesNotExist:
        assert not wanted
    except MultipleObjectsReturned:
        assert len(wanted) > 1
    except NotSupported:
        assert question.model.endswith(("Metric", "Ticket"))  # no record of these is read by itself


def in_portions(question: Question, world: World, qs: Any) -> None:
    wanted = question.cut(question.matching(world))
    portions = [list(portion) for portion in qs.chunks(7)]
    assert [len(portion) for portion in portions[:-1]] == [7] * (len(portions) - 1)
    assert sum(map(len, portions)) == len(wanted)
    try:
        check(question, world, [record.id for portion in portions for record in portion], streamed=True)
    except PaginationError:
        assert question.by_planhat


def with_links(question: Question, world: World, qs: Any) -> None:
    links = [known for known in world.fields[question.model] if known.kind == "link"]
    records = list(qs.prefetch_related(*(known.name for known in links)))
    check(question, world, ids(records))
    rows = {row["_id"]: row for row in world.rows(question.model)}
    for record in records[:5]:
        for known in links:
            key = read("link", stored(rows[record.id], known.key))
            there = isinstance(key, str) and key in world.ids(known.to)
            try:
                target = getattr(record, known.name)
            except (ObjectDoesNotExist, DecodeError):
                target = None
            assert (target.id if target is not None else None) == (key if there else None)


USES = [listed, listed, streamed, counted, indexed, ends, plain, in_bulk, sliced_again, one, in_portions, with_links]


@given(data=st.data(), use=st.sampled_from(USES))
def test_a_queryset_gives_what_plain_python_gives(world: World, data: Any, use: Any) -> None:
    question = data.draw(questions(world))
    with session_of(world, question) as session:
        qs = question.queryset(world, session)
        note(f"{qs.query}")
        use(question, world, qs)


@given(data=st.data())
def test_filter_and_exclude_take_each_row_once_between_them(world: World, data: Any) -> None:
    model = data.draw(st.sampled_from(sorted(FIELDS)))
    with world.box.session() as session:
        for condition in data.draw(st.lists(conditions(world, model), min_size=8, max_size=8)):
            note(repr(condition.q(world)))
            for question in (Question(model, kept=(condition,)), Question(model, left=(condition,))):
                qs = question.queryset(world, session).only("id")
                check(question, world, ids(qs))


# Servers that behave otherwise


@dataclass(frozen=True)
class Server:
    """What Planhat's documentation leaves open, and what goes wrong at times."""

    hints: bool = False
    absent: str = "omitted"
    owners: str = "id"
    roles: str = "id"
    cap: int | None = None
    slow: int | None = None
    ignores: str | None = None

    @contextmanager
    def at(self, box: Sandbox) -> Iterator[None]:
        behaviour = box.behaviour
        before = (behaviour.hints, behaviour.absent, behaviour.owners, behaviour.roles)
        behaviour.hints, behaviour.absent, behaviour.owners, behaviour.roles = (
            self.hints,
            self.absent,
            self.owners,
            self.roles,
        )
        if self.cap:
            box.fault("cap", limit=self.cap, times=None)
        if self.slow is not None:
            box.fault("status", status=504, method="GET", after=self.slow, times=1)
        if self.ignores:
            box.fault(self.ignores, times=None)
        try:
            yield
        finally:
            box.clear_faults()
            behaviour.hints, behaviour.absent, behaviour.owners, behaviour.roles = before


servers = st.builds(
    Server,
    hints=st.booleans(),
    absent=st.sampled_from(["omitted", "null"]),
    owners=st.sampled_from(["id", "object", "null"]),
    roles=st.sampled_from(["id", "object"]),
    cap=st.sampled_from([None, None, 64, 100]),
    slow=st.none() | st.integers(1, 4),
)


@given(data=st.data(), use=st.sampled_from(USES), server=servers)
def test_a_server_may_leave_open_what_it_does(world: World, data: Any, use: Any, server: Server) -> None:
    question = data.draw(questions(world))
    with session_of(world, question) as session, server.at(world.box):
        session.transport._sleep = lambda seconds: None
        qs = question.queryset(world, session)
        note(f"{qs.query}")
        use(question, world, qs)


@given(data=st.data(), use=st.sampled_from(USES), server=servers)
def test_a_server_that_ignores_filters_is_found_out(world: World, data: Any, use: Any, server: Server) -> None:
    question = data.draw(questions(world, models=[name for name in sorted(world.models) if name != "Ticket"]))
    server = replace(server, ignores="ignore_filters")
    with session_of(world, question) as session, server.at(world.box):
        session.transport._sleep = lambda seconds: None
        qs = question.queryset(world, session)
        note(f"{qs.query}")
        with suppress(FilterIgnored):
            use(question, world, qs)


@given(data=st.data(), server=servers)
def test_a_server_that_ignores_sort_gives_every_row_once(world: World, data: Any, server: Server) -> None:
    question = replace(data.draw(questions(world)), slices=())
    server = replace(server, ignores="ignore_sort")
    with session_of(world, question) as session, server.at(world.box):
        session.transport._sleep = lambda seconds: None
        qs = question.queryset(world, session)
        note(f"{qs.query}")
        found = ids(qs)
        wanted = [row["_id"] for row in question.matching(world)]
        assert sorted(found) == sorted(wanted)
        if question.order or question.turned:
            assert found == wanted
        assert qs.all().count() == len(wanted)


# Lists that move while they are read


@dataclass
class Crowd:
    """Rows that come and go before the requests of one example, while all others stay."""

    world: World
    model: str
    chance: random.Random
    here: list[dict[str, Any]] = field(default_factory=list)
    all: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def table(self) -> str:
        return self.world.models[self.model]._meta.records

    def come(self, count: int) -> None:
        rows = strangers(self.world, self.model, self.chance, count)
        self.world.box._world.store.insert(self.table, rows)
        self.here += rows
        self.all |= {row["_id"]: row for row in rows}

    def go(self, count: int) -> None:
        for _ in range(min(count, len(self.here))):
            row = self.here.pop(self.chance.randrange(len(self.here)))
            self.world.box._world.store.delete(self.table, row["_id"])


@given(
    data=st.data(),
    seed=st.integers(0, 10**6),
    moves=st.lists(st.tuples(st.integers(1, 25), st.integers(0, 12), st.integers(0, 12)), max_size=6),
    lazily=st.booleans(),
)
def test_rows_that_stay_come_once_while_others_come_and_go(
    world: World, data: Any, seed: int, moves: Any, lazily: bool
) -> None:
    models = [name for name in sorted(world.models) if name.startswith("Small")]
    question = replace(data.draw(questions(world, models=models)), slices=())
    crowd = Crowd(world, question.model, random.Random(f"crowd {seed}"))
    crowd.come(20)
    wanted = [row["_id"] for row in question.matching(world)]
    with session_of(world, question) as session:
        for after, come, go in moves:
            world.box.fault("drift", run=lambda come=come, go=go: (crowd.go(go), crowd.come(come)), after=after)
        try:
            qs = question.queryset(world, session)
            note(f"{qs.query}")
            found = ids(qs.iterator() if lazily else qs)
        except PaginationError as error:
            # As the scan promises: three pages' worth of records that come in front of it are an error.
            page = world.models[question.model]._meta.page_size[1]
            crowded_out = "brought no record" in str(error) and sum(come for _, come, _ in moves) > 2 * (page - 1)
            assert crowded_out or (lazily and question.keys)
            return
        finally:
            world.box.clear_faults()
            crowd.go(10**6)
    assert len(found) == len(set(found)), "a record came twice"
    stayed = [one for one in found if one not in crowd.all]
    assert sorted(stayed) == sorted(wanted), "a record that stayed is missing, or is wrong"
    for one in found:
        if one in crowd.all:
            assert question.takes(crowd.all[one], world), "a record came that does not match"
    if (question.order or question.turned) and not (lazily and question.by_planhat):
        assert stayed == wanted


# Sessions that write between their questions


@contextmanager
def restored(world: World) -> Iterator[None]:
    """Put the companies back as they were, and forget what was known of them."""
    names = ("Company", "SmallCompany")
    before = {name: world.tables[name] for name in names}
    store = world.box._world.store
    try:
        yield
    finally:
        for row in world.box.rows(world.models["Company"]):
            store.delete("companies", row["_id"])
        store.insert("companies", before["Company"])
        world.tables |= before


def look_again(world: World) -> None:
    for name in ("Company", "SmallCompany"):
        del world.tables[name]
        world.rows(name)


def own_write(world: World, session: Session, chance: random.Random) -> None:
    """Save, create or delete a company in the session."""
    objects = world.models["Company"].objects.using(session)
    what, text = chance.randrange(4), chance.choice(["Acme", "acme", "1234", "Zoë"])
    if what == 0:
        objects.create(name=text, external_id=f"new-{chance.random()}", phase=text)
        return
    company = objects.get(id=chance.choice(world.ids("Company")))
    if what == 1:
        company.delete()
        return
    company.name, company.phase = text, text
    if what == 2:
        company.external_id = f"moved-{chance.random()}"
    company.save()


def anothers_write(world: World, chance: random.Random) -> None:
    """Change or delete a company behind the session's back."""
    company, some = world.models["Company"], chance.choice(world.ids("Company"))
    if chance.randrange(3) == 0:
        world.box.remove(company, some)
    else:
        text = chance.choice(["Acme", "ACME", "a,b"])
        world.box.change(company, some, name=text, status=chance.choice(["customer", "lost"]), external_id=f"{some}!")


@given(
    data=st.data(),
    steps=st.lists(st.sampled_from(["ask", "ask", "own", "another"]), min_size=3, max_size=9),
    seed=st.integers(0, 10**6),
)
def test_a_session_sees_what_it_and_others_wrote(world: World, data: Any, steps: list[str], seed: int) -> None:
    chance, models = random.Random(f"steps {seed}"), ["Company", "Company", "SmallCompany", "Enduser", "Task"]
    with restored(world), world.box.session() as session:
        for step in [*steps, "ask"]:
            if step == "own":
                own_write(world, session, chance)
            elif step == "another":
                anothers_write(world, chance)
            else:
                question = replace(data.draw(questions(world, models=models)), zone=None)
                use = data.draw(st.sampled_from([listed, counted, plain, one]))
                qs = question.queryset(world, session)
                note(f"{use.__name__} {qs.query}")
                use(question, world, qs)
            look_again(world)
