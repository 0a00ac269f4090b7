"""Reads a folder in shards under Ray, then brings them together.

    pip install ray pyarrow
    python examples/ray/analyze.py --sheaf target/release/sheaf --shards 8 LETTERS OUT [--import-to DATA]

Each shard is one call of `sheaf analyze --shard I/N`. A shard that was cut off is simply written again: the same input gives
the same file. With --check one whole run is made as well, and every row of the shards is compared with it.
"""

import argparse
import pathlib
import subprocess
import sys

import pyarrow.parquet
import ray


def read_shard(row, sheaf, folder, out, of, model):
    """One shard: `row` holds its index. Gives the file, or raises with what sheaf said."""
    index = int(row["id"])
    command = [sheaf, "analyze", folder, "--out", out, "--model", model, "--threads", "1", "--shard", f"{index}/{of}"]
    ended = subprocess.run(command, capture_output=True, text=True)
    # 2 says that some documents could not be used: they are rows with their reason.
    if ended.returncode not in (0, 2):
        raise RuntimeError(f"shard {index}/{of}: {ended.stderr}")
    width = max(4, len(str(of)))
    return {"file": str(pathlib.Path(out) / f"shard-{index:0{width}}-of-{of:0{width}}.parquet")}


def rows(files):
    """Every row of the shards by its path."""
    table = pyarrow.concat_tables([pyarrow.parquet.read_table(file) for file in files])
    return {row["path"]: row for row in table.to_pylist()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("out")
    parser.add_argument("--sheaf", default="sheaf", help="the program")
    parser.add_argument("--shards", type=int, default=8)
    parser.add_argument("--model", default="fast")
    parser.add_argument("--check", action="store_true", help="compare the shards with one whole run")
    parser.add_argument("--import-to", metavar="DATA", help="make a batch of them in this data folder")
    args = parser.parse_args()
    out = pathlib.Path(args.out).resolve()
    fixed = dict(sheaf=args.sheaf, folder=str(pathlib.Path(args.folder).resolve()), model=args.model)

    ray.init(log_to_driver=False)
    shards = ray.data.range(args.shards, override_num_blocks=args.shards)
    done = shards.map(read_shard, fn_kwargs=dict(fixed, out=str(out / "shards"), of=args.shards), num_cpus=1)
    files = sorted(row["file"] for row in done.take_all())
    found = rows(files)
    failed = sum(row["status"] == "failed" for row in found.values())
    print(f"{len(found)} documents in {len(files)} shards, {failed} of them failed")

    if args.check:
        whole = read_shard({"id": 0}, **fixed, out=str(out / "whole"), of=1)
        expected = rows([whole["file"]])
        if found != expected:
            wrong = [path for path in found.keys() | expected.keys() if found.get(path) != expected.get(path)]
            sys.exit(f"{len(wrong)} rows differ from those of one whole run, {min(wrong)} first")
        print("every row is that of one whole run")
    if args.import_to:
        imported = subprocess.run([args.sheaf, "import", *files, "--data", args.import_to, "--name", "From Ray"])
        sys.exit(imported.returncode if imported.returncode != 2 else 0)


if __name__ == "__main__":
    main()
