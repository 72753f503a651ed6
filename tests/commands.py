"""Every command there is."""

from application.command import Command


def all_commands(base: type[Command] = Command) -> list[type[Command]]:
    """Of what is imported; what other commands are made of is none itself."""
    found: list[type[Command]] = []
    for one in base.__subclasses__():
        found += all_commands(one) or [one]
    return found
