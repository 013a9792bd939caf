"""`python -m lib.llm teacher judge …`: are the endpoints that these roles name ready? One line for each that is not, exit 2; spends at most
one token a role. A role that nobody set is not asked."""

import sys
from concurrent.futures import ThreadPoolExecutor

from lib.llm.roles import resolve_role
from lib.run import BadInput


def trouble(name: str) -> str | None:
    """What is wrong with the endpoint of a role, in one line, or None."""
    try:
        if name.startswith("backend:"):
            return account_trouble(name.removeprefix("backend:"))
        role = resolve_role(name)
        if role is None:
            return None
        from lib.llm.wire import probe  # here, because the client takes a second to import

        return probe(role)
    except BadInput as error:
        return str(error)


def account_trouble(backend: str) -> str | None:
    """What is wrong with the account of a fine-tuning backend, in one line, or None; asks for its list of files, which is free."""
    from lib.llm.provider import ProviderError, find_account, make_openai, make_together, patiently

    account = find_account(backend)
    client = make_together(account) if backend == "together" else make_openai(account)
    try:
        patiently(client.files.list, account, "looking at the account", patience_s=20.0)
    except ProviderError as error:
        return str(error)
    return None


def main(names: list[str]) -> int:
    """Ask every role at the same time; returns the exit code."""
    with ThreadPoolExecutor(max(len(names), 1)) as pool:
        lines = [line for line in pool.map(trouble, names) if line]
    print("\n".join(lines))
    return 2 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
