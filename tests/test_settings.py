"""Settings come from the environment, and a bad one is named."""

from pathlib import Path

import pytest

from settings import BadSetting, from_environment


def test_every_setting_has_a_default_and_a_variable_of_its_name() -> None:
    """An empty environment is enough to read them."""
    assert from_environment({}).drain_s == 20.0
    assert from_environment({"DRAIN_S": "1.5", "UNRELATED": "x"}).drain_s == 1.5


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"DRAIN_S": "soon"}, "DRAIN_S cannot be used: expected `float`"),
        ({"JOURNAL_EVENTS_MAX": "1.5"}, "JOURNAL_EVENTS_MAX cannot be used: expected `int`"),
        ({"DATABASE_URL_FILE": "/nowhere/at/all"}, "DATABASE_URL_FILE: cannot read /nowhere/at/all"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(environ: dict[str, str], named: str) -> None:
    """The message says which, and what it must be; never the value, which may be a secret."""
    with pytest.raises(BadSetting) as caught:
        from_environment(environ)
    assert str(caught.value).startswith(named)
    assert "soon" not in str(caught.value)


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    """The file wins, and a line end in it does not count."""
    file = tmp_path / "url"
    file.write_text("postgres://from-file\n")
    environ = {"DATABASE_URL": "postgres://plain", "DATABASE_URL_FILE": str(file)}
    assert from_environment(environ).database_url == "postgres://from-file"
