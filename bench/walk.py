"""A folder of documents to clusters, as a user would write it today: pypdfium2, sentence-transformers, scikit-learn.

    python bench/walk.py INPUT --out RESULTS --model accurate --model-folder FOLDER --threads 2
"""

import argparse
import csv
import json
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

import embed

TEXT = {".txt", ".md", ".html", ".htm", ".csv", ".json"}


def extract(path: Path) -> tuple[str, int, str]:
    """Text, number of pages and error of one file."""
    try:
        if path.suffix.lower() != ".pdf":
            return path.read_text(encoding="utf-8", errors="replace"), 1, ""
        import pypdfium2

        document = pypdfium2.PdfDocument(path)
        pages = [page.get_textpage().get_text_range() for page in document]
        return "\n".join(pages), len(pages), ""
    except Exception as error:  # a bad document must not stop the batch
        return "", 0, str(error)


def cluster(vectors: np.ndarray) -> np.ndarray:
    """Average linkage cut at a cosine distance: quick, and asks for no number of clusters."""
    from sklearn.cluster import AgglomerativeClustering

    method = AgglomerativeClustering(n_clusters=None, metric="cosine", linkage="average", distance_threshold=0.6)
    return method.fit_predict(vectors)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("input", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--model", choices=["accurate", "fast"], default="accurate")
    parser.add_argument("--model-folder", default="")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    seconds: dict[str, float] = {}

    start = time.perf_counter()
    files = sorted(path for path in args.input.rglob("*") if path.suffix.lower() in TEXT | {".pdf"})
    with ProcessPoolExecutor(args.threads) as pool:
        parsed = list(pool.map(extract, files, chunksize=4))
    seconds["parse"] = time.perf_counter() - start

    start = time.perf_counter()
    with_text = [i for i, (text, _, _) in enumerate(parsed) if text.strip()]
    texts = [parsed[i][0] for i in with_text]
    vectors = embed.accurate(texts, args.model_folder, args.threads) if args.model == "accurate" else embed.fast(texts)
    seconds["embed"] = time.perf_counter() - start

    start = time.perf_counter()
    labels = dict(zip(with_text, cluster(vectors)))
    similarity = vectors @ vectors.T
    seconds["analyse"] = time.perf_counter() - start

    start = time.perf_counter()
    args.out.mkdir(parents=True, exist_ok=True)
    with open(args.out / "documents.csv", "w", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(["path", "pages", "words", "cluster", "error"])
        for i, (path, (text, pages, error)) in enumerate(zip(files, parsed)):
            rows.writerow([path.relative_to(args.input), pages, len(text.split()), labels.get(i, ""), error])
    np.savetxt(args.out / "similarity.csv", similarity, fmt="%.4f", delimiter=",")
    seconds["export"] = time.perf_counter() - start
    (args.out / "timings.json").write_text(json.dumps({"documents": len(files), "seconds": seconds}))


if __name__ == "__main__":
    main()
