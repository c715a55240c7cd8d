"""Invoices, opportunities, churn, sales, products, deals and line items: what Planhat computes and keeps."""

import pytest

from planhat_orm.models import Churn, Company, Invoice, Sale


@pytest.fixture
def acme(box):
    return box.add(Company, name="Acme", external_id="acme-42")


def invoice(company, **more):
    return {"cId": company["_id"], "currency": "EUR", "invoiceDate": 20150, **more}


def test_invoices_link_by_c_id_and_name_the_company(api, acme):
    row = api.post("/invoices", {"cId": "extid-acme-42", "companyId": "x", "companyName": "x"}).json()
    assert (row["cId"], row["cName"], row["status"]) == (acme["_id"], "Acme", "pending")
    assert not {"companyId", "companyName"} & row.keys()
    assert api.post("/invoices", {"companyId": acme["_id"]}).text == "Required Field: cId"


def test_invoices_are_numbered_within_their_company_and_no_number_comes_twice(box, api, acme):
    birch = box.add(Company, name="Birch")
    rows = [api.post("/invoices", invoice(company)).json() for company in (acme, acme, birch)]
    assert [row["invoiceNo"] for row in rows] == [1, 2, 1]
    api.delete(f"/invoices/{rows[1]['_id']}")
    assert api.post("/invoices", invoice(acme, invoiceNo=1)).json()["invoiceNo"] == 3
    assert box.add(Invoice, company=acme)["invoiceNo"] == 4
    assert api.put(f"/invoices/{rows[0]['_id']}", {"status": "overdue"}).json()["invoiceNo"] == 1


@pytest.mark.parametrize("day", ["2025-03-03T00:00:00.000Z", "20150", 20150.5])
@pytest.mark.parametrize("key", ["invoiceDate", "dueDate", "paidDate"])
def test_days_of_invoices_are_numbers(api, acme, key, day):
    assert api.post("/invoices", invoice(acme, **{key: day})).status_code == 400
    assert api.post("/invoices", invoice(acme, lineItems=[{"dateFrom": day}])).status_code == 400


def test_what_is_due_is_what_is_not_paid_and_a_paid_date_changes_no_status(api, acme):
    row = api.post("/invoices", invoice(acme, amountTotal=100, amountDue=1, amountPaid=2)).json()
    assert (row["amountDue"], row["amountPaid"]) == (100, 0)
    assert api.put(f"/invoices/{row['_id']}", {"paidDate": 20160}).json()["status"] == "pending"
    after = api.put(f"/invoices/{row['_id']}", {"status": "paid"}).json()
    assert (after["amountDue"], after["amountPaid"]) == (0, 100)


def test_lines_of_an_invoice_get_ids_and_lose_what_is_written_only(api, acme):
    sale = "64c0aa0000000000000000a1"
    row = api.post("/invoices", invoice(acme, lineItems=[{"relatedId": f"sale-{sale}", "amount": 5, "dateFrom": 1}]))
    [line] = row.json()["lineItems"]
    assert len(line.pop("_id")) == 24
    assert line == {"amount": 5, "dateFrom": 1, "saleId": sale}


def test_opportunities_are_given_dates_and_a_length_and_keep_their_stages(api, acme):
    row = api.post("/opportunities", {"companyId": acme["_id"], "salesStage": "Qualified", "mrr": 10}).json()
    assert (row["contractLength"], row["status"], row["stageHistory"], row["custom"]) == (12, "active", [], None)
    assert ("landingDate" in row, "closeDate" in row, "arr" in row) == (True, False, False)
    after = api.put(f"/opportunities/{row['_id']}", {"salesStage": "Proposal", "status": "won"}).json()
    assert [stage["stage"] for stage in after["stageHistory"]] == ["Qualified"]
    assert after["stageHistory"][0]["to"] <= after["closeDate"]


def test_the_currency_of_sales_and_opportunities_is_a_text_and_inside_a_company_an_object(api, acme):
    body = {"companyId": acme["_id"], "_currency": "EUR", "value": 5, "salesDate": "2025-02-03"}
    assert api.post("/sales", body).json()["_currency"] == "EUR"
    assert api.post("/opportunities", body).json()["_currency"] == "EUR"
    [sale] = api.get(f"/companies/{acme['_id']}")["sales"]
    assert (sale["_currency"]["_id"], sale["_currency"]["symbol"]) == ("EUR", "€")
    assert api.get("/sales")[0]["_currency"] == "EUR"


