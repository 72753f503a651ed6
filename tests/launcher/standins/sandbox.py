"""Stands in for the sandbox provider: listens, and says where."""

import json
import os
import socket
import sys
from pathlib import Path

port = int(sys.argv[sys.argv.index("--port") + 1])
ready_file = Path(sys.argv[sys.argv.index("--ready-file") + 1])
listener = socket.create_server(("127.0.0.1", port))
staged = ready_file.with_suffix(".new")
staged.write_text(
    json.dumps({"base_url": f"http://127.0.0.1:{listener.getsockname()[1]}/v1", "pid": os.getpid()})
)
staged.replace(ready_file)
while True:
    connection, _ = listener.accept()
    connection.close()
