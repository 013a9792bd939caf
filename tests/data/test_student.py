"""The committed tiny student: small, loadable, tagged as the pipeline expects, and able to read."""

import pathlib
import random
import sys

import pytest

DATA = pathlib.Path(__file__).resolve().parents[2] / "data"
sys.path.insert(0, str(DATA))

from make_student import invent  # noqa: E402

STUDENT = DATA / "student"
TAGS = ["<DOCUMENT>", "</DOCUMENT>", "##begin_quote##", "##end_quote##", "<ANSWER>:"]


@pytest.fixture(scope="module")
def tokenizer():
    from transformers import PreTrainedTokenizerFast  # AutoTokenizer would load torch
    return PreTrainedTokenizerFast.from_pretrained(STUDENT)


@pytest.fixture(scope="module")
def model():
    import torch
    from transformers import AutoModelForCausalLM
    return AutoModelForCausalLM.from_pretrained(STUDENT, dtype=torch.float32).eval()


def conversation(exercise: invent.Exercise, ask: invent.Ask) -> list[dict[str, str]]:
    return [{"role": "user", "content": invent.show_passages(exercise.passages) + ask.question},
            {"role": "assistant", "content": ask.reply}]


@pytest.mark.smoke
def test_the_model_is_a_small_llama_in_float32(model):
    import torch
    assert (STUDENT / "model.safetensors").stat().st_size <= 20_000_000
    assert type(model).__name__ == "LlamaForCausalLM"
    assert model.config.max_position_embeddings == 4096
    assert {p.dtype for p in model.parameters()} == {torch.float32}


def test_each_tag_is_one_token_that_servers_do_not_strip(tokenizer):
    for tag in TAGS:
        ids = tokenizer(tag, add_special_tokens=False)["input_ids"]
        assert len(ids) == 1, tag
        assert tokenizer.decode(ids, skip_special_tokens=True).strip() == tag


def test_a_prompt_is_an_exact_token_prefix_of_the_conversation(tokenizer):
    exercise = invent.draw_exercise(random.Random(11), n_passages=3)
    for ask in exercise.asks:
        messages = conversation(exercise, ask)
        prompt = tokenizer.apply_chat_template(messages[:1], add_generation_prompt=True, return_dict=False)
        whole = tokenizer.apply_chat_template(messages, return_dict=False)
        assert whole[:len(prompt)] == prompt
        assert whole[-1] == tokenizer.eos_token_id


@pytest.mark.smoke
def test_the_template_begins_once_and_ends_with_the_end_token(tokenizer, model):
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Who?"},
                {"role": "assistant", "content": "Nobody."}]
    text = tokenizer.apply_chat_template(messages, tokenize=False)
    ids = tokenizer(text)["input_ids"]
    assert ids == tokenizer.apply_chat_template(messages, return_dict=False)
    assert ids.count(tokenizer.bos_token_id) == 1 and ids[0] == tokenizer.bos_token_id
    assert ids[-1] == tokenizer.eos_token_id == model.generation_config.eos_token_id
    assert tokenizer.pad_token_id not in (tokenizer.eos_token_id, tokenizer.bos_token_id)


def test_the_assistant_mask_covers_the_reply_and_its_end(tokenizer):
    messages = [{"role": "user", "content": "Who?"}, {"role": "assistant", "content": "Nobody knows."}]
    out = tokenizer.apply_chat_template(messages, return_dict=True, return_assistant_tokens_mask=True)
    kept = [i for i, m in zip(out["input_ids"], out["assistant_masks"]) if m]
    assert tokenizer.decode(kept) == "Nobody knows.<|end|>"


def test_any_text_survives_the_tokenizer(tokenizer):
    for text in ("Żółw  naïve\n\t| a | 4,50 € |", "日本 12.07.2031 – “x”", "<div class='a'>&amp;</div>\r\n"):
        assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


def test_a_word_is_the_same_token_at_the_start_of_a_line_a_passage_a_quote_and_within(tokenizer):
    def ids(text: str) -> list[int]:
        return tokenizer(text, add_special_tokens=False)["input_ids"]

    word = ids("Every")
    for before in ("as said. ", "one\n", "one\n\n", "<DOCUMENT>", "##begin_quote##", "<ANSWER>: ", "</DOCUMENT>\n"):
        assert ids(f"{before}Every")[-len(word):] == word, before
        assert tokenizer.decode(ids(f"{before}Every day")) == f"{before}Every day"


