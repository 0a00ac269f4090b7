//! Where PostgreSQL's programs are, and as whom they run.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of the programs.
pub struct Programs(PathBuf);

impl Programs {
    /// Those in `SHEAF_POSTGRES_BIN`, else the latest that Debian has installed, else those on the path.
    ///
    /// # Panics
    /// When there are none.
    pub fn find() -> Self {
        let given = std::env::var_os("SHEAF_POSTGRES_BIN").map(PathBuf::from);
        let on_path = std::env::var_os("PATH").unwrap_or_default();
        let found = given
            .into_iter()
            .chain(of_debian())
            .chain(std::env::split_paths(&on_path))
            .find(|folder| ["postgres", "initdb", "psql", "pg_isready"].iter().all(|p| folder.join(p).is_file()));
        Self(found.expect(
            "PostgreSQL is missing, and this test needs a real one: `cargo xtask test` installs it on Debian \
             (`apt-get install postgresql`); elsewhere install it, or name its folder of programs with SHEAF_POSTGRES_BIN",
        ))
    }

    pub fn path(&self, program: &str) -> PathBuf {
        self.0.join(program)
    }
}

/// Debian keeps the server's programs off the path, in a folder for each version; the latest first.
fn of_debian() -> Vec<PathBuf> {
    let Ok(entries) = Path::new("/usr/lib/postgresql").read_dir() else { return Vec::new() };
    let mut versions: Vec<u32> = entries.flatten().filter_map(|e| e.file_name().to_str()?.parse().ok()).collect();
    versions.sort_unstable_by(|a, b| b.cmp(a));
    versions.into_iter().map(|version| PathBuf::from(format!("/usr/lib/postgresql/{version}/bin"))).collect()
}

/// Whose rights the server has: PostgreSQL refuses root's.
pub struct Account {
    /// User and group to change to; none where the test does not run as root.
    pub ids: Option<(u32, u32)>,
}

impl Account {
    /// This process's own, or `postgres` when that is root.
    ///
    /// # Panics
    /// When it is root and there is no other user to be.
    pub fn find() -> Self {
        if !nix::unistd::geteuid().is_root() {
            return Self { ids: None };
        }
        let user = ["postgres", "nobody"].iter().find_map(|name| nix::unistd::User::from_name(name).ok().flatten());
        let user = user.expect("PostgreSQL does not run as root, and there is neither a user `postgres` nor `nobody`");
        Self { ids: Some((user.uid.as_raw(), user.gid.as_raw())) }
    }

    /// A command that runs with these rights.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        use std::os::unix::process::CommandExt;

        let mut command = Command::new(program);
        // Root's own folder may be closed to the user.
        command.current_dir("/").env_remove("PGPASSWORD").env_remove("PGHOST").env_remove("PGOPTIONS");
        if let Some((user, group)) = self.ids {
            command.uid(user).gid(group);
        }
        command
    }
}
