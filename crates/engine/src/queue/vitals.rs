//! Signs of life of this process: who it is, what it works on, and how busy its machine is.

use std::time::Duration;

use sheaf_store::WorkerState;
use sysinfo::System;

use crate::Engine;

/// A sign of life; whoever gave none for three times as long is taken for gone.
pub const TOLD_EVERY: Duration = Duration::from_secs(10);

/// The machine's name.
pub fn host() -> String {
    System::host_name().unwrap_or_else(|_| "unknown".to_owned())
}

/// Gives signs of life until it is dropped.
pub async fn tell(engine: Engine, worker: String) {
    let host = host();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    // Where the system does not tell, nothing is said of it.
    let mut system = System::new().ok();
    // The share is that of the time since the last look.
    busy(&mut system);
    let mut wait = sysinfo::MINIMUM_CPU_UPDATE_INTERVAL;
    loop {
        tokio::time::sleep(wait).await;
        let state = WorkerState {
            id: worker.clone(),
            host: host.clone(),
            stages: engine.config().stages.clone(),
            cores: u32::try_from(cores).unwrap_or(u32::MAX),
            busy: busy(&mut system),
            recognition_full: engine.reader().recogniser().is_full(),
        };
        if let Err(error) = engine.store().note_worker(&state).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "no sign of life could be given");
        }
        wait = TOLD_EVERY;
    }
}

/// The share of the machine's cores that was busy since the last call.
fn busy(system: &mut Option<System>) -> Option<f32> {
    let system = system.as_mut()?;
    system.refresh_cpu_usage();
    (!system.cpus().is_empty()).then(|| (system.global_cpu_usage() / 100.0).clamp(0.0, 1.0))
}
