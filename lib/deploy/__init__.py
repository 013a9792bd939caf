"""Standing models up, probing them and taking them down. In: a model folder or name. Out: `serving/servers.json` and the servers in it."""

from lib.deploy.roles import served_role
from lib.deploy.serve import ensure_served, stop_served

__all__ = ["ensure_served", "served_role", "stop_served"]
