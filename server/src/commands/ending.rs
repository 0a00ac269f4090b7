//! How a process ends when it is asked to, at once or after what is running, and how soon others go on for one that was killed.

use std::io;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Flattened into the arguments of `serve` and `work`.
#[derive(clap::Args, Clone, Debug)]
pub struct Drain {
    /// Seconds that running work may take to end after SIGTERM; what is unfinished then is given back.
    #[arg(long, env = "SHEAF_DRAIN_SECONDS", default_value_t = 20, value_name = "SECONDS",
        value_parser = clap::value_parser!(u64).range(0..=86_400))]
    drain_seconds: u64,
    /// Seconds after which the jobs of a process that gives no sign of life go on elsewhere.
    #[arg(long, env = "SHEAF_LEASE_SECONDS", default_value_t = 30, value_name = "SECONDS",
        value_parser = clap::value_parser!(u64).range(1..=86_400))]
    lease_seconds: u64,
}

impl Drain {
    pub const fn grace(&self) -> Duration {
        Duration::from_secs(self.drain_seconds)
    }

    pub const fn lease(&self) -> Duration {
        Duration::from_secs(self.lease_seconds)
    }
}

/// What the process was asked for by signals. Ctrl-C is a person who waits: it ends at once, and so does a second signal.
#[derive(Clone, Debug)]
pub struct Ending {
    /// Cancelled by the first signal.
    pub asked: CancellationToken,
    /// Cancelled when there is no time for what is running.
    pub hurry: CancellationToken,
}

impl Ending {
    /// Listens from now on. Wants a runtime.
    ///
    /// # Errors
    /// When the system does not let it.
    pub fn watch() -> io::Result<Self> {
        let ending = Self { asked: CancellationToken::new(), hurry: CancellationToken::new() };
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let Self { asked, hurry } = ending.clone();
        tokio::spawn(async move {
            loop {
                let is_patient = tokio::select! {
                    _ = terminate.recv() => true,
                    _ = interrupt.recv() => false,
                };
                if asked.is_cancelled() || !is_patient {
                    hurry.cancel();
                }
                if !asked.is_cancelled() {
                    tracing::info!("stopping: unfinished documents go on later");
                }
                asked.cancel();
            }
        });
        Ok(ending)
    }
}
