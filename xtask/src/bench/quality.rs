//! q
#[derive(clap::Args)]
pub struct Quality {}
impl Quality {
    pub fn run(self, _paths: &crate::paths::Paths) -> anyhow::Result<()> {
        Ok(())
    }
}
