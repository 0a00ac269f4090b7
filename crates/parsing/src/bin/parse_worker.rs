//! The child process by itself, so that this crate's tests need no server; `sheaf parse-worker` is the same.

use std::process::ExitCode;

fn main() -> ExitCode {
    sheaf_parsing::worker_main()
}
