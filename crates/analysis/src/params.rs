//! The parameters of an analysis, checked once.

use sheaf_domain::{BatchParams, Method};
use thiserror::Error;

/// How a batch is clustered.
#[derive(Clone, Debug, PartialEq)]
pub struct AnalyseParams {
    /// The way to group.
    pub method: Method,
    /// Seeds every random choice.
    pub seed: u64,
    /// Finer (above 1) or coarser (below 1) clusters than the data suggest; of the method graph only.
    pub granularity: f64,
    /// Whether documents get their places on the map; without it all stand in its middle.
    pub map: bool,
}

impl Default for AnalyseParams {
    fn default() -> Self {
        Self { method: Method::Graph, seed: 0, granularity: 1.0, map: true }
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
    #[error("similarity is {0}; it must be between {low} and {high} percent", low = Method::SIMILARITY.start(), high = Method::SIMILARITY.end())]
    Similarity(u32),
    #[error("least is {0}; it must be between {low} and {high}", low = Method::LEAST.start(), high = Method::LEAST.end())]
    Least(u32),
    #[error("granularity is {0}; it must be between 0.01 and 100")]
    Granularity(f64),
}

impl AnalyseParams {
    /// Checks the bounds of every parameter.
    ///
    /// # Errors
    /// Names the first parameter that is out of bounds.
    pub fn check(self) -> Result<ValidParams, ParamsError> {
        let Self { method, seed: _, granularity, map: _ } = self;
        match method {
            Method::KMeans { clusters } | Method::Mixture { clusters }
                if !(1..=BatchParams::MAX_CLUSTERS).contains(&clusters) =>
            {
                return Err(ParamsError::Clusters(clusters));
            }
            Method::Dbscan { similarity, .. } | Method::Hierarchical { similarity }
                if !Method::SIMILARITY.contains(&similarity) =>
            {
                return Err(ParamsError::Similarity(similarity));
            }
            Method::Dbscan { least, .. } if !Method::LEAST.contains(&least) => return Err(ParamsError::Least(least)),
            Method::Graph
            | Method::KMeans { .. }
            | Method::Mixture { .. }
            | Method::Dbscan { .. }
            | Method::Hierarchical { .. } => {}
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
