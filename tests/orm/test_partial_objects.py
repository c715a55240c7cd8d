"""Objects of which a part is known: whatever is read, changed, saved and refreshed in whatever order, nothing is lost.

A plain model of what a session may know is held against real objects over HTTP: a value that was not loaded is never
saved, a changed one never lost, and what was seen never gives way to something older. Each value is used once, so that
each tells when it was Planhat's.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any, ClassVar

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from planhat_orm.errors import FieldNotLoaded, StaleObjectError
from planhat_orm.models import Company, Conversation, Enduser, Note, Ticket, User
from planhat_orm.orm import fields
from planhat_orm.orm.options import registry
from planhat_orm.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterable

    from planhat_orm.orm.model import Model


class Account(Company):
    """A tenant's class over the same collection."""

    tier: fields.Custom[str] = fields.Custom("Tier", str)


del registry["Account"]  # no link leads to it, and other tests declare one of that name
#: How many records there are.
RECORDS = 2
#: What reading one field may cost: the page again, three samples, and the object by itself.
MOST = 5


def read(obj: Any, name: str) -> Any:
    """Return a value as something that can be compared; "Tier" is one of the tenant's own."""
    if name == "Tier":
        return obj.custom.get("Tier")
    value = getattr(obj, name)
    return tuple(value) if isinstance(value, list) else value


def put(obj: Any, name: str, value: Any) -> None:
    if name == "Tier":
        obj.custom["Tier"] = value
    else:
        setattr(obj, name, list(value) if isinstance(value, tuple) else value)


def path_of(name: str) -> str:
    """Return the name under which ``changes()`` has a field, and ``only()`` takes it."""
    return "custom.Tier" if name == "Tier" else name