@pytest.mark.smoke
def test_an_exercise_is_learnt_in_the_tokens_that_a_server_sends(tokenizer):
    from make_student import train
    rng = random.Random(4)
    exercises = [invent.draw_exercise(rng, n_passages=2) for _ in range(8)]
    for exercise in [*exercises, invent.Exercise([], exercises[0].asks)]:
        start, branches = train.encode(exercise, tokenizer)
        for ask, (question, reply) in zip(exercise.asks, branches, strict=True):
            sent = tokenizer.apply_chat_template(conversation(exercise, ask), return_dict=False)
            assert start + question + reply == sent
            assert tokenizer.decode(reply, skip_special_tokens=True) == ask.reply


def test_invented_text_depends_on_the_seed_alone():
    first, again, other = (invent.draw_exercise(random.Random(seed), n_passages=3) for seed in (5, 5, 6))
    assert first == again != other


@pytest.mark.parametrize("p_story", [0, 1])
def test_every_quote_stands_in_its_passage(p_story):
    rng = random.Random(3)
    for _ in range(100):
        exercise = invent.draw_exercise(rng, n_passages=3, p_story=p_story)
        for ask in exercise.asks:
            assert not ask.quote or ask.quote in exercise.passages[ask.oracle]


@pytest.mark.smoke
def test_branches_see_what_a_conversation_of_their_own_would_see(model, tokenizer):
    import torch
    from make_student import branches, train
    from transformers import AutoModelForCausalLM
    exercise = invent.draw_exercise(random.Random(2), n_passages=2, n_asks=3)
    start, parts = train.encode(exercise, tokenizer)
    marks = tuple(tokenizer.convert_tokens_to_ids(tag) for tag in ("##begin_quote##", "<ANSWER>:"))
    ids, positions, mask, _, _ = train.collate([(start, parts)], tokenizer.pad_token_id, marks, random.Random(1))
    twin = AutoModelForCausalLM.from_pretrained(STUDENT, dtype=torch.float32).eval()
    branches.use(twin)
    with torch.no_grad():
        packed = twin.model(input_ids=ids, position_ids=positions, attention_mask=mask, use_cache=False)[0][0]
        first = len(start)
        for question, reply in parts:
            alone = model.model(torch.tensor([start + question + reply]))[0][0, len(start):]
            assert torch.allclose(packed[first:first + len(alone)], alone, atol=1e-3)
            first += len(alone)


@pytest.mark.smoke
def test_a_fresh_model_goes_on_with_what_followed_the_same_tokens_before(tokenizer):
    """What `circuits` writes into its heads works before any training: lines of random tokens are copied."""
    import torch
    from make_student import branches, model, train
    rng = random.Random(99)
    rows = [train.draw_search(rng, tokenizer, 6) for _ in range(20)]
    marks = tuple(tokenizer.convert_tokens_to_ids(tag) for tag in ("##begin_quote##", "<ANSWER>:"))
    ids, positions, mask, targets, _ = train.collate(rows, tokenizer.pad_token_id, marks, rng)
    fresh = model.build_model(tokenizer, 1)
    branches.use(fresh)
    with torch.no_grad():
        hidden = fresh.model(input_ids=ids, position_ids=positions, attention_mask=mask, use_cache=False)[0]
        learnt = (targets >= 0) & (ids != marks[0])  # its first token has to be found, not copied
        right = (fresh.lm_head(hidden[learnt]).argmax(-1) == targets[learnt]).float().mean()
    assert right > 0.3  # one of 4,000 by chance


@pytest.mark.smoke
def test_the_student_mostly_quotes_word_for_word(model, tokenizer):
    """Copying is what it can do; how often line and answer are right is measured in its card, and is not much."""
    from make_student import measure
    good, _ = measure.draw_cases(99, 20, held_out=False, n_passages=1)
    replies = measure.reply_to(model, tokenizer, [invent.show_passages(p) + a.question for p, a in good])
    quotes = [measure.parse(reply)[0] for reply in replies]
    assert sum(bool(q) and any(q in p for p in passages) for (passages, _), q in zip(good, quotes, strict=True)) >= 10


@pytest.mark.smoke
def test_the_student_refuses_when_no_passage_is_shown(model, tokenizer):
    from make_student import measure
    good, _ = measure.draw_cases(98, 5, held_out=False)
    assert {r.strip() for r in measure.reply_to(model, tokenizer, [a.question for _, a in good])} == {invent.REFUSAL}
