"""The two models in Python: the same chunks and pooling as Sheaf's accurate model, and static vectors for the fast one."""

import numpy as np

CHUNK_TOKENS = 254
MOST_CHUNKS = 8


def evenly(count: int, most: int) -> list[int]:
    """At most `most` indices of `count`, spread evenly, with the first and the last one."""
    if count <= most:
        return list(range(count))
    return [round(i * (count - 1) / (most - 1)) for i in range(most)]


def accurate(texts: list[str], folder: str, threads: int) -> np.ndarray:
    """all-MiniLM-L6-v2 by sentence-transformers: chunks of 254 tokens, at most 8 a text, mean weighted by length."""
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(threads)
    model = SentenceTransformer(folder, device="cpu")
    tokenizer = model.tokenizer
    chunks, owners, weights = [], [], []
    for owner, text in enumerate(texts):
        spans = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, truncation=False, verbose=False)
        spans = spans["offset_mapping"]
        starts = range(0, len(spans), CHUNK_TOKENS)
        for index in evenly(len(starts), MOST_CHUNKS):
            part = spans[starts[index] : starts[index] + CHUNK_TOKENS]
            chunks.append(text[part[0][0] : part[-1][1]])
            owners.append(owner)
            weights.append(len(part))
    vectors = model.encode(chunks, batch_size=32, normalize_embeddings=True, show_progress_bar=False)
    pooled = np.zeros((len(texts), vectors.shape[1]), dtype=np.float32)
    np.add.at(pooled, owners, vectors * np.asarray(weights, dtype=np.float32)[:, None])
    return unit(pooled)


def fast(texts: list[str]) -> np.ndarray:
    """WordLlama's static vectors over the whole text; the weights are inside the package.

    Its own `embed` pads every text of a batch to the longest one, which takes tens of gigabytes as soon as one document
    is a book; so each text's tokens are averaged directly, with the same result.
    """
    from pathlib import Path

    import wordllama
    from wordllama import WordLlama

    model = WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True)
    model.tokenizer.no_padding()
    model.tokenizer.no_truncation()
    pooled = np.zeros((len(texts), model.embedding.shape[1]), dtype=np.float32)
    for start in range(0, len(texts), 64):
        encoded = model.tokenizer.encode_batch(texts[start : start + 64], add_special_tokens=False)
        for row, tokens in enumerate(encoded, start):
            if tokens.ids:
                pooled[row] = model.embedding[tokens.ids].mean(axis=0)
    return unit(pooled)


def unit(vectors: np.ndarray) -> np.ndarray:
    """Rows of length one; a row of zeros stays as it is."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths == 0, 1, lengths)