class PartialObjects(RuleBasedStateMachine):
    """One sandbox, one session, a few records, and what is known of them."""

    #: The classes over the records, each with what it can read; the first one can be saved.
    classes: ClassVar[tuple[type[Any], ...]] = ()
    names: ClassVar[tuple[str, ...]] = ()
    #: Fields that only a get shows.
    get_only: ClassVar[frozenset[str]] = frozenset()
    #: Fields that lists leave out unless they are named.
    heavy: ClassVar[frozenset[str]] = frozenset()
    required: ClassVar[frozenset[str]] = frozenset()
    lists: ClassVar[frozenset[str]] = frozenset()
    #: Whether a list may be as old as the last reading of the whole table: it fills, and brings nothing newer.
    kept: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self.box = Sandbox().start()
        self.session = self.box.session(check_custom="never")
        self.session.__enter__()
        self.values = count(1)
        self.acme = self.box.add(Company, name="The only one") if Company not in self.classes else {}
        #: What Planhat had, by record and field, one version after the other.
        self.history: dict[tuple[int, str], list[Any]] = {}
        #: The version that was seen last.
        self.seen: dict[tuple[int, str], int] = {}
        #: What was changed and not saved, by class, record and field.
        self.ours: dict[tuple[type, int, str], Any] = {}
        #: The version that each of those was changed from, as far as it was known.
        self.base: dict[tuple[type, int, str], int | None] = {}
        #: What an object that is held knows for certain.
        self.known: dict[tuple[type, int], set[str]] = {}
        self.objects: dict[tuple[type, int], Any] = {}
        self.ids = [self.add(number) for number in range(RECORDS)]

    def teardown(self) -> None:
        self.session.__exit__(None, None, None)
        self.box.close()

    # The world

    @property
    def selections(self) -> st.SearchStrategy[set[str]]:
        listed = sorted(set(self.names) - self.get_only)
        return st.just(set(listed)) | st.sets(st.sampled_from(listed), min_size=1)

    @property
    def writable(self) -> list[str]:
        by_name = self.classes[0]._meta.by_name
        return [name for name in self.names if name == "Tier" or not by_name[name].read_only]

    def row(self, number: int) -> dict[str, Any]:
        """Return what a new record holds."""
        raise NotImplementedError

    def fresh(self, name: str) -> Any:
        """Return a value that was never there."""
        return (f"v{next(self.values)}",) if name in self.lists else f"v{next(self.values)}"

    def add(self, number: int) -> str:
        # One field has no value at first, another one in each record.
        empty = self.names[number % len(self.names)]
        given = {name: None if name == empty and name not in self.required else self.fresh(name) for name in self.names}
        for name, value in given.items():
            self.history[number, name] = [value if value is not None else self.nothing(name)]
            self.seen[number, name] = 0
        row = {name: list(value) if isinstance(value, tuple) else value for name, value in given.items()}
        tier = row.pop("Tier", None)
        custom = {"Other": 1, **({"Tier": tier} if tier else {})}
        added = self.box.add(self.classes[0], **self.row(number), **row, custom=custom)
        return str(added["_id"])

    def nothing(self, name: str) -> Any:
        return () if name in self.lists else None

    def now(self, number: int, name: str) -> Any:
        return self.history[number, name][-1]

    def stored(self, number: int, name: str, value: Any) -> None:
        """Note that Planhat has a value from now on."""
        if self.now(number, name) != value:
            self.history[number, name].append(value)

    # What is known

    def came(self, numbers: Iterable[int], names: Iterable[str]) -> None:
        """Note that rows with these fields came: all live objects of the records know them now."""
        for number in numbers:
            for name in names:
                self.seen[number, name] = len(self.history[number, name]) - 1
                for cls, one in self.known:
                    if one == number:
                        self.known[cls, one].add(name)
                        if self.base.get((cls, one, name), 0) is None:
                            self.base[cls, one, name] = self.seen[number, name]

    def hold(self, cls: type, found: Iterable[Any], names: Iterable[str]) -> list[tuple[type, int]]:
        """Hold objects that came with these fields; each is the one that is held already.

        A field of which no row has a value may be one that the list does not hold: nothing is known of it.
        """
        places = []
        for obj in found:
            place = cls, self.ids.index(obj.id)
            if place in self.objects:
                assert self.objects[place] is obj
            self.objects[place] = obj
            self.known.setdefault(place, set())
            places.append(place)
        numbers = [number for _, number in places]
        told = [name for name in names if any(self.now(number, name) != self.nothing(name) for number in numbers)]
        if not self.kept:
            self.came(numbers, told)
        return places

    def settled(self, place: tuple[type, int]) -> dict[str, Any]:
        """Return what ``changes()`` has to tell; what turned out to be Planhat's own is no change any more."""
        cls, number = place
        changes = self.objects[place].changes()
        mine = {name: value for (one, which, name), value in self.ours.items() if (one, which) == place}
        assert changes.keys() <= {path_of(name) for name in mine}
        for name, value in list(mine.items()):
            if path_of(name) not in changes:
                assert value in self.history[number, name][self.seen[number, name] :]
                del mine[name]
                self.forget(cls, number, name)
        return mine

    def forget(self, cls: type, number: int, name: str) -> None:
        """Forget a change: it was saved or reverted, or Planhat has it anyway."""
        del self.ours[cls, number, name]
        self.base.pop((cls, number, name), None)

    def change(self, place: tuple[type, int], name: str, value: Any) -> None:
        """Note a change, and what it was made of."""
        key = (*place, name)
        if key not in self.ours:
            self.base[key] = self.seen[place[1], name] if name in self.known[place] else None
        self.ours[key] = value

    def check(self, number: int, name: str, value: Any) -> None:
        """Check that a clean value is not older than what was seen."""
        versions = self.history[number, name]
        later = [place for place in range(self.seen[number, name], len(versions)) if versions[place] == value]
        assert later, f"{name} is {value!r}, older than {versions[self.seen[number, name]]!r}"
        self.seen[number, name] = later[0]

    def pick(self, data: st.DataObject, operation: str = "list") -> tuple[type, int] | None:
        """Choose an object that is held, of a class that offers an operation; None where there is none."""
        places = [place for place in self.objects if operation in place[0]._meta.operations]
        places.sort(key=lambda place: (self.classes.index(place[0]), place[1]))
        return data.draw(st.sampled_from(places), label="object") if places else None

    # Reading

    @rule(data=st.data())
    def a_list_comes(self, data: st.DataObject) -> None:
        cls = data.draw(st.sampled_from(self.classes), label="class")
        names = data.draw(self.selections, label="only")
        queryset = cls.objects.on_missing(data.draw(st.sampled_from(["peers", "peers", "one"]), label="on missing"))
        way = data.draw(st.sampled_from(["only", "iterator", "slice", "ids", "reversed"]), label="way")
        queryset = queryset.only(*map(path_of, sorted(names)))
        wanted = set(range(RECORDS))
        if way == "ids":
            wanted = data.draw(st.sets(st.sampled_from(range(RECORDS)), min_size=1), label="records")
            queryset = queryset.filter(id__in=[self.ids[number] for number in wanted])
        if way == "slice":
            queryset, wanted = queryset.order_by("id")[:1], {0}
        if way == "reversed":
            queryset = queryset.order_by("-id")
        found = list(queryset.iterator() if way == "iterator" else queryset)
        assert {self.ids.index(obj.id) for obj in found} == wanted
        self.hold(cls, found, names)

    @rule(data=st.data())
    def a_whole_list_comes(self, data: st.DataObject) -> None:
        cls = data.draw(st.sampled_from(self.classes), label="class")
        listed = set(self.names) - self.get_only
        deferred = data.draw(st.sets(st.sampled_from(sorted(listed))), label="deferred")
        queryset = cls.objects.defer(*map(path_of, sorted(deferred))) if deferred else cls.objects.all()
        self.hold(cls, list(queryset), listed - deferred - self.heavy)

    @rule(data=st.data(), number=st.sampled_from(range(RECORDS)))
    def one_record_comes(self, data: st.DataObject, number: int) -> None:
        cls = data.draw(st.sampled_from([cls for cls in self.classes if "get" in cls._meta.operations]), label="class")
        before = len(self.box.requests)
        obj = cls.objects.get(id=self.ids[number])
        asked = len(self.box.requests) - before
        assert asked <= 1
        self.hold(cls, [obj], ())
        if asked:
            self.came([number], self.names)

    @precondition(lambda self: self.objects)
    @rule(data=st.data())
    def fields_are_read(self, data: st.DataObject) -> None:
        if place := self.pick(data):
            for name in data.draw(st.sets(st.sampled_from(self.names), min_size=1), label="fields"):
                self.read_one(place, name)

    def read_one(self, place: tuple[type, int], name: str) -> None:
        cls, number = place
        obj, mine, before = self.objects[place], self.settled(place), len(self.box.requests)
        certain = name in self.known[place] or (name in mine and name != "Tier")
        try:
            value = read(obj, name)
        except FieldNotLoaded:
            assert not certain
            assert "get" not in cls._meta.operations
            return
        assert len(self.box.requests) - before <= (0 if certain else MOST)
        if name in self.settled(place):
            assert value == self.ours[cls, number, name]
        else:
            self.check(number, name, value)
        # What was assigned here is read without asking, and may be asked for when that is taken back.
        if name == "Tier" or name not in self.settled(place):
            self.known[place].add(name)
        with self.box.assert_requests(0):
            assert read(obj, name) == value

    @precondition(lambda self: self.objects)
    @rule(data=st.data())
    def an_object_is_refreshed(self, data: st.DataObject) -> None:
        if place := self.pick(data, "get"):
            with self.box.assert_requests(1):
                self.objects[place].refresh_from_db()
            self.came([place[1]], self.names)

    # Changing

    @rule(number=st.sampled_from(range(RECORDS)), data=st.data())
    def somebody_else_changes_a_field(self, number: int, data: st.DataObject) -> None:
        self.change_outside(number, data.draw(st.sampled_from(self.names), label="field"), data)

    @precondition(lambda self: self.ours)
    @rule(data=st.data())
    def somebody_else_changes_what_was_changed_here(self, data: st.DataObject) -> None:
        changed = sorted({(number, name) for _, number, name in self.ours})
        self.change_outside(*data.draw(st.sampled_from(changed), label="field"), data)

    def change_outside(self, number: int, name: str, data: st.DataObject) -> None:
        clears = name not in self.required and data.draw(st.booleans(), label="clears")
        value = self.nothing(name) if clears else self.fresh(name)
        given: Any = list(value) if isinstance(value, tuple) else value
        given = None if given == [] else given
        values = {"custom": {"Tier": given}} if name == "Tier" else {name: given}
        self.box.change(self.classes[0], self.ids[number], **values)
        self.stored(number, name, value)

    @precondition(lambda self: self.objects)
    @rule(data=st.data())
    def a_field_is_assigned(self, data: st.DataObject) -> None:
        if not (place := self.pick(data, "update")):
            return
        name = data.draw(st.sampled_from(self.writable), label="field")
        clears = name not in self.required and data.draw(st.booleans(), label="clears")
        value = self.nothing(name) if clears else self.fresh(name)
        with self.box.assert_requests(0):
            put(self.objects[place], name, value)
        self.change(place, name, value)

    @precondition(lambda self: self.objects)
    @rule(data=st.data())
    def a_list_is_appended_to(self, data: st.DataObject) -> None:
        if not self.lists or not (place := self.pick(data, "update")):
            return
        name, number, mine = min(self.lists), place[1], self.settled(place)
        container = getattr(self.objects[place], name)
        if name not in mine:
            self.check(number, name, tuple(container))
        self.known[place].add(name)
        container.append(f"v{next(self.values)}")
        self.change(place, name, tuple(container))

    @precondition(lambda self: self.objects)
    @rule(data=st.data())
    def an_object_is_reverted(self, data: st.DataObject) -> None:
        if place := self.pick(data):
            self.objects[place].revert()
            assert self.objects[place].changes() == {}
            for key in [key for key in self.ours if key[:2] == place]:
                self.forget(*key)

    @precondition(lambda self: self.objects)
    @rule(data=st.data(), force=st.booleans())
    def an_object_is_saved(self, data: st.DataObject, force: bool) -> None:
        if not (place := self.pick(data, "update")):
            return
        (cls, number), obj, mine = place, self.objects[place], self.settled(place)
        self.box.clear_requests()
        try:
            obj.save(force=force)
        except StaleObjectError as problem:
            assert not force
            for path, (theirs, ours) in problem.conflicts.items():
                name = "Tier" if path == "custom.Tier" else path
                assert (tuple(ours) if isinstance(ours, list) else ours) == mine[name]
                self.check(number, name, tuple(theirs or ()) if name in self.lists else theirs)
            assert all(request.method == "GET" for request in self.box.requests)
            return
        assert force or not any(self.moved(cls, number, name, value) for name, value in mine.items())
        puts = [request for request in self.box.requests if request.method == "PUT"]
        assert len(puts) == bool(mine)
        if puts:
            self.check_body(puts[0].json, mine, cls)
            for name, value in mine.items():
                self.stored(number, name, value)
                self.forget(cls, number, name)
            self.came([number], set(self.names) - self.get_only)
            self.came([number], set(mine))
        assert obj.changes() == {}

    def moved(self, cls: type, number: int, name: str, ours: Any) -> bool:
        """Tell whether somebody else is known to have changed what was changed here."""
        base = self.base[cls, number, name]
        versions = self.history[number, name]
        now = versions[self.seen[number, name]]
        return base is not None and now not in (versions[base], ours)

    @rule(data=st.data())
    def objects_are_saved_together(self, data: st.DataObject) -> None:
        cls = data.draw(st.sampled_from(self.classes), label="class")
        places = [(cls, number) for number in range(RECORDS) if (cls, number) in self.objects]
        if "update" not in cls._meta.operations or any(self.objects[place].conflicts() for place in places):
            return
        changed = {place: self.settled(place) for place in places}
        self.box.clear_requests()
        cls.objects.bulk_upsert([self.objects[place] for place in places])
        puts = [request.json for request in self.box.requests if request.method == "PUT"]
        assert len(puts) == any(changed.values())
        items = {item.pop("_id"): item for items in puts for item in items}
        assert items.keys() == {self.ids[number] for (_, number), mine in changed.items() if mine}
        for (_, number), mine in changed.items():
            if mine:
                self.check_body(items[self.ids[number]], mine, cls)
                # The answer holds no values, so what only Planhat sets has to be read again.
                self.known[cls, number] -= {name for name in self.names if name not in self.writable}
            for name, value in mine.items():
                self.stored(number, name, value)
                self.forget(cls, number, name)
                self.seen[number, name] = len(self.history[number, name]) - 1
        assert not any(self.objects[place].changes() for place in places)

    def check_body(self, body: dict[str, Any], mine: dict[str, Any], cls: type[Model]) -> None:
        """Check that what was changed is sent, and nothing else."""
        meta = cls._meta
        expected = {meta.by_name[name].write_key: value for name, value in mine.items() if name != "Tier"}
        sent = {key: tuple(value) if isinstance(value, list) else value for key, value in body.items()}
        if "Tier" in mine:
            expected["custom"] = {"Tier": mine["Tier"]}
        empty = {key for key, value in expected.items() if value == ()}
        assert {key: value or () if key in empty else value for key, value in sent.items()} == expected

    @precondition(lambda self: self.objects)
    @rule(data=st.data())
    def an_object_is_let_go_of(self, data: st.DataObject) -> None:
        # Of a list that was changed in place nobody is told: what holds the object is who changed it.
        place = self.pick(data)
        if place is None or self.kept or any((*place, name) in self.ours for name in self.lists):
            return
        self.objects.pop(place, None)
        self.known.pop(place, None)

    @invariant()
    def nothing_is_lost(self) -> None:
        for place in self.objects:
            self.settled(place)
        for number in range(RECORDS):
            row = self.box.row(self.classes[0], self.ids[number])
            meta = self.classes[0]._meta
            for name in self.names:
                stored = row.get("custom", {}).get("Tier") if name == "Tier" else row.get(meta.by_name[name].data_key)
                assert (tuple(stored or ()) if name in self.lists else stored) == self.now(number, name)
            assert row["custom"]["Other"] == 1


