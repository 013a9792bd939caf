"""Run the offline endpoint by hand: `python -m lib.llm.offline --port 8000`, then any OpenAI client with base URL `http://127.0.0.1:8000/v1`."""

import argparse
import signal
import threading
from pathlib import Path

from lib.llm.offline.server import make_server
from lib.run.files import write_text


def main() -> None:
    """Serve on loopback until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m lib.llm.offline", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one (default)")
    parser.add_argument("--ready-file", type=Path, help="file that gets the base URL once the server listens")
    arguments = parser.parse_args()
    server = make_server(arguments.port)
    url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"offline endpoint at {url}", flush=True)
    if arguments.ready_file:
        write_text(arguments.ready_file, url)
    server.serve_forever(poll_interval=0.1)
    server.server_close()


if __name__ == "__main__":
    main()
