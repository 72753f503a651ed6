"""Which installation the command line works on: `DATABASE_URL`, else what `tokenok up` left in its data root.

The keys are those of the data root when none are set, as for `tokenok up` itself.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from adapters.embedded.endpoints import read_endpoints
from launcher.options import data_root
from launcher.secrets import master_key_path, seal_environment, seal_key_path
from settings import from_environment


def find_environment(environ: Mapping[str, str], *, data: Path | None) -> dict[str, str]:
    """The environment, completed by the data root of `tokenok up`; the database stays empty if none runs there.

    Raises:
        BadSetting: a variable cannot be used.
    """
    env = dict(environ)
    given = from_environment(env)
    root = Path(os.path.realpath(data_root(data, configured=given.tokenok_data, environ=env)))
    if not given.database_url and (endpoints := read_endpoints(root)) is not None:
        env["DATABASE_URL"] = endpoints.database_url
        if not given.redis_url:
            env["REDIS_URL"] = endpoints.redis_url
    key_path = master_key_path(root)
    if not given.tokenok_master_key and key_path.exists():
        env["TOKENOK_MASTER_KEY_FILE"] = str(key_path)
    if not (given.seal_key or given.seal_dir) and seal_key_path(root).exists():
        env |= seal_environment(root)
    return env
