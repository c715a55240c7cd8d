"""Time entries and timesheets: what is computed, copied and handed in."""

import pytest

from planhat_orm.models import Company, TimeEntry, Timesheet, User


@pytest.fixture
def entry(api):
    return api.post("/timeentries", {"date": "2025-04-14T15:30:00.000Z", "hours": 3, "billableRate": 100}).json()


def test_the_date_is_cut_to_midnight_and_totals_are_computed(api, entry):
    assert (entry["date"], entry["totalBilled"], entry["totalCost"]) == ("2025-04-14T00:00:00.000Z", 300, 0)
    assert (entry["timesheetStatus"], entry["assignedModel"], entry["path"]) == ("draft", "User", [])
    assert "assignedId" not in entry
    after = api.put(f"/timeentries/{entry['_id']}", {"costRate": 50, "totalBilled": 1, "timesheetStatus": "approved"})
    assert (after.json()["totalCost"], after.json()["totalBilled"]) == (150, 300)
    assert after.json()["timesheetStatus"] == "draft"


@pytest.mark.parametrize("hours", [0, 0.05, 24.5, -1, "3", None])
def test_hours_that_no_day_has_are_refused(api, entry, hours):
    body = {"date": "2025-04-14", "hours": hours}
    assert api.post("/timeentries", body).status_code == 400
    if hours is not None:
        answer = api.put("/timeentries", [body, {"date": "2025-04-14", "hours": 24}])
        assert (answer.status_code, answer.json()["created"]) == (206, 1)
        assert (len(answer.json()["validationErrors"]), answer.json()["createdErrors"]) == (1, [])


def test_duplicating_copies_those_that_exist(api, entry):
    answer = api.post("/timeentries/duplicate", {"ids": [entry["_id"], "0" * 24]})
    [copy] = answer.json()["upsertedIds"]
    assert (answer.status_code, answer.json()["created"], answer.json()["validationErrors"]) == (200, 1, [])
    row = api.get(f"/timeentries/{copy}")
    assert (row["hours"], row["date"], row["billableRate"]) == (3, entry["date"], 100)
    assert api.post("/timeentries/duplicate", []).status_code == 400
    assert api.post("/timeentries/other", {"ids": []}).status_code == 404


def test_a_copy_is_in_no_timesheet(api, entry):
    api.post("/timesheets", {"timeEntries": [{"_id": entry["_id"]}]})
    copy = api.post("/timeentries/duplicate", {"ids": [entry["_id"]]}).json()["upsertedIds"][0]
    row = api.get(f"/timeentries/{copy}")
    assert (row["timesheetStatus"], "timesheetId" in row) == ("draft", False)


def test_entries_are_handed_in_as_objects_and_read_as_ids(api, entry):
    sheet = api.post("/timesheets", {"timeEntries": [{"_id": entry["_id"]}], "dateFrom": 20191, "dateTo": 20198})
    assert (sheet.json()["timeEntries"], sheet.json()["status"]) == ([entry["_id"]], "submitted")
    assert api.get("/timesheets")[0]["timeEntries"] == [entry["_id"]]
    assert api.post("/timesheets", {"timeEntries": [entry["_id"]]}).status_code == 400
    row = api.get(f"/timeentries/{entry['_id']}")
    assert (row["timesheetId"], row["timesheetStatus"]) == (sheet.json()["_id"], "submitted")


def test_an_approval_names_who_and_when_and_the_entries_follow(box, api, entry):
    boss = box.add(User, email="boss@vendor.example")
    sheet = api.post("/timesheets", {"timeEntries": [{"_id": entry["_id"]}]}).json()
    assert not {"approvedBy", "dateOfApproval"} & sheet.keys()
    after = api.put(f"/timesheets/{sheet['_id']}", {"status": "approved", "dateOfApproval": "2001-01-01"}).json()
    assert (after["approvedBy"], after["dateOfApproval"] > "2020") == (boss["_id"], True)
    assert api.get(f"/timeentries/{entry['_id']}")["timesheetStatus"] == "approved"


def test_an_entry_that_is_taken_out_is_a_draft_again(api, entry):
    sheet = api.post("/timesheets", {"timeEntries": [{"_id": entry["_id"]}]}).json()
    api.put(f"/timesheets/{sheet['_id']}", {"timeEntries": []})
    row = api.get(f"/timeentries/{entry['_id']}")
    assert (row["timesheetStatus"], "timesheetId" in row) == ("draft", False)


@pytest.mark.parametrize("day", ["2025-04-14T00:00:00.000Z", 20191.5, "20191", True])
def test_the_period_is_days_that_are_numbers(api, day):
    assert api.post("/timesheets", {"dateFrom": day}).status_code == 400


def test_timesheets_take_no_filter(box, api):
    kim = box.add(User, email="kim@vendor.example")
    box.add(Timesheet, status="approved")
    box.add(Timesheet, status="returned")
    assert len(api.get("/timesheets", status="approved", companyId="0" * 24, assignedId=kim["_id"])) == 2


def test_planted_sheets_take_rows_and_ids_and_entries_follow(box, api):
    acme = box.add(Company, name="Acme")
    entries = [box.add(TimeEntry, company=acme, date="2025-04-14T00:00:00.000Z", hours=number) for number in (1, 2)]
    sheet = box.add(Timesheet, time_entries=entries)
    assert sheet["timeEntries"] == [row["_id"] for row in entries]
    assert {row["timesheetId"] for row in api.get("/timeentries")} == {sheet["_id"]}
