"""Who did it."""

from uuid import UUID

from domain.fact import SYSTEM, Actor


def test_an_actor_is_named_by_id_only() -> None:
    """Facts hold no name of a person."""
    assert SYSTEM.label == "system"
    assert Actor("operator", UUID(int=7)).label == "operator:00000000-0000-0000-0000-000000000007"
