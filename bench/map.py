"""How well a map keeps what is near: Sheaf's layout beside umap-learn and the first two principal components.

`map.py FOLDER`: the folder that `cargo run --release -p sheaf-analysis --example quality -- MODEL --out FOLDER FILE...` wrote. Every
method sees the same vectors. Trustworthiness (Venna and Kaski 2001) says how many of a point's 15 neighbours on the map are neighbours
by cosine too; accuracy is that of the labels of the 10 nearest on the map, each document left out of its own.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness
from sklearn.neighbors import NearestNeighbors

# Trustworthiness compares all pairs: as many are enough for three digits.
MOST = 5000


def accuracy(points, labels):
    """Of the labels of the 10 nearest others, the commonest one is right so often."""
    _, nearest = NearestNeighbors(n_neighbors=11).fit(points).kneighbors(points)
    names, of = np.unique(labels, return_inverse=True)
    others = np.array([[n for n in row if n != i][:10] for i, row in enumerate(nearest)])
    votes = np.zeros((len(points), len(names)))
    for column in others.T:
        votes[np.arange(len(points)), of[column]] += 1
    return float((votes.argmax(axis=1) == of).mean())


def measure(name, method, points, vectors, labels, seconds):
    """Prints a row of the table."""
    some = np.arange(0, len(points), -(-len(points) // MOST))
    trust = trustworthiness(vectors[some], points[some], n_neighbors=15, metric="cosine")
    took = "" if seconds is None else f"{seconds:.1f}"
    print(f"| {name} | {method} | {trust:.3f} | {accuracy(points, labels):.3f} | {took} |", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    args = parser.parse_args()
    import umap

    print("| set | method | trustworthiness | accuracy of 10 neighbours | seconds |\n|---|---|---|---|---|")
    for file in sorted(args.folder.glob("*.map.npy")):
        base = str(file).removesuffix(".map.npy")
        vectors, labels = np.load(base + ".npy"), np.array(Path(base + ".labels").read_text().split("\n"))
        kept = np.linalg.norm(vectors, axis=1) > 0.5
        vectors, labels = vectors[kept], labels[kept]
        name = Path(base).name
        measure(name, "Sheaf", np.load(file)[kept], vectors, labels, None)
        for seed in range(args.seeds):
            started = time.time()
            points = umap.UMAP(metric="cosine", random_state=seed).fit_transform(vectors)
            measure(name, f"umap-learn, seed {seed}", points, vectors, labels, time.time() - started)
        measure(name, "two principal components", PCA(2).fit_transform(vectors), vectors, labels, None)


if __name__ == "__main__":
    main()
