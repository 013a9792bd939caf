"""One model over several nodes: vLLM on Ray, as vLLM's documentation does it. Writes the commands; the cluster is started by hand.

Every node needs the same environment, the model under the same path, and a private network: what Ray and vLLM say to each other
is neither encrypted nor guarded by a key.
Source: docs.vllm.ai, Parallelism and Scaling.
"""

import socket
from collections.abc import Sequence

from lib.run import BadInput

RAY_PORT = 6379
RAY = ".venv-vllm/bin/ray"
CONNECT_TIMEOUT_S = 3.0


def node_commands(hosts: Sequence[str]) -> list[tuple[str, str]]:
    """(node, command) in the order in which to give them; the last one, on the first node, takes the cluster down again."""
    head = hosts[0]
    start = [(head, f"VLLM_HOST_IP={head} {RAY} start --head --node-ip-address={head} --port={RAY_PORT}")]
    start += [
        (host, f"VLLM_HOST_IP={host} {RAY} start --address={head}:{RAY_PORT} --node-ip-address={host}") for host in hosts[1:]
    ]
    return [*start, (head, f"{RAY} status"), ("each node, at the end", f"{RAY} stop")]


def check_cluster(hosts: Sequence[str]) -> None:
    """Whether a Ray cluster can be reached at the first host.

    Raises:
        BadInput: Nothing answers there; gives the commands.
    """
    try:
        socket.create_connection((hosts[0], RAY_PORT), timeout=CONNECT_TIMEOUT_S).close()
    except OSError as error:
        commands = "\n".join(f"    {host}: {command}" for host, command in node_commands(hosts))
        raise BadInput(
            f"serve_hosts: no Ray cluster at {hosts[0]}:{RAY_PORT} ({error}); on each node, in this order:\n{commands}"
        ) from None
