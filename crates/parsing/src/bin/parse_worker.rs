//! The child process by itself, so that this crate's tests need no server; `sheaf parse-worker` is the same.

fn main() {
    sheaf_parsing::worker_main()
}
