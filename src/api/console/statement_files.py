"""A whole statement as a file, for operators and for the customer whose it is. Of a month that is over always the same bytes."""

from typing import Any, get_args
from uuid import UUID

from litestar import Request, Response

from api.console import looking
from api.console.access import visit_of
from api.console.acting import turned_back
from api.console.files import FORMS
from api.console.headers import HEADERS
from api.console.pages import Pages
from application.documents.page import PrintingFailed
from application.documents.statement_files import MEDIA, StatementForm
from application.documents.statements import StatementAsked
from application.i18n.locales import best_locale
from application.reports.period import month as month_of
from domain.refusal import NotFound, Refusal


def statement_answer(
    pages: Pages, request: Request[Any, Any, Any], account_id: UUID, *, month: str, form: str, home: str
) -> Response[Any]:
    """Of this month if it is none of the last twelve, in the visitor's zone and language. Blocking.

    What cannot be made is told at `home`.

    Raises:
        NotFound: there is no such form of a file.
    """
    if form not in get_args(StatementForm):
        raise NotFound("form of a statement", form)
    wanted: Any = form
    tools, visit = pages.tools.admin, visit_of(request)
    months = looking.months(tools.ports.clock.now_us(), visit.zone)
    chosen = month if month in months else months[0]
    asked = StatementAsked(
        account_id=account_id,
        period=month_of(chosen, zone=visit.zone),
        zone=visit.zone,
        locale=best_locale(visit.language),
    )
    try:
        content = tools.statement_files.file(asked, wanted)
    except (Refusal, PrintingFailed) as error:
        return turned_back(pages, error, back=f"{home}?month={chosen}")
    headers = {**HEADERS, "content-disposition": f'attachment; filename="statement-{chosen}.{form}"'}
    return Response(content, media_type=FORMS.get(form, MEDIA[wanted]), headers=headers)
