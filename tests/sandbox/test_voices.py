"""Issues and NPS answers: who is named in them, and what lists leave out."""

from datetime import UTC, datetime

import pytest

from planhat_orm.models import NPS, Company, Enduser, Issue


@pytest.fixture
def acme(box):
    return box.add(Company, name="Acme", external_id="acme-42", source_id="crm-1")


@pytest.fixture
def ada(box, acme):
    return box.add(Enduser, company=acme, first_name="Ada", last_name="Byron", email="ada@acme.example")


def test_an_issue_names_its_companies_and_people_beside_the_ids(box, api, acme, ada):
    birch = box.add(Company, name="Birch")
    body = {"title": "A", "companyIds": ["srcid-crm-1", birch["_id"], "extid-nobody"], "enduserIds": [ada["_id"]]}
    row = api.post("/issues", {**body, "companies": [], "companyId": acme["_id"]}).json()
    assert row["companyIds"] == [acme["_id"], birch["_id"]]
    assert row["companies"] == [{"id": acme["_id"], "name": "Acme"}, {"id": birch["_id"], "name": "Birch"}]
    assert row["endusers"] == [{"id": ada["_id"], "name": "Ada Byron"}]
    assert "companyId" not in row


def test_issues_of_a_company_are_those_that_name_it_and_several_ids_are_not_taken(box, api, acme):
    birch = box.add(Company, name="Birch")
    made = [box.add(Issue, title="A", companies=companies)["_id"] for companies in ([acme, birch], [birch], [])]
    assert [row["_id"] for row in api.get("/issues", companyId=acme["_id"])] == made[:1]
    assert [row["_id"] for row in api.get("/issues", companyId=birch["_id"])] == made[:2]
    assert api.get("/issues", companyId=f"{acme['_id']},{birch['_id']}") == []


def test_archived_issues_are_not_hidden(box, api):
    box.add(Issue, title="A", archived=True)
    assert [row["archived"] for row in api.get("/issues")] == [True]


def test_an_answer_belongs_to_the_person_of_its_email_and_to_the_company(api, acme, ada):
    row = api.post("/nps", {"email": "ada@acme.example", "score": 9, "euId": "x"}).json()
    assert (row["euId"], row["cId"]) == (ada["_id"], acme["_id"])
    stranger = api.post("/nps", {"email": "nobody@acme.example", "score": 9}).json()
    assert not {"euId", "cId"} & stranger.keys()


@pytest.mark.parametrize("score", [-1, 11, 7.5, "9", True])
def test_a_score_is_a_whole_number_from_0_to_10(api, score):
    assert api.post("/nps", {"email": "ada@acme.example", "score": score}).status_code == 400


def test_the_latest_answer_is_that_of_the_person(api, acme, ada):
    for score, day in ((9, "2025-06-02"), (3, "2025-06-01")):
        api.post("/nps", {"email": "ada@acme.example", "score": score, "comment": str(score), "dateAnswered": day})
    person = api.get(f"/endusers/{ada['_id']}")
    assert (person["nps"], person["npsComment"], person["npsDate"]) == (9, "9", "2025-06-02T00:00:00.000Z")


def test_lists_leave_out_answers_that_are_older_than_360_days_unless_told_otherwise(box, api):
    box._world.clock = lambda: datetime(2026, 1, 1, tzinfo=UTC)
    for day in ("2026-01-01", "2025-01-07", "2025-01-05", "2015-01-01"):
        box.add(NPS, email="a@b.example", score=9, dateAnswered=f"{day}T00:00:00.000Z")
    box.add(NPS, email="a@b.example", score=9)

    def shown(**params):
        return [row.get("dateAnswered", "")[:10] for row in api.get("/nps", **params)]

    assert shown() == shown(npsExpiryDay="x") == ["2026-01-01", "2025-01-07", ""]
    assert shown(npsExpiryDay=1) == ["2026-01-01", ""]
    assert len(shown(npsExpiryDay=100000)) == len(shown(npsExpiryDay="999999999")) == 5


def test_lists_may_use_other_names_as_seen_on_a_live_tenant(box, api, acme, ada):
    made = box.add(NPS, email="ada@acme.example", score=9, comment="Good")
    box.behaviour.nps_names = "short"
    [row] = api.get("/nps")
    assert (row["nps"], row["npsComment"]) == (9, "Good")
    assert not {"score", "comment", "euId"} & row.keys()
    assert api.get(f"/nps/{made['_id']}")["score"] == 9