class CompaniesAndAccounts(PartialObjects):
    """Two classes over one path, a lean list and an index of all records."""

    classes = (Company, Account)
    names = ("name", "phase", "city", "tags", "Tier")
    required = frozenset({"name"})
    lists = frozenset({"tags"})

    def row(self, number: int) -> dict[str, Any]:
        return {}

    @rule(cls=st.sampled_from([Company, Account]))
    def the_index_comes(self, cls: type[Any]) -> None:
        found = [obj for obj in cls.objects.lean() if obj.id in self.ids]
        self.hold(cls, found, ["name"])

    @rule(
        cls=st.sampled_from([Company, Account]),
        number=st.sampled_from(range(RECORDS)),
        data=st.data(),
    )
    def a_record_is_found_by_its_name(self, cls: type[Any], number: int, data: st.DataObject) -> None:
        names = data.draw(st.sets(st.sampled_from(self.names)), label="only")
        queryset = cls.objects.filter(name=self.now(number, "name"))
        found = list(queryset.only(*map(path_of, sorted(names))) if names else queryset)
        assert [obj.id for obj in found] == [self.ids[number]]
        self.hold(cls, found, names or self.names)


class Endusers(PartialObjects):
    """One class, a list that holds everything and takes no ids."""

    classes = (Enduser,)
    names = ("first_name", "position", "phone", "tags", "Tier")
    lists = frozenset({"tags"})

    def row(self, number: int) -> dict[str, Any]:
        return {"company": self.acme, "email": f"e{number}@acme.example"}


