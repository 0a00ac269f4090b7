//! The parameters of an analysis, checked once.

use sheaf_domain::BatchParams;
use thiserror::Error;

/// How a batch is clustered.
#[derive(Clone, Debug, PartialEq)]
pub struct AnalyseParams {
    /// The number of clusters; found from the data when absent.
    pub clusters: Option<u32>,
    /// Seeds every random choice.
    pub seed: u64,
    /// Finer (above 1) or coarser (below 1) clusters than the data suggest; without effect when `clusters` is given.
    pub granularity: f64,
}

impl Default for AnalyseParams {
    fn default() -> Self {
        Self { clusters: None, seed: 0, granularity: 1.0 }
    }
}

/// Parameters that are within their bounds.
#[derive(Clone, Debug, PartialEq)]
pub struct ValidParams(AnalyseParams);

/// A parameter outside its bounds.
#[derive(Debug, Error, PartialEq)]
pub enum ParamsError {
    #[error("clusters is {0}; it must be between 1 and {max}", max = BatchParams::MAX_CLUSTERS)]
    Clusters(u32),
    #[error("granularity is {0}; it must be between 0.01 and 100")]
    Granularity(f64),
}

impl AnalyseParams {
    /// Checks the bounds of every parameter.
    ///
    /// # Errors
    /// Names the first parameter that is out of bounds.
    pub fn check(self) -> Result<ValidParams, ParamsError> {
        let Self { clusters, seed: _, granularity } = self;
        match clusters {
            Some(k) if !(1..=BatchParams::MAX_CLUSTERS).contains(&k) => return Err(ParamsError::Clusters(k)),
            Some(_) | None => {}
        }
        if !(0.01..=100.0).contains(&granularity) {
            return Err(ParamsError::Granularity(granularity));
        }
        Ok(ValidParams(self))
    }
}

impl ValidParams {
    /// The parameters.
    pub const fn get(&self) -> &AnalyseParams {
        &self.0
    }
}
