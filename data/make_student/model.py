"""The student's tokenizer, learnt from invented text, and its Llama, untrained."""

import pathlib
import random
import re

import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from make_student import circuits
from make_student.invent import draw_exercise
from make_student.lexicon import ACTORS, ADJECTIVES, NOUNS, VERBS
from make_student.values import plural

TAGS = ["<DOCUMENT>", "</DOCUMENT>", "##begin_quote##", "##end_quote##", "<ANSWER>:"]
PAD, BOS, END, ROLES = "<|pad|>", "<|begin|>", "<|end|>", ["<|system|>", "<|user|>", "<|assistant|>"]
TEMPLATE = (
    "{{- bos_token }}"
    "{%- for message in messages %}"
    "{%- if message['role'] == 'assistant' %}"
    "{{- '<|assistant|>' }}{% generation %}{{- message['content'] + '<|end|>' }}{% endgeneration %}"
    "{%- else %}"
    "{{- '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}"
    "{%- endif %}"
    "{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|assistant|>' }}{%- endif %}")
# words keep their leading space, numbers stand alone in steps of two digits, everything else is split by kind
PRE_SPLIT = Regex(r" ?\p{L}+|\p{N}{1,2}| ?[^\s\p{L}\p{N}]|\s+(?!\S)|\s")


def build_tokenizer(rng: random.Random, vocab_size: int, n_exercises: int = 800) -> PreTrainedTokenizerFast:
    """Learn byte-level BPE merges from invented text and add the tags and the chat tokens as single tokens."""
    texts = []
    for _ in range(n_exercises):
        exercise = draw_exercise(rng, n_passages=3, p_story=0.7)
        texts += exercise.passages + [ask.question for ask in exercise.asks] + [ask.reply for ask in exercise.asks]
    for text in plain_texts():  # words people use, many times: or else the many invented names would take up the vocabulary
        texts += [text] * 8
    texts += [str(number) for number in range(100) for _ in range(20)]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(PRE_SPLIT, behavior="isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    # a word is the same token where a line, a passage or a quote starts as after a space, so that a quote is copied from its first token on
    tokenizer.normalizer = normalizers.Sequence([
        normalizers.Prepend(" "), normalizers.Replace("\n", "\n "),
        normalizers.Replace(Regex(r"\A  "), " "), normalizers.Replace(Regex(r"\A \n"), "\n")])
    tokenizer.decoder = decoders.Sequence([
        decoders.ByteLevel(), *(decoders.Replace(f"{mark} ", mark) for mark in ("\n", TAGS[0], TAGS[2], *ROLES)),
        decoders.Strip(" ", 1, 0)])
    special = [PAD, BOS, END, *ROLES]
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=vocab_size - len(TAGS), special_tokens=special, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    tokenizer.add_tokens([AddedToken(tag, special=False, normalized=False) for tag in TAGS])
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token=PAD, bos_token=BOS, eos_token=END, model_max_length=4096,
        additional_special_tokens=ROLES, clean_up_tokenization_spaces=False)
    fast.chat_template = TEMPLATE
    return fast


def plain_texts() -> list[str]:
    """Lines of the wordings and stories without their slots, and the words of the lexicon."""
    folder = pathlib.Path(__file__).parent
    lines = [line[2:] if line[:2] in ("- ", "? ", "! ") else line for file in sorted(folder.glob("*/*.txt"))
             for line in file.read_text(encoding="utf-8").split("\n")]
    words = [*NOUNS, *map(plural, NOUNS), *ADJECTIVES, *ACTORS, *(form for verb in VERBS for form in verb)]
    return [*(re.sub(r"\{\w+\}|\b[SV]\b", " ", line) for line in lines), *(f" {word}" for word in words)]


def build_model(tokenizer, seed: int) -> LlamaForCausalLM:
    """A small Llama whose attention starts with a search in it (`circuits.py`), and elsewhere "mimetically": keys like queries,
    outputs against values.

    Heads of 64 with slow rotations leave 42 dimensions that hardly turn within a prompt, to compare tokens with.
    """
    torch.manual_seed(seed)
    width, base = circuits.WIDTH, circuits.ROTARY_BASE
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=width, intermediate_size=width * 8 // 3 // 32 * 32,
        num_hidden_layers=circuits.LAYERS, num_attention_heads=circuits.HEADS, num_key_value_heads=circuits.HEADS,
        head_dim=circuits.HEAD_SIZE, max_position_embeddings=4096,
        rope_parameters={"rope_type": "default", "rope_theta": base}, tie_word_embeddings=True, initializer_range=0.05,
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id)
    model = LlamaForCausalLM(config)
    with torch.no_grad():
        for layer in model.model.layers:
            attention = layer.self_attn
            attention.k_proj.weight.copy_(0.8 * attention.q_proj.weight + 0.2 * attention.k_proj.weight)
            attention.o_proj.weight.copy_(0.5 * attention.v_proj.weight.T + 0.2 * attention.o_proj.weight)
    of = tokenizer.convert_tokens_to_ids
    circuits.install(model, starts=[of("Ċ"), of("<DOCUMENT>"), of(".")], begin_quote=of("##begin_quote##"),
                     begin_text=tokenizer.bos_token_id, first_word=300)
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.generation_config.do_sample = False
    return model


def carry_over(model: LlamaForCausalLM, old: PreTrainedTokenizerFast, new: PreTrainedTokenizerFast) -> None:
    """Give a trained model another vocabulary, in place: known tokens keep their embeddings, new ones get the mean of their old pieces'."""
    known, pieces = old.get_vocab(), old.backend_tokenizer.model.tokenize
    before = model.get_input_embeddings().weight.detach().clone()
    model.resize_token_embeddings(len(new), mean_resizing=False)
    weight = model.get_input_embeddings().weight
    with torch.no_grad():
        for token, row in new.get_vocab().items():
            weight[row] = before[known[token]] if token in known else before[[piece.id for piece in pieces(token)]].mean(0)
    for config in (model.config, model.generation_config):
        config.bos_token_id, config.eos_token_id, config.pad_token_id = new.bos_token_id, new.eos_token_id, new.pad_token_id


def save(model, tokenizer, out: pathlib.Path) -> None:
    """Write a plain Llama directory; the branch attention is no part of it."""
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)