class Users(PartialObjects):
    """A small table, which is read whole and kept, and fields that its list holds only when they are named."""

    classes = (User,)
    names = ("nick_name", "external_id", "company_filter", "Tier")
    heavy = frozenset({"company_filter"})
    required = frozenset({"nick_name"})
    kept = True

    def row(self, number: int) -> dict[str, Any]:
        return {"email": f"u{number}@vendor.example", "first_name": "U", "last_name": str(number)}

    @rule(number=st.sampled_from(range(RECORDS)))
    def a_user_is_found_by_address(self, number: int) -> None:
        found = [User.objects.get(email=f"u{number}@vendor.example")]
        self.hold(User, found, set(self.names) - self.heavy)


class NotesAndConversations(PartialObjects):
    """Two classes over one path, one of which sees a part of the rows, and a field that lists do not hold."""

    classes = (Note, Conversation)
    names = ("subject", "description", "activity_tags", "Tier")
    lists = frozenset({"activity_tags"})
    get_only = frozenset({"description"})

    def row(self, number: int) -> dict[str, Any]:
        return {"company": self.acme}


class TicketsAndConversations(PartialObjects):
    """Two classes over two paths, one of which cannot be read or saved by itself."""

    classes = (Conversation, Ticket)
    names = ("subject", "starred", "Tier")

    def row(self, number: int) -> dict[str, Any]:
        return {}

    def fresh(self, name: str) -> Any:
        return bool(next(self.values) % 2) if name == "starred" else super().fresh(name)

    def nothing(self, name: str) -> Any:
        return False if name == "starred" else None

    def add(self, number: int) -> str:
        given = {name: self.fresh(name) for name in self.names}
        for name, value in given.items():
            self.history[number, name] = [value]
            self.seen[number, name] = 0
        added = self.box.add(
            Ticket,
            company=self.acme,
            email="ada@acme.example",
            source_id=f"desk-{number}",
            subject=given["subject"],
            starred=given["starred"],
            custom={"Other": 1, "Tier": given["Tier"]},
        )
        return str(added["_id"])


STEPS = settings(max_examples=30, stateful_step_count=30, deadline=None)

TestCompaniesAndAccounts = CompaniesAndAccounts.TestCase
TestCompaniesAndAccounts.settings = STEPS
TestEndusers = Endusers.TestCase
TestEndusers.settings = STEPS
TestUsers = Users.TestCase
TestUsers.settings = STEPS
TestNotesAndConversations = NotesAndConversations.TestCase
TestNotesAndConversations.settings = STEPS
TestTicketsAndConversations = TicketsAndConversations.TestCase
TestTicketsAndConversations.settings = STEPS
