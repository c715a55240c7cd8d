"""Task: something to do, or a meeting in a calendar.

Declarations only; the facts are those of https://www.planhat.com/developers/api/task. It does not promise that
``owner_name`` is the name of the owner: Planhat does not renew that copy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from planhat_orm.models.sources import AIRBYTE, CONTEXT7, DLT, PH_DESK, POSTMAN, TENANT_GUIDE, TORQ, official
from planhat_orm.orm import fields
from planhat_orm.orm.custom import CustomData
from planhat_orm.orm.evidence import Quirk, documented, inferred, observed
from planhat_orm.orm.model import Model
from planhat_orm.orm.params import Param
from planhat_orm.orm.relations import ForeignKey, ReferenceList, Related

if TYPE_CHECKING:
    from planhat_orm.models.company import Company
    from planhat_orm.models.conversation import Conversation
    from planhat_orm.models.enduser import Enduser
    from planhat_orm.models.note import Note
    from planhat_orm.models.user import User

#: Of what the samples of answers show beyond the table of properties.
SAMPLES = documented(PH_DESK, CONTEXT7)
#: Of what Planhat's hosted MCP server names and no page of the REST API does.
BESIDE_REST = observed(TENANT_GUIDE)


class Task(Model):
    """Something to do, or with ``main_type="event"`` a meeting from a calendar. Its title is ``action``.

    A list of Planhat holds archived tasks or the others, never both; ours asks for both. Completed tasks are
    archived. ``get`` takes ``id`` and ``source_id``, which is unique among tasks; there is no external id. Bulk upsert
    matches on those two.

    A create needs ``company``. The reference marks ``main_type`` as required and says that "task" is the default: it is
    sent with every create that says nothing else, but not with an item of a bulk upsert that has a key; give it there
    if the task may be new. To complete a task set ``status`` to "Done", spelled like that: "done" was refused by a live
    tenant.

    Source: https://www.planhat.com/developers/api/task

    >>> acme = Company.objects.get(external_id="acme-42")
    >>> task = Task.objects.create(company=acme, main_type="task", action="Send the quote")
    >>> [found.action for found in Task.objects.filter(company=acme, action="Send the quote")]
    ['Send the quote']
    """

    class Meta:
        path = "tasks"
        page_size = (500, 10000)
        keyables = ("id", "source_id")
        match_keys = ("_id", "sourceId")
        unique = ("sourceId",)
        list_params = {
            "companyId": Param("companyId", many=True),
            "enduserIds": Param("endusers", lookup="contains", many=True, help="of these people"),
            "isArchived": Param("isArchived", form="boolean", help="archived ones, or the others"),
        }
        unhide = {"isArchived": ("false", "true")}
        create_defaults = {"mainType": "task"}
        updated_field = "updatedAt"
        doc_url = "https://www.planhat.com/developers/api/task"
        evidence = {
            "fields": documented(official("task"), PH_DESK),
            "operations": documented(official("task"), POSTMAN, PH_DESK),
            "filters": documented(official("task"), POSTMAN, PH_DESK),
            "keys": documented(official("task"), POSTMAN, PH_DESK),
            "matching": documented(POSTMAN, PH_DESK),
            "required": documented(official("task"), POSTMAN, PH_DESK),
            "limits": documented(POSTMAN, PH_DESK, DLT, AIRBYTE),
            "hidden": documented(official("task"), POSTMAN, PH_DESK),
        }
        quirks = (
            Quirk(
                "Lists leave out archived tasks, those that are done among them, unless isArchived=true asks for them "
                "and for nothing else.",
                documented(POSTMAN, PH_DESK),
            ),
            Quirk(
                "There is no extid-: tasks are found by _id and sourceId, whatever some clients offer.",
                documented(POSTMAN, TORQ),
            ),
            Quirk(
                'status is any text, which is stored as it is; to complete a task it has to be "Done", and "done" was '
                "refused with a vague error.",
                observed(TENANT_GUIDE, official("task")),
            ),
            Quirk(
                "A task that is set to done makes a conversation with its own id. One that is created as done does "
                'not, and "ignored" does not either.',
                observed(TENANT_GUIDE),
            ),
            Quirk("ownerName is not renewed when the owner changes.", observed(official("task"), TENANT_GUIDE)),
            Quirk(
                "A create with a sourceId that is taken is refused.",
                observed(TENANT_GUIDE),
            ),
            Quirk(
                "Custom values are merged key by key; a key that no custom field has is stored, and seen nowhere in "
                "the app; two keys that differ in letter case alone are refused together; a blank text stays one.",
                observed(TENANT_GUIDE),
            ),
            Quirk(
                "noSpecificTime is marked as Planhat's own, yet the official sample of a create sends it.",
                documented(official("task"), PH_DESK),
            ),
            Quirk("A task without a type is shown as a note in the app.", observed(TENANT_GUIDE)),
            Quirk(
                "Meetings of a synchronized calendar hold its id in sourceId; the conversation that they become "
                "holds it in externalId.",
                observed(TENANT_GUIDE),
            ),
            Quirk("In ascending order of endTime tasks without one come first.", observed(TENANT_GUIDE)),
            Quirk(
                "endusers is marked as Planhat's own, although the hosted MCP server writes it as items {id}.",
                observed(official("task"), TENANT_GUIDE),
            ),
        )

    main_type: fields.Choice = fields.Choice(
        "mainType",
        required=True,
        choices=("task", "event"),
        help='"event" is a meeting in a calendar; "task" unless said',
    )
    company: ForeignKey[Company] = ForeignKey(
        "Company", "companyId", required=True, takes_keys=True, help="the company it is about"
    )
    company_id: fields.Id = fields.IdOf(company)
    company_name: fields.Text = fields.Text("companyName", read_only=True, help="a copy of the company's name")
    action: fields.Text = fields.Text("action", label="Title", help="the title: what is to be done")
    description: fields.Text = fields.Text("description", help="HTML")
    snippet: fields.Text = fields.Text(
        "snippet", read_only=True, help="the description without markup", evidence=inferred(PH_DESK)
    )
    type: fields.Text = fields.Text("type", help="a touch type of the tenant, as conversations have")
    status: fields.Text = fields.Text(
        "status", slips={"done": "Done"}, help='one of the tenant\'s task statuses; "Done" completes it'
    )
    start_time: fields.DateTime = fields.DateTime("startTime", label="Start")
    end_time: fields.DateTime = fields.DateTime("endTime", label="Due Date", help="when it is due")
    done_at: fields.DateTime = fields.DateTime("dateDone", label="Completed", help="when it was completed")
    repeat: fields.Choice = fields.Choice(
        "repeat",
        choices=("daily", "weekly", "monthly", "quarterly", "yearly", "custom"),
        help="None: it does not repeat",
    )
    repeat_days: fields.Integer = fields.Integer("repeatDays", help='days between two, with repeat="custom"')
    owner: ForeignKey[User] = ForeignKey("User", "ownerId", help="who is to do it")
    owner_id: fields.Id = fields.IdOf(owner)
    owner_name: fields.Text = fields.Text(
        "ownerName",
        read_only=True,
        help="a copy that is not renewed when the owner changes",
        evidence=observed(official("task"), TENANT_GUIDE),
    )
    owner_type: fields.Text = fields.Text("ownerType", read_only=True, evidence=BESIDE_REST)
    done_by: ForeignKey[User] = ForeignKey("User", "doneBy", help="who completed it")
    done_by_id: fields.Id = fields.IdOf(done_by)
    source_id: fields.Text = fields.Text(
        "sourceId", label="Source ID", help="the id in the system it came from, unique among tasks"
    )
    is_archived: fields.Boolean = fields.Boolean("isArchived", help="completed tasks are")
    checklist: fields.List = fields.List("checklist", help="items {title}; what else they hold is not documented")
    activity_tags: fields.TextList = fields.TextList("activityTags", help="ids of activity tags")
    endusers: ReferenceList[Enduser] = ReferenceList(
        "Enduser", "endusers", item_key="id", read_only=True, help="people it concerns"
    )
    users: ReferenceList[User] = ReferenceList(
        "User", "users", item_key="id", read_only=True, help="team members who take part"
    )
    custom: CustomData = CustomData("custom", help="the tenant's own fields, by their names")
    created_at: fields.DateTime = fields.DateTime("createdAt", read_only=True, label="Created")
    updated_at: fields.DateTime = fields.DateTime("updatedAt", read_only=True, label="Updated")
    no_specific_time: fields.Boolean = fields.Boolean("noSpecificTime", read_only=True, help="it has days and no hours")
    shared: fields.Boolean = fields.Boolean("shared", read_only=True)
    overdue_notified: fields.Boolean = fields.Boolean(
        "overdueNotified", read_only=True, help="somebody was told that it is overdue"
    )
    conversation: ForeignKey[Conversation] = ForeignKey(
        "Conversation", "noteId", read_only=True, help="the conversation it became when done", evidence=BESIDE_REST
    )
    conversation_id: fields.Id = fields.IdOf(conversation)
    parent: ForeignKey[Task] = ForeignKey("Task", "parent", read_only=True, help="the step above", evidence=SAMPLES)
    parent_id: fields.Id = fields.IdOf(parent)
    children: fields.List = fields.List("children", read_only=True, help="the steps below", evidence=SAMPLES)
    sort_position: fields.Integer = fields.Integer(
        "sortPosition", read_only=True, help="its place among the steps", evidence=SAMPLES
    )
    workflow_id: fields.Id = fields.Id(
        "workflowId", read_only=True, help="the workflow it is a step of, which has no endpoint", evidence=SAMPLES
    )
    workflow_name: fields.Text = fields.Text("workflowName", read_only=True, evidence=SAMPLES)
    workflow_task_id: fields.Id = fields.Id("workflowTaskId", read_only=True, evidence=SAMPLES)
    workflow_template_id: fields.Id = fields.Id("workflowTemplateId", read_only=True, evidence=SAMPLES)
    workflow_step_id: fields.Id = fields.Id(
        "workflowStepId", read_only=True, help="its own id in the sample", evidence=SAMPLES
    )
    comments: fields.List = fields.List("comments", read_only=True, evidence=SAMPLES)
    user_email: fields.Text = fields.Text(
        "userEmail", read_only=True, help="the acting user's; in create answers only", evidence=SAMPLES
    )
    path: fields.List = fields.List("path", read_only=True, evidence=BESIDE_REST)
    parent_object: fields.Json = fields.Json("parentObject", read_only=True, evidence=BESIDE_REST)
    version_key: fields.Integer = fields.Integer(
        "__v", read_only=True, help="the storage's version number", evidence=SAMPLES
    )

    conversations: Related[Conversation] = Related("Conversation", via="task")
    notes: Related[Note] = Related("Note", via="task")
    steps: Related[Task] = Related("Task", via="parent")
