//! A small language model behind a server that speaks OpenAI's protocol. Both are downloaded by `cargo xtask test`.

use std::env;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Ends with the test: the server reads its standard input to the end.
pub struct LanguageModel {
    server: Child,
    address: String,
}

impl LanguageModel {
    /// Starts it; nothing, said aloud, where it was not downloaded.
    pub fn start() -> Option<Self> {
        let folder = cache()?.join("small-model");
        let model = folder.join("language-model/SmolLM2-135M-Instruct.Q4_1.gguf");
        let package = folder.join("language-server");
        if !model.is_file() || !package.is_dir() {
            eprintln!("skipped: there is no language model in {}; `cargo xtask test` downloads one", folder.display());
            return None;
        }
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/small_model.py");
        let mut server = Command::new("python3")
            .arg(script)
            .arg(model)
            .env("PYTHONPATH", package)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Python starts");
        let mut address = String::new();
        BufReader::new(server.stdout.take().expect("piped")).read_line(&mut address).expect("it says where it is");
        assert!(address.starts_with("http://127.0.0.1:"), "the language model does not start: {address}");
        Some(Self { server, address: address.trim().to_owned() })
    }

    pub fn endpoint(&self) -> String {
        format!("{}/v1", self.address)
    }
}

impl Drop for LanguageModel {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Where `cargo xtask` keeps what it downloads.
fn cache() -> Option<PathBuf> {
    let given = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    given("SHEAF_CACHE_DIR")
        .or_else(|| Some(given("XDG_CACHE_HOME")?.join("sheaf")))
        .or_else(|| Some(given("HOME")?.join(".cache/sheaf")))
}
