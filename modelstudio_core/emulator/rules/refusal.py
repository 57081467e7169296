"""The error that a rule raises for a request that the service refuses."""

__all__ = ["Refusal", "invalid_parameter", "invalid_shape", "model_not_found"]


class Refusal(Exception):  # noqa: N818 - a response of the service, not a failure
    """A request that the service refuses.

    Attributes:
        message: The error message.
        status: The HTTP status.
        code: The code on the OpenAI-compatible protocol.
        type: The type on the OpenAI-compatible protocol.
        dashscope_code: The code on the DashScope protocol.
        dashscope_message: The message on the DashScope protocol.
        gateway: Whether the gateway refuses the request before it reaches a model; the
            body then has no answer id.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        code: str | None = "invalid_parameter_error",
        type: str = "invalid_request_error",  # noqa: A002 - the wire format's name
        dashscope_code: str = "InvalidParameter",
        dashscope_message: str | None = None,
        gateway: bool = False,
    ) -> None:
        """Set the message and the codes.

        Args:
            message: The error message.
            status: The HTTP status.
            code: The code on the OpenAI-compatible protocol.
            type: The type on the OpenAI-compatible protocol.
            dashscope_code: The code on the DashScope protocol.
            dashscope_message: The message on the DashScope protocol; None is
                ``message``.
            gateway: Whether the gateway refuses the request.
        """
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code
        self.type = type
        self.dashscope_code = dashscope_code
        self.dashscope_message = (
            message if dashscope_message is None else dashscope_message
        )
        self.gateway = gateway


def invalid_parameter(message: str) -> Refusal:
    """Return a model's refusal of a parameter, with the prefix that it has."""
    return Refusal(f"<400> InternalError.Algo.InvalidParameter: {message}")


def invalid_shape(message: str) -> Refusal:
    """Return the gateway's refusal of a body whose shape is wrong."""
    return Refusal(message, code="invalid_value", gateway=True)


def model_not_found(model: str) -> Refusal:
    """Return the refusal of a model that is not served."""
    return Refusal(
        f"The model `{model}` does not exist or you do not have access to it.",
        status=404,
        code="model_not_found",
        dashscope_code="ModelNotFound",
        gateway=True,
    )
