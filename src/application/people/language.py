"""In which language somebody reads, from the page on which they came in: mails and documents go to them in it from then on."""

from uuid import UUID

from application.people.ports import People


def keep_language(people: People, person_id: UUID, language: str | None) -> None:
    """Unless they have chosen one already, or nothing is known."""
    person = people.get(person_id)
    if language is None or person is None or person.locale is not None:
        return
    people.set_preferences(person_id, locale=language, zone=person.zone, theme=person.theme)
