//! Dependencies point one way: the table of DESIGN, as data.

use super::Workspace;

/// Each crate of ours and the crates of ours that it may know.
const OURS: &[(&str, &[&str])] = &[
    ("sheaf-domain", &[]),
    ("sheaf-parsing", &["sheaf-domain"]),
    ("sheaf-analysis", &["sheaf-domain"]),
    ("sheaf-store", &["sheaf-domain"]),
    ("sheaf-store-sqlite", &["sheaf-domain", "sheaf-store"]),
    ("sheaf-store-postgres", &["sheaf-domain", "sheaf-store"]),
    ("sheaf-test-postgres", &[]),
    ("sheaf-engine", &["sheaf-domain", "sheaf-parsing", "sheaf-analysis", "sheaf-store"]),
    ("app", &["sheaf-domain", "sheaf-engine"]),
    ("frontend", &["app", "sheaf-domain"]),
    (
        "server",
        &[
            "app",
            "sheaf-domain",
            "sheaf-parsing",
            "sheaf-analysis",
            "sheaf-store",
            "sheaf-store-sqlite",
            "sheaf-store-postgres",
            "sheaf-engine",
        ],
    ),
    ("xtask", &[]),
];

/// Libraries that only some crates may know; a name that ends in `*` stands for all that begin so.
const THEIRS: &[(&str, &[&str])] = &[
    ("axum", &["server"]),
    ("hyper*", &["server"]),
    ("tower*", &["server"]),
    ("leptos_axum", &["app", "server"]),
    ("leptos*", &["app", "frontend", "server"]),
    ("sqlx", &["sheaf-store-sqlite", "sheaf-store-postgres"]),
    ("object_store", &["sheaf-engine"]),
    ("pdfium-render", &["sheaf-parsing"]),
    ("linfa*", &["sheaf-analysis"]),
    ("anyhow", &["server", "xtask"]),
];

pub fn findings(workspace: &Workspace) -> Vec<String> {
    let mut findings = Vec::new();
    for package in &workspace.packages {
        let Some((_, allowed)) = OURS.iter().find(|(name, _)| *name == package.name) else {
            findings.push(format!("crate `{}` has no row in xtask's table of dependencies", package.name));
            continue;
        };
        for dependency in &package.dependencies {
            let ours = OURS.iter().any(|(name, _)| name == dependency);
            if ours && !allowed.contains(&dependency.as_str()) {
                findings.push(format!("crate `{}` must not depend on `{dependency}`", package.name));
            }
            let theirs = THEIRS.iter().find(|(pattern, _)| matches(pattern, dependency));
            if let Some((_, users)) = theirs
                && !users.contains(&package.name.as_str())
            {
                findings.push(format!(
                    "only {} may depend on `{dependency}`, not `{}`",
                    users.join(", "),
                    package.name
                ));
            }
        }
    }
    findings
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::super::workspace::Package;
    use super::*;

    #[test]
    fn names_what_points_the_wrong_way() {
        let check = |name: &str, dependencies: &[&str], expect: usize| {
            let package =
                Package { name: name.into(), dependencies: dependencies.iter().map(ToString::to_string).collect() };
            let found = findings(&Workspace { packages: vec![package] });
            assert_eq!(found.len(), expect, "{name} {dependencies:?}: {found:?}");
        };
        check("sheaf-engine", &["sheaf-store", "tokio"], 0);
        check("sheaf-domain", &["sheaf-engine"], 1);
        check("sheaf-engine", &["axum", "leptos", "sqlx"], 3);
        check("app", &["leptos", "leptos_axum", "leptos-use-interval-fn"], 0);
        check("sheaf-store", &["sheaf-store-sqlite"], 1);
        check("somebody", &[], 1);
    }
}
