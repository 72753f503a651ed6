"""How other commands find what `tokenok up` runs: the environment, completed from the data root."""

from collections.abc import Mapping
from pathlib import Path

from adapters.embedded import read_endpoints
from settings import from_environment
from up_options import data_root
from up_secrets import master_key_path


def with_running_servers(environ: Mapping[str, str], *, data: Path | None = None) -> dict[str, str]:
    """`environ` with addresses of the running embedded servers and the key made by `up`, where none are set.

    For `settings.from_environment`. When nothing runs for the data root, the addresses stay unset.

    Raises:
        BadSetting: the environment cannot be used as it is.
    """
    settings = from_environment(environ)
    root = data_root(data, configured=settings.tokenok_data, environ=environ)
    found = dict(environ)
    running = read_endpoints(root)
    if running and running.database_url and not settings.database_url:
        found["DATABASE_URL"] = running.database_url
    if running and running.redis_url and not settings.redis_url:
        found["REDIS_URL"] = running.redis_url
    key_path = master_key_path(root)
    if not settings.tokenok_master_key and key_path.is_file():
        found["TOKENOK_MASTER_KEY_FILE"] = str(key_path)
    return found
