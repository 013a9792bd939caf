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


SETTINGS = {
    "learning_rate": 1e-3, "epochs": 1.0, "batch_size": 4, "grad_accumulation": 1, "warmup_ratio": 0.1, "weight_decay": 0.0,
    "scheduler": "cosine", "gradient_checkpointing": False, "save_steps": 3, "seed": 1,
}  # fmt: skip


def start(run_dir, student, launcher="parameters/launchers/cpu.yaml", n=168, hosts=(), length=0, **change):
    """Train `n` rows on `student` into `run_dir` and return its metrics; what an interrupted test runs in a process of its own, too."""
    from pathlib import Path

    from lib.finetune.launch import train
    from lib.finetune.launcher import Launcher
    from lib.finetune.rows import encode_rows
    from lib.finetune.settings import Settings, build_config

    rows = encode_rows(make_rows(n + 8), make_tokenizer(), frozenset({1}))
    how = Launcher.load(launcher)
    config = build_config(Settings(**SETTINGS | change), how, Path(student), rows[:n], rows[n:], length=length)
    return train(Path(run_dir), config, rows[:n], rows[n:], how, hosts)
