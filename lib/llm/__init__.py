"""Talking to any model: roles, the client, the request store, prices, the RAFT format, and the offline endpoint.

Names are fetched when first used: the offline endpoint and the trainers need the RAFT format, not the client, whose import takes a second.
"""

import importlib

_HOME = {
    "client": ("Asker", "BudgetSpent"),
    "connection": ("connect", "find_role", "offline_role"),
    "raft": (
        "ANSWER_TAG", "BEGIN_QUOTE", "END_QUOTE", "REFUSAL", "Format", "ParsedReply", "build_instruction", "is_refusal",
        "parse_reply",
    ),
    "records": ("Reply", "Request"),
    "trouble": ("EndpointError",),
    "roles": ("ROLES", "Role", "resolve_role"),
    "usage": ("cost_usd", "price_note", "price_of"),
    "wire": ("probe",),
}  # fmt: skip
_MODULE = {name: module for module, names in _HOME.items() for name in names}

__all__ = list(_MODULE)  # noqa: PLE0605 (one list, above)


def __getattr__(name: str):
    if name not in _MODULE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it offers {', '.join(__all__)}")
    value = getattr(importlib.import_module(f"{__name__}.{_MODULE[name]}"), name)
    globals()[name] = value
    return value
