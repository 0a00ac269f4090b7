"""Pages of every PDF in a folder, as a user would read or draw them today, on several processes.

    python bench/parsing.py FOLDER --tool pymupdf|pypdfium2|pdftotext --mode text|render --workers 2 [--deliver]

Pixels stay in the process that drew them, unless `--deliver` has them sent to the one that asked, as Sheaf's always are.
Prints one line of JSON: documents, pages, seconds of wall time without the start of the processes.
"""

import argparse
import json
import subprocess
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

DPI = 150


def by_pymupdf(path: str, mode: str, keep: list[bytes] | None) -> int:
    import pymupdf

    pymupdf.TOOLS.mupdf_display_errors(False)
    with pymupdf.open(path) as document:
        for page in document:
            if mode == "text":
                page.get_text()
            else:
                pixels = page.get_pixmap(dpi=DPI, colorspace=pymupdf.csGRAY)
                if keep is not None:
                    keep.append(pixels.samples)
        return len(document)


def by_pypdfium2(path: str, mode: str, keep: list[bytes] | None) -> int:
    import pypdfium2

    document = pypdfium2.PdfDocument(path)
    for page in document:
        if mode == "text":
            page.get_textpage().get_text_range()
        else:
            pixels = page.render(scale=DPI / 72, grayscale=True).to_numpy()
            if keep is not None:
                keep.append(pixels.tobytes())
    return len(document)


def by_pdftotext(path: str, mode: str, keep: list[bytes] | None) -> int:
    if mode != "text":
        raise SystemExit("pdftotext draws nothing")
    out = subprocess.run(["pdftotext", path, "-"], capture_output=True, check=True).stdout
    return out.count(b"\f")


def pages(job: tuple[str, str, str, bool]) -> tuple[int, list[bytes] | None]:
    tool, path, mode, deliver = job
    keep = [] if deliver else None
    try:
        count = {"pymupdf": by_pymupdf, "pypdfium2": by_pypdfium2, "pdftotext": by_pdftotext}[tool](path, mode, keep)
        return count, keep
    except Exception:  # documents that cannot be read count for nobody
        return 0, None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tool", required=True, choices=["pymupdf", "pypdfium2", "pdftotext"])
    parser.add_argument("--mode", required=True, choices=["text", "render"])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--deliver", action="store_true")
    args = parser.parse_args()
    files = sorted(args.folder.rglob("*.pdf"))
    jobs = [(args.tool, str(path), args.mode, args.deliver) for path in files]
    with ProcessPoolExecutor(args.workers) as pool:
        list(pool.map(pages, [(args.tool, "", args.mode, False)] * 8))  # the processes start and import
        start = time.perf_counter()
        total = sum(count for count, _ in pool.map(pages, jobs))
        seconds = time.perf_counter() - start
    print(json.dumps({"documents": len(files), "pages": total, "seconds": seconds}))


if __name__ == "__main__":
    main()
