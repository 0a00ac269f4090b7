"""The same vectors grouped as a user would in Python today: k-means that is told the true k, or UMAP and HDBSCAN as BERTopic has them.

    python bench/clusters.py kmeans VECTORS.f32 OUT.json
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np


def kmeans(vectors: np.ndarray, k: int) -> np.ndarray:
    """scikit-learn's defaults but for ten starts, which its users are told to make."""
    from sklearn.cluster import KMeans

    return KMeans(n_clusters=k, n_init=10, random_state=0).fit_predict(vectors)


def bertopic(vectors: np.ndarray, threads: int) -> np.ndarray:
    """The parameters that BERTopic uses when none are given; without a seed, for a seed makes UMAP use one thread."""
    import hdbscan
    import umap

    reducer = umap.UMAP(n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine", n_jobs=threads, low_memory=False)
    reduced = reducer.fit_transform(vectors)
    model = hdbscan.HDBSCAN(min_cluster_size=10, metric="euclidean", cluster_selection_method="eom", core_dist_n_jobs=threads)
    return model.fit_predict(reduced)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("method", choices=["kmeans", "bertopic"])
    parser.add_argument("vectors", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    beside = json.loads(args.vectors.with_suffix(".labels").read_text())
    labels = beside["labels"]
    vectors = np.fromfile(args.vectors, dtype=np.float32).reshape(len(labels), beside["dimensions"])
    start = time.perf_counter()
    found = kmeans(vectors, len(set(labels))) if args.method == "kmeans" else bertopic(vectors, args.threads)
    seconds = time.perf_counter() - start
    from sklearn.metrics import adjusted_rand_score, v_measure_score

    report = {
        "seconds": seconds,
        "clusters": len(set(found[found >= 0].tolist())),
        "outliers": float((found < 0).mean()),
        "v": v_measure_score(labels, found),
        "ari": adjusted_rand_score(labels, found),
    }
    args.out.write_text(json.dumps(report))


if __name__ == "__main__":
    main()
