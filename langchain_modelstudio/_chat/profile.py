"""The catalog's model profile to LangChain's."""

from typing import cast

from langchain_core.language_models import ModelProfile

from modelstudio_core import catalog

__all__ = ["to_profile"]


def to_profile(profile: catalog.ModelProfile) -> ModelProfile | None:
    """Return LangChain's profile of a model, or None for an unknown model.

    ``structured_output`` makes ``create_agent`` send a JSON schema together with tools,
    and ``tool_choice`` means that a tool call can be forced. Each is true only if the
    service is known to support it with the model's default thinking.
    """
    if not isinstance(profile, catalog.ChatProfile) or not profile.is_known:
        return None
    thinks_by_default = profile.thinking in {"only", "hybrid-on"}
    schemas = (
        profile.structured_output_while_thinking
        if thinks_by_default
        else profile.structured_output
    )
    calls_tools = None if profile.tools is None else bool(profile.tools)
    reasons = None if profile.thinking is None else profile.thinking != "never"
    fields: dict[str, object] = {
        "name": profile.id,
        "status": "deprecated" if profile.delisted else "active",
        "max_input_tokens": profile.context_window,
        "max_output_tokens": profile.max_output,
        "text_inputs": True,
        "image_inputs": "image" in profile.inputs,
        "image_url_inputs": "image" in profile.inputs,
        "audio_inputs": "audio" in profile.inputs,
        "video_inputs": "video" in profile.inputs,
        "pdf_inputs": False,
        "text_outputs": "text" in profile.outputs,
        "image_outputs": "image" in profile.outputs,
        "reasoning_output": reasons,
        "reasoning_effort_levels": [*profile.efforts] or None,
        "tool_calling": calls_tools,
        "tool_call_streaming": calls_tools,
        "tool_choice": bool(profile.forced_tool_choice) and profile.thinking != "only",
        "structured_output": profile.structured_output_with_tools is True
        and "json_schema" in (schemas or ()),
        "temperature": "temperature" not in profile.refused,
    }
    set_fields = {name: value for name, value in fields.items() if value is not None}
    return cast("ModelProfile", set_fields)
