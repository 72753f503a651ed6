"""The one table of what operators may command, for the JSON API, the console and the command line.

A command becomes `POST /api/admin/<nouns>/<verb>` and `tokenok <noun> <verb>`. Its line is in the part of `api.admin.tables` that it is about.
"""

from typing import Final

from api.admin.tables.catalogue import CATALOGUE
from api.admin.tables.commerce import COMMERCE
from api.admin.tables.customers import CUSTOMERS
from api.admin.tables.entry import Entry
from api.admin.tables.ledger import LEDGER
from api.admin.tables.work import WORK

COMMANDS: Final[tuple[Entry, ...]] = (*CUSTOMERS, *LEDGER, *COMMERCE, *CATALOGUE, *WORK)
