"""``objects.bulk_upsert`` over HTTP: what is sent, what is refused before that, and what objects know afterwards."""

from __future__ import annotations

import datetime as dt
import pickle
from typing import TYPE_CHECKING, Any

import pytest

from planhat_orm import (
    AmbiguousWrite,
    BulkError,
    InvalidQuery,
    NotSupported,
    ReadOnlyError,
    Session,
    UnknownField,
    ValidationError,
)
from planhat_orm.models import Asset, Company, CustomField, Enduser, Invoice, Issue, License, Note, Task, Ticket, User
from planhat_orm.session.session import Session as AnySession

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from planhat_orm.sandbox import Sandbox

UNKNOWN_ID = "64b0000000000000000000aa"


@pytest.fixture
def box(planhat_sandbox: Sandbox, patient: Callable[[Session], Session]) -> Sandbox:
    patient(AnySession.current())
    return planhat_sandbox


def bodies(box: Sandbox) -> list[Any]:
    return [request.json for request in box.requests if request.method == "PUT"]


# What is sent


def test_twelve_thousand_rows_are_three_requests(box: Sandbox) -> None:
    rows = [{"external_id": f"c-{n}", "name": f"Company {n}"} for n in range(12_000)]
    with box.assert_requests(3):
        ledger = Company.objects.bulk_upsert(rows)
    assert [len(body) for body in bodies(box)] == [5_000, 5_000, 2_000]
    assert (len(ledger.created), ledger.ok, box.count(Company)) == (12_000, True, 12_000)
    assert ledger.created[-1].id == box.row(Company, external_id="c-11999")["_id"]
    assert ledger.created[0].row is None


def test_a_dictionary_is_sent_as_it_says_and_nothing_else(box: Sandbox) -> None:
    acme = box.add(Company, name="Acme", external_id="acme-42", custom={"Tier": "Silver", "Seats": 5}, phase="Trial")
    kim = box.add(User, email="kim@vendor.example", first_name="Kim")
    row = {
        "external_id": "acme-42",
        "owner": User.objects.get(id=kim["_id"]),
        "phase": None,
        "custom": {"Tier": "Gold", "Seats": None},
    }
    Company.objects.bulk_upsert([row])
    assert bodies(box) == [
        [{"externalId": "acme-42", "owner": kim["_id"], "phase": None, "custom": {"Tier": "Gold", "Seats": None}}]
    ]
    now = box.row(Company, acme["_id"])
    assert (now["name"], now["owner"]) == ("Acme", kim["_id"])
    assert now["custom"].get("Tier") == "Gold"


def test_a_link_is_an_object_an_id_or_a_reference(box: Sandbox) -> None:
    acme = box.add(Company, name="Acme", external_id="acme-42")
    rows: list[dict[str, Any]] = [
        {"email": "a@acme.example", "company": Company.objects.get(id=acme["_id"])},
        {"email": "b@acme.example", "company_id": acme["_id"]},
        {"email": "c@acme.example", "company": Company.ref(external_id="acme-42")},
    ]
    ledger = Enduser.objects.bulk_upsert(rows)
    assert len(ledger.created) == 3
    assert [row["companyId"] for row in bodies(box)[0]] == [acme["_id"], acme["_id"], "extid-acme-42"]
    assert {row["companyId"] for row in box.rows(Enduser)} == {acme["_id"]}


def test_a_dictionary_with_an_id_changes_that_record(box: Sandbox) -> None:
    acme = box.add(Company, name="Acme")
    ledger = Company.objects.bulk_upsert([{"id": acme["_id"], "phase": "Live"}])
    assert bodies(box) == [[{"_id": acme["_id"], "phase": "Live"}]]
    assert [outcome.id for outcome in ledger.updated] == [acme["_id"]]


