"""Models as clients of either dialect list them."""

from datetime import UTC, datetime
from typing import Any

from application.directory_views import ModelView


def openai_model(model: ModelView) -> dict[str, Any]:
    return {"id": model.id, "object": "model", "created": model.created_s, "owned_by": model.owned_by}


def openai_models(models: list[ModelView]) -> dict[str, Any]:
    return {"object": "list", "data": [openai_model(model) for model in models]}


def anthropic_model(model: ModelView) -> dict[str, Any]:
    created = datetime.fromtimestamp(model.created_s, UTC)
    return {
        "id": model.id,
        "type": "model",
        "display_name": model.id,
        "created_at": created.isoformat().replace("+00:00", "Z"),
        "lifecycle": "active",
        # What the dialect always has and an alias cannot tell: several models may serve it.
        **dict.fromkeys(
            ("capabilities", "line", "max_input_tokens", "max_tokens", "deprecated_at", "retires_at")
        ),
    }


def anthropic_models(models: list[ModelView]) -> dict[str, Any]:
    return {
        "data": [anthropic_model(model) for model in models],
        "has_more": False,
        "first_id": models[0].id if models else None,
        "last_id": models[-1].id if models else None,
    }
