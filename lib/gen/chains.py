"""Work that asks more than once: each piece goes on as soon as its own replies are there, and results keep their order.

A chain is a generator: it yields a list of requests, is sent their replies, and returns its result. What it asks next depends
on nothing but its own replies, so the same requests are made whatever the concurrency.
"""

from collections.abc import Callable, Generator, Sequence

from lib.llm import Reply, Request

Chain = Generator[list[Request], list[Reply], object]


def run_chains(asker, chains: Sequence[Chain], labels: Sequence[str]) -> list:
    """Run chains to their ends.

    Args:
        asker: An asker of `lib.llm`.
        chains: In the order in which results shall come.
        labels: What is asked in the first turn, the second, and from the last one on; for the progress line.

    Returns:
        What each chain returned.
    """
    results: list = [None] * len(chains)
    asked: dict[int, list[Request]] = {}

    def go_on(i: int, replies: list[Reply] | None) -> None:
        try:
            asked[i] = chains[i].send(replies)
        except StopIteration as end:
            results[i] = end.value

    for i in range(len(chains)):
        go_on(i, None)
    if not getattr(asker.role, "batch", True):
        _stream(asker, asked, go_on, " and ".join(labels[:2]))
        return results
    turn = 0  # in batches, and in tests, everyone's next turn is asked together
    while asked:
        waiting, asked = asked, {}
        requests = [request for i in waiting for request in waiting[i]]
        replies = iter(asker.ask(requests, label=labels[min(turn, len(labels) - 1)]) if requests else ())
        for i, own in waiting.items():
            go_on(i, [next(replies) for _ in own])
        turn += 1
    return results


def _stream(asker, asked: dict[int, list[Request]], go_on: Callable, label: str) -> None:
    """Ask every chain's next requests the moment its own replies are there."""
    owners = [(i, slot) for i, own in asked.items() for slot in range(len(own))]
    first = [request for own in asked.values() for request in own]
    replies: dict[int, list] = {i: [None] * len(own) for i, own in asked.items()}
    empty = [i for i, own in asked.items() if not own]

    def then(place: int, reply: Reply) -> list[Request]:
        i, slot = owners[place]
        replies[i][slot] = reply
        if None in replies[i]:
            return []
        return turn(i)

    def turn(i: int) -> list[Request]:
        del asked[i]
        go_on(i, replies.pop(i))
        while i in asked and not asked[i]:  # a turn that asks nothing
            del asked[i]
            go_on(i, [])
        new = asked.get(i, [])
        replies[i] = [None] * len(new)
        owners.extend((i, slot) for slot in range(len(new)))
        return new

    for i in empty:
        first += turn(i)
    asker.ask(first, label=label, then=then)