def test_objects_send_their_changes_and_unchanged_ones_nothing(box: Sandbox) -> None:
    for name in ("Acme", "Birch"):
        box.add(Company, name=name, custom={"Tier": "Silver"})
    acme, birch = Company.objects.order_by("name")
    acme.custom["Tier"] = "Gold"
    ledger = Company.objects.bulk_upsert([acme, birch, Company(name="Cedar", external_id="c")])
    assert [outcome.status for outcome in ledger] == ["updated", "unchanged", "created"]
    assert bodies(box) == [
        [{"_id": acme.id, "custom": {"Tier": "Gold"}}, {"name": "Cedar", "externalId": "c"}],
    ]


def test_nothing_to_do_sends_nothing(box: Sandbox) -> None:
    box.add(Company, name="Acme")
    acme = Company.objects.get(name="Acme")
    before = len(box.requests)
    assert len(Company.objects.bulk_upsert([]).outcomes) == 0
    assert len(Company.objects.bulk_upsert(iter([])).outcomes) == 0
    assert len(Company.objects.bulk_upsert([acme]).unchanged) == 1
    assert len(box.requests) == before


def test_items_without_a_key_are_created_each_time(box: Sandbox) -> None:
    for _ in range(2):
        assert len(Company.objects.bulk_upsert([{"name": "Acme"}]).created) == 1
    assert box.count(Company) == 2


def test_a_generator_is_read_as_it_is_sent(box: Sandbox) -> None:
    seen: list[int] = []

    def rows() -> Iterator[dict[str, Any]]:
        for n in range(5_001):
            seen.append(len(box.requests))
            yield {"external_id": f"c-{n}", "name": f"Company {n}"}

    with box.assert_requests(2):
        assert len(Company.objects.bulk_upsert(rows()).created) == 5_001
    assert (seen[4_999], seen[5_000]) == (0, 1)


def test_a_reverse_manager_gives_its_object_to_what_is_new(box: Sandbox) -> None:
    acme, birch = box.add(Company, name="Acme"), box.add(Company, name="Birch")
    old = box.add(Enduser, email="old@birch.example", company=birch)
    company = Company.objects.get(id=acme["_id"])
    rows: list[Any] = [
        {"email": "a@acme.example"},
        Enduser(email="b@acme.example"),
        {"id": old["_id"], "position": "CTO"},
    ]
    assert company.endusers.bulk_upsert(rows).ok
    assert sorted(row["email"] for row in box.rows(Enduser, companyId=acme["_id"])) == [
        "a@acme.example",
        "b@acme.example",
    ]
    assert box.row(Enduser, old["_id"])["companyId"] == birch["_id"]


def test_a_note_is_made_as_a_note_and_changed_as_what_it_is(box: Sandbox) -> None:
    acme = box.add(Company, name="Acme")
    ledger = Note.objects.bulk_upsert([{"company_id": acme["_id"], "subject": "Hello"}])
    [made] = ledger.created
    assert bodies(box)[0][0]["type"] == "note"
    Note.objects.bulk_upsert([{"id": made.id, "subject": "Bye"}])
    assert bodies(box)[1] == [{"_id": made.id, "subject": "Bye"}]


def test_days_are_sent_as_their_field_wants_them(box: Sandbox) -> None:
    acme = box.add(Company, name="Acme", external_id="acme-42")
    company = Company.objects.get(id=acme["_id"])
    row = {
        "external_id": "inv-1",
        "company": company,
        "currency": "EUR",
        "invoice_date": dt.date(1970, 1, 11),
        "due_date": dt.date(1970, 1, 31),
    }
    Invoice.objects.bulk_upsert([row])
    [[sent]] = bodies(box)
    assert (sent["extId"], sent["cId"], sent["invoiceDate"], sent["dueDate"]) == ("inv-1", acme["_id"], 10, 30)


def test_tickets_are_matched_under_the_names_they_are_written_by(box: Sandbox) -> None:
    acme = box.add(Company, name="Acme")
    rows = [
        {"source_id": f"zd-{n}", "subject": f"Ticket {n}", "email": "a@acme.example", "company_id": acme["_id"]}
        for n in range(2)
    ]
    ledger = Ticket.objects.bulk_upsert(rows)
    assert [outcome.status for outcome in ledger] == ["created", "created"]
    assert [(row["sourceId"], row["title"]) for row in bodies(box)[0]] == [("zd-0", "Ticket 0"), ("zd-1", "Ticket 1")]
    with pytest.raises(ValidationError, match=r"items\[0\]: email: is required in every Ticket"):
        Ticket.objects.bulk_upsert([{"source_id": "zd-1", "subject": "Again"}])
    assert len(box.requests) == 1


