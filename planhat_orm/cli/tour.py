"""The script that ``planhat demo`` shows and runs, step by step. It is read as text, never imported.

A step begins at a comment with a number. It imports the public face only, as its readers would.
"""

# 1. Connect
from planhat_orm import PlanhatError, connect
from planhat_orm.models import Company, Note

session = connect()  # reads PLANHAT_API_TOKEN; sends nothing yet
print(session)

# 2. List customers by name
customers = Company.objects.filter(status="customer").order_by("name")
for company in customers[:5]:
    print(f"{company.name:30} {company.phase}")

# 3. Follow links: who owns the biggest customers?
for company in customers.order_by("-arr")[:5]:
    owner = company.owner
    print(f"{company.name:30} {owner.email if owner else '(nobody)'}")

# 4. Change a custom field
acme = Company.objects.get(external_id="acme-42")
acme.custom["Tier"] = "Gold"
print(acme.changes())
acme.save()

# 5. Add a note
note = Note.objects.create(company=acme, subject="Wants two more seats")
print(note)

# 6. Mistake an external id for Planhat's own
try:
    Company.objects.get(id="acme-42")
except PlanhatError as error:
    print(error)

# 7. Misspell a field: Planhat would ignore the filter and return everything
try:
    Company.objects.filter(staus="customer")
except PlanhatError as error:
    print(error)
