"""Generation against a teacher that fails, and through deaths of its own process: it ends, adds up, and pays for nothing twice."""

import multiprocessing
import os
import random
import signal
import time

import pytest

from lib.gen.answers import REFUSED
from lib.llm.raft import REFUSAL, parse_reply, squeeze

from .conftest import FakeTeacher
from .corpus import make_corpus
from .faulty import FaultyTeacher, files, generate

N_PASSAGES = 160
N_KILLS = 20
IN_FLIGHT = 4
ARRIVING_S = 0.25  # a reply sent so shortly before a kill may not have reached the disk


def rules(request):
    return FakeTeacher()._reply(request).text


@pytest.mark.smoke
def test_with_a_tenth_of_the_replies_failing_the_run_ends_without_a_bad_row_and_nothing_is_paid_twice(
    tmp_path, documents
):
    clean = FaultyTeacher(rules, faulty=False)
    generate(clean.url, tmp_path / "clean", 16, documents)
    faulty = FaultyTeacher(rules, seed=3)
    made = generate(faulty.url, tmp_path / "faulty", 16, documents)
    dealt = {name: faulty.faults[name] for name in ("429", "500", "silence", "garbled", "malformed", "cut")}
    print(f"\n{faulty.asked} attempts, dealt out {dealt}, retries {made.usage.retries}, rows {len(made.examples)}")
    assert all(dealt.values()) and made.usage.failed == 0
    assert max(map(len, faulty.answered.values())) == 1, "a reply was paid for twice"
    for example in made.examples:
        quotes = parse_reply(example.cot_answer).quotes
        assert example.cot_answer.count("<ANSWER>:") == 1 or example.kind == "refusal"
        assert all(squeeze(quote) in squeeze(example.oracle.text) for quote in quotes)
    by_name = {step.name: step for step in made.steps}
    assert by_name["answers"].came == by_name["questions"].kept and by_name["answers"].kept == len(made.kept)
    assert by_name["chunks with a question"].came == by_name["chunks"].kept
    assert all(drop.reason for drop in made.drops)
    assert 0.9 * len((tmp_path / "clean/raft.jsonl").read_text().splitlines()) <= len(made.examples)
    before = faulty.asked
    again = generate(faulty.url, tmp_path / "faulty", 16, documents)
    assert faulty.asked == before and again.usage.requests == 0, "a run with nothing changed asked something"


@pytest.mark.smoke
def test_killed_at_twenty_random_moments_it_gives_the_same_bytes_and_repeats_no_call_that_was_answered(
    tmp_path, documents
):
    teacher = FaultyTeacher(rules, latency_s=0.05, seed=5)
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    generate(teacher.url, whole, 16, documents)
    teacher.answered.clear()
    rng, kills = random.Random(11), []
    while len(kills) < N_KILLS:
        child = start(teacher.url, broken, documents)
        before = teacher.asked
        while teacher.asked == before and child.is_alive():
            time.sleep(0.005)
        time.sleep(rng.uniform(0.0, 0.4))
        assert child.is_alive(), f"it ended before kill {len(kills) + 1}: make the corpus larger"
        kills.append(time.monotonic())
        os.kill(child.pid, signal.SIGKILL)
        child.join()
    done = start(teacher.url, broken, documents)
    done.join(300)
    assert done.exitcode == 0
    assert files(broken) == files(whole)
    repeated = [times for times in teacher.answered.values() if len(times) > 1]
    lost = [first for first, *_ in repeated]
    print(
        f"\n{len(teacher.answered)} requests answered, {len(kills)} kills, {len(repeated)} replies lost on their way to the disk"
    )
    assert all(any(-0.05 <= kill - first <= ARRIVING_S for kill in kills) for first in lost), (
        "a stored reply was asked for again"
    )
    assert len(lost) <= N_KILLS * IN_FLIGHT


def start(url, folder, documents):
    """A process of its own that generates; forked from a server that has imported everything, since imports take seconds."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([generate.__module__])
    child = context.Process(target=generate, args=(url, folder, IN_FLIGHT, documents))
    child.start()
    return child


@pytest.mark.smoke
@pytest.mark.parametrize("in_flight", [1, 7])
def test_the_bytes_do_not_depend_on_the_concurrency(tmp_path, documents, in_flight):
    for path in sorted(documents.iterdir())[6:]:
        path.unlink()
    teacher = FaultyTeacher(rules, latency_s=0.0, faulty=False)
    generate(teacher.url, tmp_path / "many", 32, documents)
    generate(teacher.url, tmp_path / "few", in_flight, documents)
    assert files(tmp_path / "many") == files(tmp_path / "few")


def test_replies_of_no_use_are_kept_like_all_others_and_a_resume_asks_for_none_of_them_again(tmp_path):
    texts, folder = [chunk.text for chunk in make_corpus(24)[0]], tmp_path / "documents"
    folder.mkdir()
    for i, text in enumerate(texts):
        (folder / f"{i:02}.md").write_text(text, encoding="utf-8")

    def useless(request):
        """Nothing to ask, an empty reply, a refusal, an answer that no repair mends; the rest as it should be."""
        said, text = request.messages[1]["content"], rules(request)
        if request.response_format:
            return '{"questions": []}' if texts[3] in said else "" if texts[4] in said else text
        return REFUSAL if texts[5] in said else "It says so." if texts[6] in said else text

    teacher = FaultyTeacher(useless, latency_s=0.0, faulty=False)
    made = generate(teacher.url, tmp_path / "out", 16, folder)
    before, n_asked = files(tmp_path / "out"), teacher.asked
    assert {drop.reason for drop in made.drops} >= {"no question in the reply", REFUSED, "no <ANSWER>: tag"}
    (tmp_path / "out/done").unlink()
    generate(teacher.url, tmp_path / "out", 16, folder)
    assert teacher.asked == n_asked and files(tmp_path / "out") == before
