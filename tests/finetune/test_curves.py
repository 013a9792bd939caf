"""What the notebook shows of rows."""

from lib.finetune.curves import show_rows
from lib.finetune.rows import encode_rows


def test_what_is_in_the_loss_is_marked_and_what_is_read_is_not(tokenizer):
    messages = [
        {"role": "user", "content": "Berth <1>?"}, {"role": "assistant", "content": "seven"},
        {"role": "user", "content": "And 2?"}, {"role": "assistant", "content": "fourteen"},
    ]  # fmt: skip
    rows = encode_rows([{"messages": messages}], tokenizer, frozenset({1}))
    page = show_rows(rows, tokenizer).data
    marked = [part.split("</mark>")[0].split(">", 1)[1] for part in page.split("<mark")[1:]]
    assert marked == ["seven&lt;|end|&gt;", "fourteen", "&lt;|end|&gt;"]
    assert "Berth &lt;1&gt;?" in page
    assert f"{len('seven') + len('fourteen') + 2} in the loss" in page
