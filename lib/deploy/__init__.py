"""Standing models up, probing them, talking to them and taking them down. In: a model folder or name. Out: `serving/servers.json` and the servers in it."""

from lib.deploy.model import served_here
from lib.deploy.roles import role_of, served_role
from lib.deploy.serve import ensure_served, stop_served, take_turns
from lib.llm.roles import local_model

__all__ = ["ensure_served", "local_model", "role_of", "served_here", "served_role", "stop_served", "take_turns"]
