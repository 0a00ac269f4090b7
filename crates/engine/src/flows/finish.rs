//! Writes down what was found: whatever has piled up while the last group was written makes the next, so that a transaction is
//! not paid for each of many small documents.

use sheaf_domain::Failure;
use sheaf_store::{RunClaim, RunFound};
use tokio::sync::{mpsc, oneshot};

use crate::Engine;

/// Documents of one transaction.
const GROUP: usize = 64;

type Outcome = Result<bool, Failure>;
type Done = (RunClaim, RunFound, oneshot::Sender<Outcome>);

/// Where documents that are done are handed in.
#[derive(Clone)]
pub struct Finisher(mpsc::Sender<Done>);

impl Finisher {
    /// Hands in what was found in a document, and waits until it is kept; `false` when the lease was lost.
    ///
    /// # Errors
    /// `storage`.
    pub async fn keep(&self, claim: RunClaim, found: RunFound) -> Outcome {
        let (sender, answer) = oneshot::channel();
        let gone = || crate::internal("nobody writes down what is done");
        self.0.send((claim, found, sender)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

/// Makes the place, and the work that has to be done behind it: it ends when every [`Finisher`] is gone.
pub fn finisher(engine: Engine) -> (Finisher, impl Future<Output = ()> + Send) {
    let (sender, mut receiver) = mpsc::channel(GROUP);
    let work = async move {
        let mut waiting: Vec<Done> = Vec::new();
        while receiver.recv_many(&mut waiting, GROUP).await > 0 {
            // One run after the other, for that is the order of locks.
            waiting.sort_by_key(|(claim, ..)| (claim.run, claim.document));
            while let Some((first, ..)) = waiting.first() {
                let run = first.run;
                let rest = waiting.split_off(waiting.partition_point(|(claim, ..)| claim.run <= run));
                keep(&engine, std::mem::replace(&mut waiting, rest)).await;
            }
        }
    };
    (Finisher(sender), work)
}

async fn keep(engine: &Engine, group: Vec<Done>) {
    let mut done = Vec::with_capacity(group.len());
    let mut answers = Vec::with_capacity(group.len());
    for (claim, found, answer) in group {
        done.push((claim, found));
        answers.push(answer);
    }
    match engine.store().complete_run_documents(&done).await {
        // Whoever does not listen any more has lost its lease, or was told to stop.
        Ok(held) => answers.into_iter().zip(held).for_each(|(answer, held)| drop(answer.send(Ok(held)))),
        Err(error) => {
            let failure = Failure::from(error);
            answers.into_iter().for_each(|answer| drop(answer.send(Err(failure.clone()))));
        }
    }
}