def test_a_new_issue_needs_companies_in_bulk_and_alone_it_does_not(box: Sandbox) -> None:
    said = r"items\[0\]: companies: is required to create an Issue in bulk"
    for item in ({"title": "It blinks"}, Issue(title="It blinks", source_id="j-1")):
        with pytest.raises(ValidationError, match=said):
            Issue.objects.bulk_upsert([item])
    assert box.requests == []
    acme = box.add(Company, name="Acme")
    rows = [{"title": "It blinks", "companies": [acme["_id"]]}, {"title": "It hums", "companies": [acme["_id"]]}]
    assert len(Issue.objects.bulk_upsert(rows).created) == 2
    assert bodies(box)[0][0] == {"title": "It blinks", "companyIds": [acme["_id"]]}


# What is refused before any request

COMPANY_ROWS: list[tuple[Any, str]] = [
    ({"nme": "Acme"}, "nme: Company has no field 'nme'; did you mean 'name'"),
    ({"externalId": "a"}, "did you mean 'external_id'"),
    ({"external_id": "a", "arr": 5}, "arr: .*read-only"),
    ({"external_id": "a", "name": 3}, "name: must be a text"),
    ({"external_id": "a", "name": None}, "name: is required and cannot be cleared"),
    ({"external_id": 42.0, "name": "A"}, "external_id: must be a text"),
    ({"external_id": float("nan"), "name": "A"}, "external_id: must be a text"),
    ({"external_id": " ", "name": "A"}, "external_id: is a key and must be a text that is not blank"),
    ({"external_id": None, "name": "A"}, "external_id: is a key .*is a variable unset"),
    ({"phase": "Live"}, "name: is required to create a Company"),
    ({"id": "acme-42"}, "id: must be a Planhat id"),
    ({"id": None, "name": "A"}, "id: must be a Planhat id"),
    ({"external_id": "a", "custom": {"Score": float("nan")}}, "custom"),
    ({"external_id": "a", "custom": None}, "custom: name the keys to clear"),
    ({"external_id": "a", "custom": {"Tier": 1, "tier": 2}}, "custom.tier: differs from 'Tier' in letter case"),
    ({"external_id": "a", "owner": "Kim"}, "owner"),
    ({"external_id": "a", "owner": User(email="k@v.example")}, "owner: is a User that is not saved yet"),
    ("acme", "item: is 'acme', not a Company or a dictionary"),
    (User(email="k@v.example"), "item: .*not a Company or a dictionary"),
]


@pytest.mark.parametrize(("row", "said"), COMPANY_ROWS, ids=lambda one: one if isinstance(one, str) else "")
def test_what_may_not_be_sent_is_refused_by_its_place_before_any_request(box: Sandbox, row: Any, said: str) -> None:
    with pytest.raises(ValidationError, match=rf"Company is not valid: items\[1\]: .*{said}") as caught:
        Company.objects.bulk_upsert([{"external_id": "b", "name": "Birch"}, row])
    assert list(caught.value.messages) == ["items[1]"]
    assert box.requests == []


def test_all_that_is_wrong_is_said_at_once_and_too_much_of_it_counted(box: Sandbox) -> None:
    with pytest.raises(ValidationError, match="and 30 more items") as caught:
        Company.objects.bulk_upsert([{"nme": "A", "phase": 3}] * 50)
    assert set(caught.value.messages["items[0]"]) == {"nme", "phase"}
    assert box.requests == []


def test_the_last_of_many_rows_is_checked_before_the_first_is_sent(box: Sandbox) -> None:
    rows: list[dict[str, Any]] = [{"external_id": f"c-{n}", "name": "x"} for n in range(5_001)]
    rows[-1]["name"] = 3
    with pytest.raises(ValidationError, match=r"items\[5000\]: name"):
        Company.objects.bulk_upsert(rows)
    assert box.requests == []


