//! `sheaf backup`: the database and everything that it names, copied while work goes on.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use sheaf_engine::BlobLocation;
use sheaf_engine::upkeep::{self, BackupTarget, Blobs, Copied, Source};

use super::storage::{Storage, open_to_read};
use super::verify::bar;
use super::{plain, start_log};

/// Something that the database names was not there to be copied.
const INCOMPLETE: u8 = 2;

/// Snapshots that are taken at most: a batch that is deleted between a snapshot and the copying of its documents asks for
/// another one.
const ROUNDS: u32 = 5;

/// Copy the database and all documents, while work goes on.
///
/// What is at the target already is not copied again, so that the next backup is quick. To restore, start `sheaf serve --data
/// FOLDER` with the copy (or a copy of it). Ends with 0, with 2 when something was not there to be copied (it is listed), and
/// with 1 when it could not run.
#[derive(clap::Args)]
pub struct Args {
    /// A folder, made if absent, or s3://bucket/prefix with the usual AWS_ variables.
    #[arg(long, value_name = "FOLDER|s3://…")]
    to: BlobLocation,
    #[command(flatten)]
    storage: Storage,
    /// Do not show how far it is.
    #[arg(long)]
    quiet: bool,
}

pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    start_log("warn");
    let (folder, location) = args.storage.existing()?;
    let Some(database) = args.storage.sqlite_file(&folder)? else {
        bail!(
            "PostgreSQL has its own backup. Run, in this order: pg_dump --format=custom --file=sheaf.dump DATABASE, then copy the \
             blobs (aws s3 sync s3://bucket/prefix COPY, or cp -a).\n\
             Delete no batch in between; to check a copy, restore it and run `sheaf verify` with --database and --blobs."
        );
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let copied = runtime.block_on(back_up(&args, &folder, &database, &location))?;
    for name in &copied.missing {
        println!("{name}: was not there or is damaged, and is not in the copy");
    }
    println!(
        "{} documents are in {}; {} files of {} MiB were copied now",
        copied.documents,
        args.to,
        copied.files,
        copied.bytes >> 20
    );
    Ok(if copied.missing.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(INCOMPLETE) })
}

async fn back_up(args: &Args, folder: &Path, database: &Path, location: &BlobLocation) -> anyhow::Result<Copied> {
    if let BlobLocation::Folder(to) = &args.to {
        std::fs::create_dir_all(to).with_context(|| format!("`{}` cannot be made", to.display()))?;
        if to.canonicalize()? == folder.canonicalize().unwrap_or_default() {
            bail!("`{}` is the data folder itself: give another with --to", to.display());
        }
    }
    let scratch = scratch(&args.to)?;
    let source = Blobs::open(location, scratch.path()).await.map_err(|failure| plain(&failure))?;
    let target = BackupTarget::open(&args.to, scratch.path()).await.map_err(|failure| plain(&failure))?;
    let live = open_to_read(database).await?;
    let bar = bar(args.quiet, "{spinner} {msg}").context("the terminal cannot be drawn on")?;
    let mut total = Copied::default();
    let mut round = 0;
    loop {
        round += 1;
        let snapshot = scratch.path().join(format!("{round}.db"));
        live.copy_to(&snapshot).await.context("the database cannot be copied")?;
        let rows = open_to_read(&snapshot).await?;
        let before = total.clone();
        let from = Source { rows: &rows, blobs: &source };
        let copied = upkeep::copy(&from, &target, |so_far| {
            let files = before.files + so_far.files;
            bar.set_message(format!("{files} files copied, {} MiB", (before.bytes + so_far.bytes) >> 20));
            bar.tick();
        });
        let copied = copied.await.map_err(|failure| plain(&failure))?;
        rows.close().await;
        total.documents = copied.documents;
        total.files += copied.files;
        total.bytes += copied.bytes;
        // What is missing twice was not deleted meanwhile: it is lost.
        let is_last = copied.missing.is_empty() || copied.missing == total.missing || round == ROUNDS;
        total.missing = copied.missing;
        if is_last {
            target.finish(&snapshot).await.map_err(|failure| plain(&failure))?;
            bar.finish_and_clear();
            return Ok(total);
        }
        std::fs::remove_file(snapshot)?;
    }
}

/// A folder for what is on the way: beside the copy where that is a folder, for there has to be room anyway.
fn scratch(to: &BlobLocation) -> anyhow::Result<tempfile::TempDir> {
    let here = match to {
        BlobLocation::Folder(folder) => folder.clone(),
        BlobLocation::Bucket { .. } => std::env::temp_dir(),
    };
    tempfile::Builder::new()
        .prefix(".backup-")
        .tempdir_in(&here)
        .with_context(|| format!("`{}` cannot be written to", Path::new(&here).display()))
}
