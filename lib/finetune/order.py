"""In which order rows are trained, and which of them share a sequence."""

import random
from bisect import bisect_left, insort
from collections.abc import Sequence

WINDOW = 16


def order_rows(lengths: Sequence[int], epochs: float, global_batch: int, rng: random.Random) -> list[int]:
    """The order of training: shuffled, rows of like length side by side so that little is padded.

    Every epoch is a permutation of all rows; a last part of an epoch takes the first rows of one. Within windows of
    16 batches rows are sorted by length, and the batches shuffled.

    Args:
        lengths: Tokens of each row.
        epochs: Passes over the rows.
        global_batch: Rows of all processes in one forward pass.
        rng: The only source of chance.
    """
    wanted, order = round(epochs * len(lengths)), []
    while len(order) < wanted:
        epoch = list(range(len(lengths)))
        rng.shuffle(epoch)
        epoch = epoch[: wanted - len(order)]
        batches = []
        for start in range(0, len(epoch), WINDOW * global_batch):
            window = sorted(epoch[start : start + WINDOW * global_batch], key=lambda i: (lengths[i], i))
            batches += [window[i : i + global_batch] for i in range(0, len(window), global_batch)]
        full = [batch for batch in batches if len(batch) == global_batch]
        rng.shuffle(full)
        # The incomplete batch last, or it would shift all that follow across length groups.
        order += [i for batch in [*full, *(b for b in batches if len(b) < global_batch)] for i in batch]
    return order


def pack_rows(lengths: Sequence[int], epochs: float, limit: int, rng: random.Random) -> list[list[int]]:
    """Rows that share a sequence of at most `limit` tokens: whole rows, each epoch's apart, in random order.

    Best-fit decreasing: the longest row first, each into the fullest sequence that still takes it.

    Args:
        lengths: Tokens of each row, none above `limit`.
        epochs: Passes over the rows; a last part of one takes the first rows of a permutation.
        limit: Tokens a sequence may have.
        rng: The only source of chance.
    """
    wanted, packs = round(epochs * len(lengths)), []
    while wanted > 0:
        epoch = list(range(len(lengths)))
        rng.shuffle(epoch)
        epoch = epoch[:wanted]
        wanted -= len(epoch)
        bins, room = [], []  # room: (tokens left, number of the bin), sorted
        for i in sorted(epoch, key=lambda i: -lengths[i]):  # sorted() keeps the shuffled order among equals
            place = bisect_left(room, (lengths[i], -1))
            left, number = room.pop(place) if place < len(room) else (limit, len(bins))
            if number == len(bins):
                bins.append([])
            bins[number].append(i)
            insort(room, (left - lengths[i], number))
        rng.shuffle(bins)
        packs += bins
    return packs
