//! Pages by the pool, for `cargo xtask bench parsing`: the text of every PDF in a folder, or every page drawn in grey.
//!
//!     pages PROGRAM FOLDER text|render WORKERS
//!
//! Prints one line of JSON: documents, pages, seconds of wall time.

use std::path::{Path, PathBuf};
use std::time::Instant;

use futures::{StreamExt, stream};
use sheaf_parsing::{PictureFor, Pool, PoolConfig, find_pdfium};

/// What the rivals draw at.
const PURPOSE: PictureFor = PictureFor::Recognition { dpi: 150, pixels: u64::MAX };

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [program, folder, mode, workers] = &arguments[..] else {
        return Err("usage: pages PROGRAM FOLDER text|render WORKERS".into());
    };
    let workers: usize = workers.parse()?;
    let mut files = Vec::new();
    list(Path::new(folder), &mut files)?;
    // The longest first, as the product does it: no core waits at the end.
    files.sort_by_key(|file| std::cmp::Reverse(std::fs::metadata(file).map_or(0, |about| about.len())));
    let pool = Pool::new(PoolConfig { pdfium: find_pdfium(), ..PoolConfig::new(PathBuf::from(program), workers) });

    let (mut pages, mut seconds) = read(&pool, &files, workers).await;
    if mode == "render" {
        pages.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let started = Instant::now();
        let draw = async |(file, count): &(&Path, u32)| {
            for page in 1..=*count {
                // A page that cannot be drawn counts for nobody.
                let _ = pool.picture(file, "a.pdf", page, PURPOSE).await;
            }
        };
        stream::iter(&pages).map(draw).buffer_unordered(workers).for_each(|()| async {}).await;
        seconds = started.elapsed().as_secs_f64();
    }
    let count: u32 = pages.iter().map(|(_, count)| count).sum();
    println!(r#"{{"documents": {}, "pages": {count}, "seconds": {seconds}}}"#, files.len());
    pool.shutdown().await;
    Ok(())
}

/// The text of every document; pages of each (none where it cannot be read), and the seconds that it took.
async fn read<'a>(pool: &Pool, files: &'a [PathBuf], workers: usize) -> (Vec<(&'a Path, u32)>, f64) {
    let started = Instant::now();
    let pages = stream::iter(files)
        .map(|file| async move {
            let document = pool.parse(file, "a.pdf").await;
            (file.as_path(), document.map_or(0, |document| document.pages.len() as u32))
        })
        .buffer_unordered(workers + 1)
        .collect()
        .await;
    (pages, started.elapsed().as_secs_f64())
}

/// The PDFs below a folder.
fn list(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            list(&path, files)?;
        } else if path.extension().is_some_and(|suffix| suffix == "pdf") {
            files.push(path);
        }
    }
    Ok(())
}
