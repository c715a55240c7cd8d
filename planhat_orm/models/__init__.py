"""What Planhat has: one module per object, with declarations and quirks only.

Imports the ORM. Importing this package registers every object; a new one is a new module and a line here. It does not
promise to hold everything that Planhat has: ``session.request`` reaches the rest.
"""

from planhat_orm.models.company import Company
from planhat_orm.models.enduser import Enduser
from planhat_orm.models.license import License
from planhat_orm.models.note import Note
from planhat_orm.models.user import User

__all__ = ["Company", "Enduser", "License", "Note", "User"]
