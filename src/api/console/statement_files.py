"""A whole statement as a file, for operators and for the customer whose it is. Of a month that is over always the same bytes."""

from typing import Any, get_args
from uuid import UUID

from litestar import Response

from api.console import looking
from api.console.files import FORMS
from api.console.headers import HEADERS
from api.console.pages import Pages
from application.reports.period import month as month_of
from application.reports.statement_file import LINES_MAX, StatementFormat, statement_file
from domain.refusal import NotFound


def statement_answer(pages: Pages, account_id: UUID, *, month: str, zone: str, form: str) -> Response[bytes]:
    """Of this month if it is none of the last twelve. Blocking.

    Raises:
        NotFound: there is no such form of a file.
    """
    if form not in get_args(StatementFormat):
        raise NotFound("form of a statement", form)
    wanted: Any = form
    tools = pages.tools.admin
    months = looking.months(tools.ports.clock.now_us(), zone)
    chosen = month if month in months else months[0]
    read = tools.statements.whole_statement(
        account_id, month_of(chosen, zone=zone), zone=zone, lines_max=LINES_MAX
    )
    headers = {**HEADERS, "content-disposition": f'attachment; filename="statement-{chosen}.{form}"'}
    return Response(statement_file(read, wanted), media_type=FORMS[form], headers=headers)
