"""Agreement of clusters with labels: Sheaf beside UMAP + HDBSCAN (BERTopic's recipe) and k-means with the true k.

Run by `cargo xtask quality`. V-measure and ARI count outliers as one cluster of their own, as BERTopic's topic -1 is;
"without outliers" leaves them out. Every method sees the same documents; Python's vectors are all-MiniLM-L6-v2's.
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


def row(method: str, labels: list[str], runs: list) -> str:
    """One line of the table; several runs (seeds) are averaged, with the spread of V."""
    figures = np.array([scores(labels, np.asarray(run)) for run in runs])
    k, v, ari, outliers, v_in, ari_in = figures.mean(axis=0)
    spread = f" ± {figures[:, 1].std():.3f}" if len(runs) > 1 else ""
    return f"| {method} | {k:.0f} | {v:.3f}{spread} | {ari:.3f} | {outliers:.1%} | {v_in:.3f} | {ari_in:.3f} |"


def scores(labels: list[str], found: np.ndarray) -> list[float]:
    truth = np.asarray(labels)
    inside = found >= 0
    v_in, ari_in = 0.0, 0.0
    if inside.any():
        v_in, ari_in = v_measure_score(truth[inside], found[inside]), adjusted_rand_score(truth[inside], found[inside])
    k = len(set(found[inside].tolist()))
    return [k, v_measure_score(truth, found), adjusted_rand_score(truth, found), 1 - inside.mean(), v_in, ari_in]


def table(data: Labelled, args: argparse.Namespace) -> list[str]:
    vectors = embed.accurate(data.texts, args.model_folder, args.threads)
    k = len(set(data.labels))
    lines = [f"## {data.name}", "", f"{data.note}, {k} labels.", ""]
    lines += ["| method | clusters | V | ARI | outliers | V without outliers | ARI without |", "|---|---|---|---|---|---|---|"]
    if args.sheaf:
        lines.append(row(f"Sheaf, {args.model}", data.labels, [sheaf(args.sheaf, data, args.model, args.threads)]))
    seeds = range(args.seeds)
    lines.append(row("BERTopic's recipe", data.labels, [bertopic(vectors, seed) for seed in seeds]))
    lines.append(row("k-means, true k given", data.labels, [kmeans(vectors, k, seed) for seed in seeds]))
    return lines + [""]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpora", type=Path, required=True)
    parser.add_argument("--model-folder", required=True)
    parser.add_argument("--sheaf")
    parser.add_argument("--model", default="accurate")
    parser.add_argument("--most", type=int, default=1500)
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--write", type=Path)
    args = parser.parse_args()

    lines = [
        "# Quality of clusters",
        "",
        "Agreement with labels, made by `cargo xtask quality --write`. Outliers count as one cluster of their own in V and ARI.",
        f"Python's rows are means over {args.seeds} seeds; Sheaf's result does not depend on luck. No method but the last knows k.",
        "",
    ]
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
        # What the page says about reading documents is written by `cargo xtask quality parsing`.
        _, mark, reading = args.write.read_text(encoding="utf-8").partition("# How well documents are read")
        args.write.write_text("\n".join(lines).rstrip() + "\n\n" + mark + reading, encoding="utf-8")


if __name__ == "__main__":
    main()
