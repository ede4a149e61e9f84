"""A model that anybody can make in seconds: random weights and a byte tokenizer with a chat template.

Run as ``<python of the engine's environment> tiny_model.py hf|gguf FOLDER``: needs torch, transformers and tokenizers
for ``hf``, gguf and numpy for ``gguf``. Nothing of it is worth anything as a model; every answer is noise, but the same
noise for the same seed, which is all that is asked of it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<think>", "</think>")
HIDDEN, LAYERS, HEADS, KV_HEADS, INNER, CONTEXT = 64, 2, 2, 1, 128, 4096
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is defined and enable_thinking %}<think>\n{% else %}<think>\n\n</think>\n\n{% endif %}"
    "{% endif %}"
)


def byte_characters() -> list[str]:
    """The 256 printable stand-ins for bytes that byte-level tokenizers use, by byte."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = iter(range(256, 512))
    return [chr(byte) if byte in printable else chr(next(others)) for byte in range(256)]


def vocabulary() -> list[str]:
    """Bytes, one merge (a tokenizer without any is refused by some readers), special tokens."""
    return [*byte_characters(), "ab", *SPECIAL]


def make_hf(folder: Path) -> None:
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

    words = vocabulary()
    plain = {word: number for number, word in enumerate(words) if word not in SPECIAL}
    tokenizer = Tokenizer(models.BPE(vocab=plain, merges=[("a", "b")]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(list(SPECIAL))
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    fast.chat_template = TEMPLATE
    fast.save_pretrained(folder)
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=320,
        hidden_size=HIDDEN,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        num_key_value_heads=KV_HEADS,
        intermediate_size=INNER,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        eos_token_id=words.index("<|im_end|>"),
        initializer_range=0.15,
    )
    Qwen2ForCausalLM(config).to(torch.float32).save_pretrained(folder)
    # a file that changes greedy numbers unless the server is told to leave it alone
    generation = {"repetition_penalty": 1.3, "temperature": 0.7, "top_k": 7}
    (folder / "generation_config.json").write_text(json.dumps(generation), encoding="utf-8")


def make_gguf(folder: Path) -> None:
    import gguf
    import numpy as np

    words, random = vocabulary(), np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(folder / "tiny.gguf", "qwen2")
    writer.add_block_count(LAYERS)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(HIDDEN)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(words)
    kinds = [gguf.TokenType.CONTROL if word in SPECIAL else gguf.TokenType.NORMAL for word in words]
    writer.add_token_types(kinds)
    writer.add_token_merges(["a b"])
    writer.add_eos_token_id(words.index("<|im_end|>"))
    writer.add_chat_template(TEMPLATE)

    def add(name: str, *shape: int) -> None:
        writer.add_tensor(name, random.normal(0, 0.15, shape).astype(np.float32))

    side, kv = HIDDEN, HIDDEN // HEADS * KV_HEADS
    add("token_embd.weight", len(words), side)
    writer.add_tensor("output_norm.weight", np.ones(side, np.float32))
    for layer in range(LAYERS):
        block = f"blk.{layer}."
        for norm in ("attn_norm", "ffn_norm"):
            writer.add_tensor(f"{block}{norm}.weight", np.ones(side, np.float32))
        for name, rows in (("attn_q", side), ("attn_k", kv), ("attn_v", kv)):
            add(f"{block}{name}.weight", rows, side)
            add(f"{block}{name}.bias", rows)
        add(f"{block}attn_output.weight", side, side)
        add(f"{block}ffn_gate.weight", INNER, side)
        add(f"{block}ffn_up.weight", INNER, side)
        add(f"{block}ffn_down.weight", side, INNER)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    {"hf": make_hf, "gguf": make_gguf}[sys.argv[1]](Path(sys.argv[2]))
