"""Operators at their forms: sign in as one, send a form, and read what the next page says about it."""

import re

from domain.operators import Role
from tests.api.console.conftest import World


def sign_in(world: World, role: Role) -> str:
    """What this operator's forms hold."""
    world.as_staff(role)
    return world.token("/me")


def do(world: World, path: str, token: str, **fields: str) -> str:
    """What the next page says was wrong; nothing if it was done."""
    world.post(f"/console/do/{path}", token=token, back="/me", **fields)
    said = re.search(
        r'class="flash( bad)?" role="[a-z]+">.*?<span>(.*?)</span></div>', world.get("/me").text, re.DOTALL
    )
    assert said is not None
    return said[2] if said[1] else ""
