"""The Litestar application of one gateway process."""

from litestar import Litestar, Response, asgi, get
from litestar.types import Receive, Scope, Send

from api.v1.app import V1
from gateway_process import GatewayProcess


def make_app(process: GatewayProcess) -> Litestar:
    """Everything that the process serves; start-up and shut-down come with it."""
    v1 = V1(
        process.gateway,
        ids=process.ids,
        metrics=process.metrics,
        body_bytes_max=process.settings.body_bytes_max,
    )

    @asgi(path="/v1", is_mount=True, copy_scope=False)
    async def mount_v1(scope: Scope, receive: Receive, send: Send) -> None:
        await v1(scope, receive, send)

    @get("/healthz", sync_to_thread=False)
    def healthz() -> dict[str, str]:
        """Alive."""
        return {"status": "ok"}

    @get("/readyz", sync_to_thread=False)
    def readyz() -> Response[dict[str, object]]:
        """Money can be written; names what cannot."""
        faults = process.what_is_wrong()
        body: dict[str, object] = {"status": "unavailable" if faults else "ok", "faults": faults}
        return Response(body, status_code=503 if faults else 200)

    return Litestar(
        [mount_v1, healthz, readyz],
        on_startup=[process.start],
        on_shutdown=[process.stop],
        openapi_config=None,
    )
