"""What the services share whose answers are one JSON object."""

from collections.abc import Callable

from modelstudio_core.emulator.json_values import JsonObject, is_object
from modelstudio_core.emulator.protocols.base import ErrorProtocol
from modelstudio_core.emulator.protocols.faults import apply_fault, build_refusal
from modelstudio_core.emulator.protocols.steps import Step
from modelstudio_core.emulator.rules.api_key import check_api_key
from modelstudio_core.emulator.rules.refusal import Refusal
from modelstudio_core.emulator.rules.sources import OWN, sourced
from modelstudio_core.emulator.script import Fault
from modelstudio_core.emulator.studio import RecordedRequest, ResponseContext, Studio

__all__ = ["respond"]

Answer = Callable[[JsonObject, ResponseContext], list[Step]]


def respond(
    studio: Studio,
    protocol: ErrorProtocol,
    request: RecordedRequest,
    context: ResponseContext,
    answer: Answer,
) -> list[Step]:
    """Answer a request by the next scripted fault, else by the rules.

    Scripted replies are for chat requests, and are left for them.

    Args:
        studio: The emulator's state.
        protocol: How errors are written.
        request: The request.
        context: The ids of the response.
        answer: Builds the answer; raises a refusal.
    """
    fault = studio.script[0] if studio.script else None
    try:
        if isinstance(fault, Fault):
            studio.script.popleft()
            steps = [] if fault.kind == "status" else _checked(request, context, answer)
            return apply_fault(fault, steps, protocol, context)
        check_api_key(request.headers, studio.api_key)
        return _checked(request, context, answer)
    except Refusal as refusal:
        return build_refusal(refusal, protocol, context, stream=False)


@sourced(OWN, "2026-11-27")
def _checked(
    request: RecordedRequest, context: ResponseContext, answer: Answer
) -> list[Step]:
    if not is_object(request.body):
        raise Refusal("The request body is not valid JSON.", gateway=True)
    return answer(request.body, context)