def test_churn_is_under_the_singular_and_takes_a_day(api, acme):
    row = api.post("/churn", {"companyId": acme["_id"], "value": 5, "churnDate": "2025-05-31"}).json()
    assert (row["churnDate"], row["companyName"]) == ("2025-05-31T00:00:00.000Z", "Acme")
    assert api("GET", "/churns").status_code == 404


def test_churn_is_filtered_by_days_and_by_downgrades(box, api, acme):
    for value, day, partial in ((1, "2025-05-31", True), (2, "2025-06-01", False), (3, "2025-07-01", None)):
        box.add(Churn, company=acme, value=value, churnDate=f"{day}T10:00:00.000Z", only_downgrade=partial)

    def found(**params):
        return [row["value"] for row in api.get("/churn", **params)]

    assert found(**{"from": "2025-06-01"}) == [2, 3]
    assert found(to="2025-06-01") == [1, 2]
    assert found(downgrades="only") == [1]
    assert found(downgrades="excluded") == [2, 3]
    assert found(downgrades="other") == found() == [1, 2, 3]


def test_products_keep_monthly_and_yearly_amounts_in_step(api):
    row = api.post("/products", {"name": "Platform", "mrr": 200, "arr": 1, "renewalMrr": 210}).json()
    assert (row["type"], row["arr"], row["renewalArr"]) == ("subscription", 2400, 2520)


@pytest.fixture
def deal(api, acme):
    return api.post("/deals", {"companyId": acme["_id"], "name": "Renewal", "mrr": 1}).json()


def test_a_line_item_takes_from_its_product_what_it_does_not_say(api, acme, deal):
    product = api.post("/products", {"name": "Platform", "mrr": 200, "currency": "EUR", "noticePeriod": 30}).json()
    body = {"dealId": deal["_id"], "productId": product["_id"], "noticePeriod": 10}
    row = api.post("/lineitems", body).json()
    assert (row["mrr"], row["arr"], row["currency"], row["noticePeriod"]) == (200, 2400, "EUR", 10)
    assert (row["productType"], row["status"], row["companyId"]) == ("subscription", "ongoing", acme["_id"])
    api.put(f"/products/{product['_id']}", {"mrr": 300})
    assert api.get(f"/lineitems/{row['_id']}")["mrr"] == 200


def test_the_value_follows_where_both_dates_are_set(api, deal):
    body = {"dealId": deal["_id"], "mrr": 100, "fromDate": "2026-04-01", "toDate": "2027-03-31"}
    row = api.post("/lineitems", body).json()
    assert (row["length"], row["value"]) == (12, 1200)
    assert api.put(f"/lineitems/{row['_id']}", {"arr": 2400}).json()["value"] == 2400


def test_a_deal_adds_up_its_line_items_and_its_amounts_can_be_written_only_without_any(api, deal):
    assert (deal["mrr"], deal["arr"]) == (1, 12)
    body = {"dealId": deal["_id"], "mrr": 100, "fromDate": "2026-04-01", "toDate": "2027-03-31"}
    line = api.post("/lineitems", body).json()
    api.post("/lineitems", {"dealId": deal["_id"], "productType": "fee", "value": 500})
    row = api.put(f"/deals/{deal['_id']}", {"mrr": 7, "name": "Other", "startDate": "2001-01-01"}).json()
    assert (row["mrr"], row["arr"], row["total"], row["fees"], row["name"]) == (100, 1200, 1700, 500, "Other")
    assert (row["startDate"][:10], row["endDate"][:10], row["renewalDate"][:10]) == (
        "2026-04-01",
        "2027-03-31",
        "2027-03-31",
    )
    api.delete(f"/lineitems/{line['_id']}")
    assert api.get(f"/deals/{deal['_id']}")["mrr"] == 0


def test_sales_and_licences_say_not_when_they_changed(box, acme):
    row = box.add(Sale, company=acme, value=5)
    assert not {"createdAt", "updatedAt"} & row.keys()
