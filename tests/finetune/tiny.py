"""A student of ten lines: byte-level tokenizer, chat template; and rows to teach it."""

TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}{{ '<|' + m.role + '|>' + m.content + eos_token }}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
SPECIAL = ["<|begin|>", "<|end|>", "<|pad|>", "<|user|>", "<|assistant|>", "<|system|>"]


def make_tokenizer(template=TEMPLATE):
    """Every byte a token, plus the special ones."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    names = [*SPECIAL, *sorted(pre_tokenizers.ByteLevel.alphabet())]
    core = Tokenizer(models.BPE(vocab={name: i for i, name in enumerate(names)}, merges=[]))
    core.pre_tokenizer, core.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    core.add_special_tokens(SPECIAL)
    marks = {"bos_token": "<|begin|>", "eos_token": "<|end|>", "pad_token": "<|pad|>"}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=core, **marks)
    tokenizer.chat_template = template
    return tokenizer


def make_rows(n):
    """Chat rows of different lengths."""
    return [
        {
            "messages": [
                {
                    "role": "user",
                    "content": f"<DOCUMENT>Berth {i} costs {i * 7} crowns{'.' * (i % 5)}</DOCUMENT>\nBerth {i}?",
                },
                {
                    "role": "assistant",
                    "content": f"##begin_quote##costs {i * 7}##end_quote##\n<ANSWER>: {i * 7} crowns",
                },
            ]
        }
        for i in range(n)
    ]
