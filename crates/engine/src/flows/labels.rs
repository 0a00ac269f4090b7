//! The classifiers of a flow's steps: each made once for a version, and fitted once to each run where that helps.

use std::collections::HashMap;
use std::sync::Arc;

use sheaf_analysis::Embedder;
use sheaf_domain::flow::{Action, Classify, FlowSpec, LabelAccuracy};
use sheaf_domain::{Failure, RunId};
use tokio::sync::{Mutex, OnceCell};
use tokio::task::spawn_blocking;

use super::pile;
use super::steps::classify::Trained;
use crate::{Engine, internal};

/// Runs whose classifiers are kept.
const KEPT: usize = 16;

/// The classifier of one step, made when the first document needs it.
#[derive(Default)]
pub struct Labels {
    trained: OnceCell<Trained>,
    /// Those that were fitted to the texts of a run.
    of_runs: Mutex<HashMap<RunId, Arc<OnceCell<Trained>>>>,
}

impl Labels {
    /// The classifier for documents of a run, or for any document.
    ///
    /// # Errors
    /// `invalid_flow`, `internal`, `storage`; the next call tries again.
    pub async fn of(
        &self,
        engine: &Engine,
        classify: &Classify,
        model: &Arc<dyn Embedder>,
        run: Option<RunId>,
    ) -> Result<Trained, Failure> {
        let trained = self.trained.get_or_try_init(|| train(classify, model)).await?;
        let Some(run) = run.filter(|_| trained.adapts()) else { return Ok(trained.clone()) };
        let cell = {
            let mut kept = self.of_runs.lock().await;
            if kept.len() >= KEPT && !kept.contains_key(&run) {
                kept.clear();
            }
            Arc::clone(kept.entry(run).or_default())
        };
        let adapt = async || {
            let sample = pile::sample(engine, run).await?;
            let (trained, model) = (trained.clone(), Arc::clone(model));
            let adapt = move || {
                let sample: Vec<&str> = sample.iter().map(String::as_str).collect();
                trained.adapted(&*model, &sample)
            };
            spawn_blocking(adapt).await.map_err(internal)?.map_err(internal)
        };
        cell.get_or_try_init(adapt).await.cloned()
    }
}

async fn train(classify: &Classify, model: &Arc<dyn Embedder>) -> Result<Trained, Failure> {
    let (classify, model) = (classify.clone(), Arc::clone(model));
    spawn_blocking(move || Trained::new(&classify, &*model)).await.map_err(internal)?
}

impl Engine {
    /// How well a step tells its labels apart, found before it is used by scoring each example with a classifier that did not
    /// see it.
    ///
    /// # Errors
    /// `invalid_flow`, `model_missing`, `internal`.
    pub async fn label_accuracy(&self, classify: &Classify) -> Result<LabelAccuracy, Failure> {
        let step = sheaf_domain::flow::Step {
            name: "labels".to_owned(),
            instructions: String::new(),
            action: Action::Classify(classify.clone()),
        };
        let spec = FlowSpec { name: "labels".to_owned(), steps: vec![step], ..FlowSpec::default() };
        super::refuse(&spec, &Self::check_flow(&spec))?;
        let model = self.models().get(classify.model).await?;
        Ok(train(classify, &model).await?.accuracy())
    }
}
