"""Commands whose doing takes long: a worker does them, and they can be left."""

from typing import Final

from api.admin.tables.entry import Entry, entry
from application.work import ask_export, ask_rebuild

WORK: Final[tuple[Entry, ...]] = (
    entry(
        "work",
        "rebuild",
        ask_rebuild.handle,
        "Have a worker build a read model anew beside the one in use, or all of them. `work list` shows how far it is.",
        new_id="work_id",
    ),
    entry(
        "work",
        "export",
        ask_export.handle,
        "Have a worker write what the log says into a file for the console. `tokenok export` writes one here and now.",
        new_id="work_id",
    ),
)
