"""What all ways of speaking to a deployment have in common: whose request it is, whom it goes to, how a stream ends."""

from application.dialects.openai.units import Used
from application.dialects.port import Relay
from application.directory_views import DeploymentView
from application.speech.port import Asking, Whole
from application.wire.answer import ReadAnswer
from application.wire.cost import events_with_charge
from application.wire.errors import InvalidRequest
from application.wire.relay import Tail, error_event
from application.wire.usage import Usage


class DeployedSpeech:
    """One deployment and one request. A `Speech` adds at least `ask`, `read`, `spoken`, `figures` and `used`."""

    __slots__ = ("asking", "deployment")

    def __init__(self, asking: Asking, deployment: DeploymentView) -> None:
        self.asking = asking
        self.deployment = deployment

    def require_openai(self) -> None:
        """Raises: InvalidRequest: the deployment speaks another dialect, which has no such endpoint."""
        if self.deployment.dialect != "openai":
            raise InvalidRequest("unsupported_operation", "model", "The model is not offered at this URL.")

    def relay(self) -> Relay:
        """Of those that stream."""
        raise NotImplementedError

    def last_bytes(self, relay: Relay, tail: Tail, usage: Usage, *, charge_nano: int) -> bytes:  # noqa: ARG002  all is said
        return events_with_charge(tail.data, charge_nano) if self.asking.cost_wanted else tail.data

    def error_event(self, relay: Relay, code: str, message: str) -> bytes | None:  # noqa: ARG002  it needs no state
        return error_event(code, message)


class TokenSpeech(DeployedSpeech):
    """What all have in common that are metered in tokens alone."""

    __slots__ = ()

    def used(self, said: Whole | Relay | None) -> Used | None:  # noqa: ARG002  nothing but tokens
        return None


def whole_read(read: ReadAnswer) -> Whole:
    """An answer whose body passes as it was read."""
    return Whole(body=read.body, usage_raw=read.usage_raw, fault=read.fault)
