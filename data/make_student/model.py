"""The student's tokenizer, learnt from invented text, and its Llama, untrained."""

import pathlib
import random

import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from make_student import circuits
from make_student.invent import draw_exercise

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


def build_tokenizer(rng: random.Random, vocab_size: int, n_exercises: int = 3000) -> PreTrainedTokenizerFast:
    """Learn byte-level BPE merges from invented text and add the tags and the chat tokens as single tokens."""
    texts = []
    for _ in range(n_exercises):
        exercise = draw_exercise(rng, n_passages=3)
        texts += exercise.passages + [ask.question for ask in exercise.asks] + [ask.reply for ask in exercise.asks]
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


def save(model, tokenizer, out: pathlib.Path) -> None:
    """Write a plain Llama directory; the branch attention is no part of it."""
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)
