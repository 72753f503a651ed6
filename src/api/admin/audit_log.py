"""The GET routes of the audit log."""

from typing import Final

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery

from api.admin.access import PERMISSION
from api.admin.reading import Limit
from api.admin.tools import AdminTools
from api.admin.views import PAGE_ROWS
from application.reports.audit_log import ActFilter, ActPage, acts_csv

_READ: Final = {PERMISSION: "read"}


def audit_routes(tools: AdminTools) -> list[HTTPRouteHandler]:
    """The same acts, as JSON and as CSV."""

    @get("/audit-log", opt=_READ, sync_to_thread=True)
    def read_audit_log(
        *,
        actor: FromQuery[str | None] = None,
        topic: FromQuery[str | None] = None,
        subject_kind: FromQuery[str | None] = None,
        subject: FromQuery[str | None] = None,
        from_us: FromQuery[int | None] = None,
        until_us: FromQuery[int | None] = None,
        before_position: FromQuery[int | None] = None,
        limit: Limit = PAGE_ROWS,
    ) -> ActPage:
        """Who did what to what, what it changed and why; newest first."""
        wanted = ActFilter(
            actor=actor,
            topic=topic,
            subject_kind=subject_kind,
            subject=subject,
            from_us=from_us,
            until_us=until_us,
        )
        return tools.acts.acts(wanted, before_position=before_position, limit=limit)

    @get("/audit-log/csv", opt=_READ, sync_to_thread=True)
    def read_audit_log_csv(
        *,
        actor: FromQuery[str | None] = None,
        topic: FromQuery[str | None] = None,
        subject_kind: FromQuery[str | None] = None,
        subject: FromQuery[str | None] = None,
        from_us: FromQuery[int | None] = None,
        until_us: FromQuery[int | None] = None,
        before_position: FromQuery[int | None] = None,
        limit: Limit = PAGE_ROWS,
    ) -> Response[str]:
        """The same as CSV."""
        wanted = ActFilter(
            actor=actor,
            topic=topic,
            subject_kind=subject_kind,
            subject=subject,
            from_us=from_us,
            until_us=until_us,
        )
        page = tools.acts.acts(wanted, before_position=before_position, limit=limit)
        return Response(acts_csv(page), media_type="text/csv")

    return [read_audit_log, read_audit_log_csv]
