"""Agreement of clusters with labels: Sheaf beside UMAP + HDBSCAN (BERTopic's recipe) and k-means with the true k.

Run by `cargo xtask quality`. V-measure and ARI count outliers as one cluster of their own, as BERTopic's topic -1 is. Every
method sees the same documents; Python's vectors are all-MiniLM-L6-v2's.
"""

import argparse
import csv
import json
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.metrics import adjusted_rand_score, v_measure_score

import embed
from walk import extract

csv.field_size_limit(1 << 30)

# What stands between these in the page is written by this script.
BEGIN = "<!-- clusters: written by cargo xtask quality -->"
END = "<!-- clusters: end -->"


@dataclass
class Labelled:
    """A set of documents with one true label each."""

    name: str
    ids: list[str]
    texts: list[str]
    labels: list[str]
    note: str
    folder: Path | None = None


def text_set(folder: Path, most: int) -> Labelled:
    """A JSON Lines set, at most `most` documents taken evenly over the file (which is ordered by label)."""
    with open(folder / "data.jsonl", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    total = len(rows)
    if most and total > most:
        rows = [rows[i] for i in embed.evenly(total, most)]
    note = f"{len(rows)} of {total} texts" if len(rows) < total else f"{total} texts"
    return Labelled(folder.name, [r["id"] for r in rows], [r["text"] for r in rows], [r["label"] for r in rows], note)


def papers(folder: Path) -> Labelled:
    """The PDFs in folders named by topic; folders of mixed topics have no label."""
    files = [path for path in sorted(folder.glob("cs-*/*.pdf")) if not path.parent.name.endswith("-mixed")]
    parsed = [extract(path) for path in files]
    kept = [(path, text) for path, (text, _, _) in zip(files, parsed) if text.strip()]
    note = f"{len(kept)} PDFs with text of {len(files)}"
    ids = [str(path.relative_to(folder)) for path, _ in kept]
    return Labelled("cs-papers", ids, [t for _, t in kept], [p.parent.name for p, _ in kept], note, folder)


def sheaf(binary: str, data: Labelled, model: str, threads: int) -> list[int]:
    """Clusters by the real binary; -1 for outliers and for what has no cluster."""
    with tempfile.TemporaryDirectory() as work:
        out = Path(work) / "out"
        if data.folder is None:
            source = Path(work) / "data.jsonl"
            with open(source, "w", encoding="utf-8") as lines:
                for id, text in zip(data.ids, data.texts):
                    lines.write(json.dumps({"id": id, "text": text}) + "\n")
            args = [str(source), "--id-field", "id", "--text-field", "text"]
        else:
            source = Path(work) / "pdf"
            for id in data.ids:
                (source / id).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(data.folder / id, source / id)
            args = [str(source)]
        done = subprocess.run([binary, "analyze", *args, "--out", str(out), "--model", model, "--threads", str(threads)])
        if done.returncode not in (0, 2):
            raise SystemExit(f"sheaf analyze ended with {done.returncode} on {data.name}")
        key = "id" if data.folder is None else "path"
        with open(out / "documents.csv", newline="", encoding="utf-8") as rows:
            found = {row[key]: row for row in csv.DictReader(rows)}
    missing = [id for id in data.ids if id not in found]
    if missing:
        raise SystemExit(f"{data.name}: sheaf has no row for {len(missing)} documents, the first is {missing[0]}")
    return [cluster_of(found[id]) for id in data.ids]


def cluster_of(row: dict[str, str]) -> int:
    if row["cluster"] == "" or row["outlier"].lower() in ("true", "1"):
        return -1
    return int(row["cluster"])


def bertopic(vectors: np.ndarray, seed: int) -> np.ndarray:
    """UMAP and HDBSCAN with the parameters that BERTopic uses when none are given."""
    import hdbscan
    import umap

    reduced = umap.UMAP(
        n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine", random_state=seed, n_jobs=1
    ).fit_transform(vectors)
    return hdbscan.HDBSCAN(min_cluster_size=10, metric="euclidean", cluster_selection_method="eom").fit_predict(reduced)


def kmeans(vectors: np.ndarray, k: int, seed: int) -> np.ndarray:
    from sklearn.cluster import KMeans

    return KMeans(n_clusters=k, n_init=10, random_state=seed).fit_predict(vectors)


def row(name: str, method: str, labels: list[str], runs: list) -> str:
    """One line of the table; several runs (seeds) are averaged, with the spread of V."""
    k, v, ari, outliers = (figures := np.array([scores(labels, np.asarray(run)) for run in runs])).mean(axis=0)
    spread = f" ± {figures[:, 1].std():.3f}" if len(runs) > 1 else ""
    return f"| {name} | {method} | {k:.0f} | {v:.3f}{spread} | {ari:.3f} | {outliers:.1%} |"


def scores(labels: list[str], found: np.ndarray) -> list[float]:
    """Clusters, V-measure, adjusted Rand index and the share of outliers."""
    truth = np.asarray(labels)
    inside = found >= 0
    k = len(set(found[inside].tolist()))
    return [k, v_measure_score(truth, found), adjusted_rand_score(truth, found), 1 - inside.mean()]


def table(data: Labelled, args: argparse.Namespace) -> list[str]:
    """The lines about one set; the first names it."""
    vectors = embed.accurate(data.texts, args.model_folder, args.threads)
    k = len(set(data.labels))
    lines = []
    for model in args.model if args.sheaf else []:
        lines.append(row("", f"Sheaf, {model}", data.labels, [sheaf(args.sheaf, data, model, args.threads)]))
    seeds = range(args.seeds)
    lines.append(row("", "BERTopic's recipe", data.labels, [bertopic(vectors, seed) for seed in seeds]))
    lines.append(row("", "k-means, true k", data.labels, [kmeans(vectors, k, seed) for seed in seeds]))
    return [lines[0].replace("|  |", f"| {data.name}, {data.note} ({k}) |", 1), *lines[1:]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpora", type=Path, required=True)
    parser.add_argument("--model-folder", required=True)
    parser.add_argument("--sheaf")
    parser.add_argument("--model", action="append", choices=["accurate", "fast"])
    parser.add_argument("--most", type=int, default=1500)
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--write", type=Path)
    args = parser.parse_args()

    args.model = args.model or ["accurate", "fast"]
    lines = ["| set (labels) | method | clusters | V | ARI | outliers |", "|---|---|---|---|---|---|"]
    folders = sorted(path for path in (args.corpora / "text").iterdir() if (path / "data.jsonl").is_file())
    names = [folder.name for folder in folders] + ["cs-papers"]
    unknown = set(args.set) - set(names)
    if unknown:
        raise SystemExit(f"no such set: {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    for name in names:
        if args.set and name not in args.set:
            continue
        data = papers(args.corpora / "documents/pdf") if name == "cs-papers" else text_set(args.corpora / "text" / name, args.most)
        part = table(data, args)
        print("\n".join(part), flush=True)
        lines += part
    if args.write:
        # Only what stands between the marks is written here.
        before, mark, rest = args.write.read_text(encoding="utf-8").partition(BEGIN)
        _, end, after = rest.partition(END)
        if not (mark and end):
            raise SystemExit(f"{args.write} has no marks for the table")
        args.write.write_text("\n".join([before + BEGIN, "", *lines, "", END + after]), encoding="utf-8")


if __name__ == "__main__":
    main()
