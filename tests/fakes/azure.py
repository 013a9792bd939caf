"""Azure's management REST for deployments, as far as lib.deploy.azure speaks it: each look at a deployment moves it one state on.

What it does not show: quotas, regions, who may do what, how long it takes, and that Azure's words are these.
"""

import json

from tests.fakes.http import FakeServer

TOKEN = "arm-token-canary"
ROOT = "/subscriptions/sub/resourceGroups/group/providers/Microsoft.CognitiveServices/accounts/res/deployments/"


class FakeManager(FakeServer):
    """`end` is the state in which every new deployment ends."""

    def __init__(self, end="Succeeded"):
        super().__init__()
        self.end, self.deployments, self.bodies = end, {}, []

    def answer(self, method, path, query, headers, body):
        if headers.get("Authorization") != f"Bearer {TOKEN}":
            return 401, {"error": {"code": "ExpiredAuthenticationToken", "message": "The access token expiry is in the past."}}, {}
        if not path.startswith(ROOT) or "api-version" not in query:
            return 404, {"error": {"code": "NoPath", "message": path}}, {}
        name = path.removeprefix(ROOT)
        if method == "PUT":
            wanted = json.loads(body)
            self.bodies.append(wanted)
            self.deployments[name] = {"model": wanted["properties"]["model"], "states": ["Accepted", "Creating", self.end]}
            return 201, self.shown(name), {}
        if name not in self.deployments:
            return 404, {"error": {"code": "ResourceNotFound", "message": f"deployment {name} was not found"}}, {}
        states = self.deployments[name]["states"]
        if method == "DELETE":
            self.deployments[name]["states"] = ["Deleting", "gone"]
            return 202, b"", {}
        if len(states) > 1:
            states.pop(0)
        if states[0] == "gone":
            del self.deployments[name]
            return 404, {"error": {"code": "ResourceNotFound", "message": "gone"}}, {}
        return 200, self.shown(name), {}

    def shown(self, name):
        there = self.deployments[name]
        return {"name": name, "properties": {"model": there["model"], "provisioningState": there["states"][0]}}