def test_an_external_id_within_a_company_needs_the_company_or_another_key(box: Sandbox) -> None:
    with pytest.raises(
        ValidationError, match=r"items\[0\]: company: is missing: external_id is unique within one company"
    ):
        Enduser.objects.bulk_upsert([{"external_id": "1", "email": "a@b.example"}])
    assert box.requests == []
    acme = box.add(Company, name="Acme")
    old = box.add(Enduser, email="a@b.example", company=acme, source_id="crm-1")
    assert Enduser.objects.bulk_upsert([{"source_id": "crm-1", "external_id": "1"}]).ok
    assert box.row(Enduser, old["_id"])["externalId"] == "1"


def test_one_external_id_in_two_companies_is_two_people(box: Sandbox) -> None:
    acme, birch = box.add(Company, name="Acme"), box.add(Company, name="Birch")
    rows = [
        {"external_id": "1", "company_id": one["_id"], "email": f"{one['name']}@b.example"} for one in (acme, birch)
    ]
    assert len(Enduser.objects.bulk_upsert(rows, key=("company", "external_id")).created) == 2
    assert box.count(Enduser) == 2


@pytest.mark.parametrize("key", ["name", ("name", "phase"), ("external_id", "source_id")])
def test_a_key_that_planhat_does_not_match_by_is_refused(box: Sandbox, key: Any) -> None:
    with pytest.raises(NotSupported, match=r"not match a Company by .* only by id, source_id, external_id.*filter"):
        Company.objects.bulk_upsert([{"name": "Acme"}], key=key)
    assert box.requests == []


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"name": "Acme"}, "external_id: is missing, and key= says to match by it"),
        ({"external_id": "a", "source_id": "b"}, "source_id: is what Planhat would match by, not external_id"),
    ],
)
def test_a_key_that_is_named_must_be_the_one_that_decides(box: Sandbox, row: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Company.objects.bulk_upsert([row], key="external_id")
    assert box.requests == []


def test_a_key_that_is_not_matched_by_is_refused_before_the_first_run_unless_that_is_wanted(box: Sandbox) -> None:
    acme = box.add(Company, name="Acme")
    item = {"company_id": acme["_id"], "external_id": "call-1", "subject": "Kick-off"}
    with box.assert_requests(0):
        for given in (item, Note(**item)):
            with pytest.raises(ValidationError, match=r"items\[0\]: external_id: .*Note.objects.get_or_create\(ext"):
                Note.objects.bulk_upsert([given])
    with box.assert_requests(1):
        assert len(Note.objects.bulk_upsert([item], key=()).created) == 1
    key = box.row(Note, external_id="call-1")["_id"]
    assert len(Note.objects.bulk_upsert([{**item, "id": key, "subject": "Moved"}]).updated) == 1


def test_items_of_one_record_by_two_keys_take_effect_in_their_order(box: Sandbox) -> None:
    acme = box.add(Company, name="Acme")
    row = box.add(Enduser, company=acme, email="ada@acme.example", external_id="e-1")
    items = [
        {"email": "ada@acme.example", "first_name": "Old", "phone": "1"},
        {"external_id": "e-1", "company_id": acme["_id"], "first_name": "New"},
        {"email": "ada@acme.example", "position": "CTO"},
    ]
    with box.assert_requests(2):
        assert Enduser.objects.bulk_upsert(items).ok
    stored = box.row(Enduser, row["_id"])
    assert (stored["firstName"], stored["position"]) == ("New", "CTO")


def test_an_item_by_another_kind_of_key_does_not_overtake_an_earlier_one(box: Sandbox) -> None:
    row = box.add(Company, name="Acme", external_id="acme-42", source_id="crm-1")
    items = [
        {"external_id": "acme-42", "phase": "first"},
        {"source_id": "crm-2", "name": "Birch"},
        {"external_id": "acme-42", "phase": "second"},
        {"source_id": "crm-1", "phase": "third"},
    ]
    with box.assert_requests(2):
        assert Company.objects.bulk_upsert(items).ok
    assert box.row(Company, row["_id"])["phase"] == "third"


def test_one_bad_row_among_many_is_told_with_what_may_be_done(box: Sandbox) -> None:
    acme = box.add(Company, name="Acme", external_id="acme-42")
    rows: list[dict[str, Any]] = [
        {"external_id": f"a-{n}", "name": f"A{n}", "company": Company.ref(external_id="acme-42")} for n in range(5)
    ]
    Asset.objects.bulk_upsert(rows)
    rows[3]["company"] = Company.ref(external_id="nobody")
    with pytest.raises(BulkError) as caught:
        Asset.objects.bulk_upsert(rows)
    said = str(caught.value)
    assert "reconcile() reads the unknown ones back (5 requests at most)" in said
    assert "correct what is wrong and send all again: items with a key are not created twice" in said
    rows[3]["company"] = Company.ref(external_id="acme-42")
    assert Asset.objects.bulk_upsert(rows).ok
    assert box.count(Asset) == 5
    assert acme["_id"] == box.row(Asset, external_id="a-3")["companyId"]


def test_what_nothing_reads_back_is_said_to_be_so(box: Sandbox) -> None:
    acme = box.add(Company, name="Acme")
    rows = [{"company_id": acme["_id"], "subject": name} for name in ("a", "b")]
    with box.fault("status", method="PUT", status=500, times=99), pytest.raises(BulkError) as caught:
        Note.objects.bulk_upsert(rows)
    said = str(caught.value)
    assert "reconcile()" not in said
    assert "2 hold nothing to be read back by: look for them in the list at Planhat" in said
    assert "would be created again" in said


def test_what_a_new_item_lacks_is_said_in_python_names_with_the_cure(box: Sandbox) -> None:
    acme = box.add(Company, name="Acme")
    ledger = Task.objects.bulk_upsert(
        [{"source_id": "t-1", "action": "Call", "company_id": acme["_id"]}], on_error="collect"
    )
    assert "a new Task needs main_type='task'" in str(ledger.outcomes[0].error)


def test_an_object_that_is_matched_by_its_id_alone_says_so(box: Sandbox) -> None:
    with pytest.raises(NotSupported, match="does not match a Note by external_id, only by id, and would create"):
        Note.objects.bulk_upsert([{"external_id": "n-1"}], key="external_id")
    with pytest.raises(UnknownField, match="'extid'; did you mean 'external_id'"):
        Note.objects.bulk_upsert([{"external_id": "n-1"}], key="extid")
    assert box.requests == []


@pytest.mark.parametrize("items", ["acme", b"acme", {"name": "Acme"}, 5, None])
def test_what_is_no_list_of_items_is_refused(box: Sandbox, items: Any) -> None:
    with pytest.raises(InvalidQuery, match="takes a list of objects or dictionaries"):
        Company.objects.bulk_upsert(items)
    assert box.requests == []


def test_another_on_error_is_refused(box: Sandbox) -> None:
    with pytest.raises(InvalidQuery, match="on_error"):
        Company.objects.bulk_upsert([], on_error="ignore")  # type: ignore[arg-type]


def test_an_object_without_bulk_upsert_says_what_to_do_instead(box: Sandbox) -> None:
    with pytest.raises(NotSupported, match="offers no bulk upsert of CustomField: "):
        CustomField.objects.bulk_upsert([{"name": "Tier"}])
    assert box.requests == []


def test_a_read_only_session_refuses(box: Sandbox) -> None:
    with box.session(read_only=True), pytest.raises(ReadOnlyError, match="read-only"):
        Company.objects.bulk_upsert([{"name": "Acme"}])
    assert box.requests == []


def test_deleted_moved_and_foreign_objects_are_refused(box: Sandbox) -> None:
    for name in ("Acme", "Birch", "Cedar"):
        box.add(Company, name=name, phase="Trial")
    acme, birch, _ = Company.objects.order_by("name")
    acme.delete()
    birch.phase = "Live"
    box.change(Company, birch.id, phase="Lost")
    Company.objects.get(id=birch.id, fresh=True)
    with box.session():
        cedar = Company.objects.get(name="Cedar")
    before = len(box.requests)
    with pytest.raises(ValidationError) as caught:
        Company.objects.bulk_upsert([acme, birch, cedar])
    assert "was deleted" in str(caught.value.messages["items[0]"])
    assert "conflicts()" in str(caught.value.messages["items[1]"])
    assert "another session" in str(caught.value.messages["items[2]"])
    assert len(box.requests) == before


def test_a_wrong_row_of_a_generator_stops_it_and_what_was_done_is_in_the_ledger(box: Sandbox) -> None:
    def rows() -> Iterator[dict[str, Any]]:
        for n in range(5_002):
            yield {"external_id": f"c-{n}", "name": "x" if n != 5_001 else 3}

    with pytest.raises(BulkError) as caught:
        Company.objects.bulk_upsert(rows())
    ledger = caught.value.result
    assert (len(ledger.created), len(ledger.not_sent), len(ledger.failed)) == (5_000, 1, 1)
    assert "items[5001]: name: must be a text" in str(ledger.failed[0].error)
    assert isinstance(caught.value.__cause__, ValidationError)
    assert len(box.requests) == 1


def test_a_generator_whose_run_stopped_is_never_all_done(box: Sandbox) -> None:
    box.fault("lost_answer", method="PUT", times=99)
    read: list[int] = []

    def rows() -> Iterator[dict[str, Any]]:
        for n in range(5_010):
            read.append(n)
            yield {"external_id": f"c-{n}", "name": f"Company {n}"}

    with pytest.raises(BulkError, match=r"the items were read up to items\[5000\]") as caught:
        Company.objects.bulk_upsert(rows())
    ledger = caught.value.result
    assert (len(ledger.unknown), len(ledger.not_sent), len(read)) == (5_000, 1, 5_001)
    assert (ledger.not_sent[0].change.after or {})["externalId"] == "c-5000"
    ledger.outcomes[:4_999] = []
    assert len(ledger.reconcile().unknown) == 0
    assert not ledger.ok


def test_a_generator_that_fails_says_what_was_done_before(box: Sandbox) -> None:
    def rows() -> Iterator[dict[str, Any]]:
        yield from ({"external_id": f"c-{n}", "name": "x"} for n in range(5_001))
        raise OSError("the file is gone")

    with pytest.raises(OSError, match="the file is gone") as caught:
        Company.objects.bulk_upsert(rows())
    assert caught.value.__notes__ == ["bulk_upsert had done this before: 5000: 5000 created"]


# What was not done


def test_a_run_that_is_not_done_whole_raises_with_its_ledger(box: Sandbox) -> None:
    box.behaviour.error_elements = "object"
    rows = [{"external_id": "a", "name": "Acme"}, {"external_id": "b", "phase": "Live"}]
    with pytest.raises(
        BulkError, match=r"(?s)bulk upsert of Company: 2: 1 created, 1 failed\n  items\[1\].*name"
    ) as caught:
        Company.objects.bulk_upsert(rows)
    ledger = caught.value.result
    assert [outcome.status for outcome in ledger] == ["created", "failed"]
    assert [outcome.status for outcome in pickle.loads(pickle.dumps(caught.value)).result] == ["created", "failed"]


def test_collect_returns_what_would_have_been_raised(box: Sandbox) -> None:
    ledger = Company.objects.bulk_upsert([{"external_id": "b", "phase": "Live"}], on_error="collect")
    assert (ledger.ok, len(ledger.failed)) == (False, 1)


def test_a_chunk_that_is_lost_stops_the_run_and_keeps_what_came_before(box: Sandbox) -> None:
    rows = [{"external_id": f"c-{n}", "name": "x"} for n in range(10_001)]
    box.fault("status", method="PUT", status=502, after=1, times=99)
    ledger = Company.objects.bulk_upsert(rows, on_error="collect")
    assert (len(ledger.created), len(ledger.unknown), len(ledger.not_sent)) == (5_000, 5_000, 1)
    assert len(box.requests) == 1 + 5  # the first, and the attempts at the second


def test_unknown_rows_are_settled_by_reading_them_back(box: Sandbox) -> None:
    box.add(Company, name="Old", external_id="old")
    rows = [{"external_id": "old", "phase": "Live"}, {"external_id": "z", "phase": "Live"}]
    with pytest.raises(BulkError, match="reads the unknown ones back") as caught:
        Company.objects.bulk_upsert(rows)
    ledger = caught.value.result
    assert [outcome.status for outcome in ledger] == ["unknown", "unknown"]
    with box.assert_requests(2):
        ledger.reconcile()
    assert [outcome.status for outcome in ledger] == ["updated", "failed"]


# Objects, after


def test_a_new_object_has_its_id_and_is_the_one_that_get_gives(box: Sandbox) -> None:
    acme = Company(name="Acme", external_id="acme-42", custom={"Tier": "Gold"})
    Company.objects.bulk_upsert([acme])
    assert acme.id == box.row(Company, external_id="acme-42")["_id"]
    with box.assert_requests(0):
        assert (acme.name, acme.custom["Tier"], acme.changes()) == ("Acme", "Gold", {})
        assert len(Company.objects.bulk_upsert([acme]).unchanged) == 1
    with box.assert_requests(1):
        assert acme.status == "prospect"
    assert Company.objects.get(external_id="acme-42") is acme


def test_a_new_object_that_planhat_had_does_not_believe_to_know_its_custom_values(box: Sandbox) -> None:
    box.add(Company, name="Acme", external_id="acme-42", custom={"Seats": 5})
    acme = Company(name="Acme", external_id="acme-42", custom={"Tier": "Gold"})
    box.behaviour.updates_keys = "all"
    assert len(Company.objects.bulk_upsert([acme]).updated) == 1
    assert dict(acme.custom) == {"Seats": 5, "Tier": "Gold"}


def test_a_changed_object_is_clean_and_what_planhat_computes_is_read_again(box: Sandbox) -> None:
    acme = box.add(Company, name="Acme")
    box.add(License, company=acme, product="Platform", currency="EUR", mrr=100, from_date=dt.date(2025, 1, 1))
    licence = License.objects.get(product="Platform")
    licence.product = "Suite"
    licence.fixed_period = True
    licence.to_date = dt.date(2026, 1, 1)
    License.objects.bulk_upsert([licence])
    with box.assert_requests(0):
        assert (licence.changes(), licence.product) == ({}, "Suite")
    with box.assert_requests(1):
        assert licence.renewal_date == dt.date(2026, 1, 1)


def test_what_is_changed_while_it_is_under_way_is_kept(box: Sandbox) -> None:
    box.add(Company, name="Acme", phase="Trial", custom={"Tags": ["a"]})
    acme = Company.objects.get(name="Acme")
    acme.phase = "Live"
    acme.custom["Tags"].append("b")
    session = AnySession.current()

    def meddle(request: Any) -> None:
        acme.phase = "Churning"
        acme.custom["Tags"].append("c")

    stop = session.transport.guard(meddle)
    Company.objects.bulk_upsert([acme])
    stop()
    assert {name: ours for name, (_, ours) in acme.changes().items()} == {
        "phase": "Churning",
        "custom.Tags": ["a", "b", "c"],
    }
    acme.save()
    row = box.row(Company, acme.id)
    assert (row["phase"], row["custom"]["Tags"]) == ("Churning", ["a", "b", "c"])


def test_other_classes_of_the_record_learn_what_was_written(box: Sandbox) -> None:
    class Account(Company):
        pass

    box.add(Company, name="Acme", external_id="acme-42", phase="Trial")
    account, acme = Account.objects.get(external_id="acme-42"), Company.objects.get(external_id="acme-42")
    acme.phase = "Live"
    Company.objects.bulk_upsert([acme])
    assert account.phase == "Live"


def test_an_object_of_unknown_outcome_is_not_created_by_a_later_save(box: Sandbox) -> None:
    acme = Company(name="Acme")
    box.fault("lost_answer", method="PUT", times=99)
    with pytest.raises(BulkError):
        Company.objects.bulk_upsert([acme])
    with pytest.raises(AmbiguousWrite, match="nobody knows what became of it"):
        acme.save()
    with pytest.raises(ValidationError, match="look for it first"):
        Company.objects.bulk_upsert([acme])
    assert box.count(Company) == 1


def test_a_person_that_planhat_dropped_can_be_corrected_and_sent_again(box: Sandbox) -> None:
    person = Enduser(email="a@b.example", company=UNKNOWN_ID)
    ledger = Enduser.objects.bulk_upsert([person], on_error="collect")
    assert [outcome.status for outcome in ledger] == ["unknown"]
    assert "may have been dropped, as people without a company are" in str(ledger.outcomes[0].error)
    acme = box.add(Company, name="Acme")
    person.company_id = acme["_id"]
    assert len(Enduser.objects.bulk_upsert([person]).created) == 1
    assert person.id is not None


def test_an_object_that_was_refused_can_be_saved_later(box: Sandbox) -> None:
    acme = Company(name="Acme")
    box.forbid(Company, "create")
    assert len(Company.objects.bulk_upsert([acme], on_error="collect").failed) == 1
    box.allow(Company, "create")
    assert acme.save().status == "created"
    assert box.count(Company) == 1


def test_an_object_that_a_later_row_took_in_does_not_believe_its_own_values(box: Sandbox) -> None:
    box.add(Company, name="Acme", phase="Trial")
    acme = Company.objects.get(name="Acme")
    acme.phase, acme.description = "Live", "Ours"
    ledger = Company.objects.bulk_upsert([acme, {"id": acme.id, "phase": "Lost"}])
    assert [outcome.status for outcome in ledger] == ["merged", "updated"]
    assert bodies(box) == [[{"_id": acme.id, "phase": "Lost", "description": "Ours"}]]
    assert acme.changes() == {}
    assert (acme.phase, acme.description) == ("Lost", "Ours")


def test_of_two_new_objects_for_one_record_the_earlier_is_not_created_by_a_save(box: Sandbox) -> None:
    first, second = Company(name="Acme", external_id="a"), Company(name="Acme AB", external_id="a")
    Company.objects.bulk_upsert([first, second])
    assert (first.id, second.id) == (None, box.row(Company, external_id="a")["_id"])
    with pytest.raises(AmbiguousWrite):
        first.save()
    assert box.count(Company) == 1


def test_what_was_done_before_an_interrupt_is_told_and_known_to_its_objects(box: Sandbox) -> None:
    companies = [Company(name=f"Company {n}", external_id=f"c-{n}") for n in range(5_001)]
    sent: list[Any] = []

    def interrupt(request: Any) -> None:
        sent.append(request)
        if len(sent) == 2:
            raise KeyboardInterrupt

    stop = AnySession.current().transport.guard(interrupt)
    with pytest.raises(KeyboardInterrupt) as caught:
        Company.objects.bulk_upsert(companies)
    stop()
    assert caught.value.__notes__ == ["bulk_upsert had done this before: 5000: 5000 created"]
    assert [company.id is not None for company in companies[4_999:]] == [True, False]
    with pytest.raises(AmbiguousWrite):
        companies[5_000].save()  # its request may have been under way


def test_the_same_new_object_twice_is_made_once(box: Sandbox) -> None:
    acme = Company(name="Acme", external_id="a")
    ledger = Company.objects.bulk_upsert([acme, acme])
    assert [outcome.status for outcome in ledger] == ["merged", "created"]
    assert acme.id is not None
    birch = Company(name="Birch")
    with pytest.raises(ValidationError, match=r"items\[1\]: item: is items\[0\] again, and would be created twice"):
        Company.objects.bulk_upsert([birch, birch])
    assert box.count(Company) == 1
