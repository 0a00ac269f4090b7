//! Ways to group documents: which there are, what each wants to be told, and the bounds of that.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::batch::BatchParams;
use crate::failure::{Failure, FailureCode};
use crate::status::UnknownName;

/// The name of a way to group documents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MethodName {
    /// Communities of the neighbours' graph.
    #[default]
    Graph,
    /// K-means.
    KMeans,
    /// Dense regions; what lies between them fits nowhere.
    Dbscan,
    /// A mixture of normal distributions.
    Mixture,
    /// Groups joined from single documents, up to a threshold.
    Hierarchical,
}

impl MethodName {
    /// All of them; the usual one first.
    pub const ALL: [Self; 5] = [Self::Graph, Self::KMeans, Self::Dbscan, Self::Mixture, Self::Hierarchical];

    /// The name in the database, the API and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Graph => "graph",
            Self::KMeans => "kmeans",
            Self::Dbscan => "dbscan",
            Self::Mixture => "mixture",
            Self::Hierarchical => "hierarchical",
        }
    }

    /// Whether a parameter of this name means anything to it.
    pub fn takes(self, field: &str) -> bool {
        let fields: &[&str] = match self {
            Self::Graph => &[],
            Self::KMeans | Self::Mixture => &["clusters"],
            Self::Dbscan => &["similarity", "least"],
            Self::Hierarchical => &["similarity"],
        };
        fields.contains(&field)
    }

    /// The most documents that it takes; no bound when absent. A hierarchy keeps the distance of all pairs, DBSCAN a bit for
    /// each: 50 MB both at these sizes.
    pub const fn most_documents(self) -> Option<u64> {
        match self {
            Self::Graph | Self::KMeans | Self::Mixture => None,
            Self::Dbscan => Some(20_000),
            Self::Hierarchical => Some(5_000),
        }
    }

    /// Refuses more documents than the method takes.
    ///
    /// # Errors
    /// `invalid_request`.
    pub fn check_size(self, documents: u64) -> Result<(), Failure> {
        match self.most_documents() {
            Some(most) if documents > most => {
                let message = format!("{self} takes at most {most} documents, and there are {documents}");
                let hint = "Choose graph, kmeans or mixture, which take any number.";
                Err(Failure::new(FailureCode::InvalidRequest, message).with_hint(hint))
            }
            Some(_) | None => Ok(()),
        }
    }
}

impl fmt::Display for MethodName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for MethodName {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|m| m.name() == text).ok_or_else(|| UnknownName::new("method", text))
    }
}

/// A way to group documents with all that it wants to be told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// Leiden communities of the neighbours' graph; their number is found in the documents.
    #[default]
    Graph,
    /// So many groups around their centres.
    KMeans {
        /// Of groups.
        clusters: u32,
    },
    /// Groups of documents each of which has enough others near it, and what these reach.
    Dbscan {
        /// From which cosine similarity on documents are near, in percent.
        similarity: u32,
        /// How many documents, itself counted, must be near one for it to found a group.
        least: u32,
    },
    /// At most so many normal distributions.
    Mixture {
        /// Of distributions.
        clusters: u32,
    },
    /// Groups are joined as long as the mean similarity between two of them is high enough.
    Hierarchical {
        /// That similarity, a cosine in percent.
        similarity: u32,
    },
}

impl Method {
    /// Bounds of a similarity in percent.
    pub const SIMILARITY: std::ops::RangeInclusive<u32> = 1..=99;
    /// Bounds of the documents that must be near.
    pub const LEAST: std::ops::RangeInclusive<u32> = 2..=1000;
    /// The documents that must be near when nothing was said.
    pub const USUAL_LEAST: u32 = 5;

    /// Its name.
    pub const fn name(self) -> MethodName {
        match self {
            Self::Graph => MethodName::Graph,
            Self::KMeans { .. } => MethodName::KMeans,
            Self::Dbscan { .. } => MethodName::Dbscan,
            Self::Mixture { .. } => MethodName::Mixture,
            Self::Hierarchical { .. } => MethodName::Hierarchical,
        }
    }

    /// The method that parameters ask for. A number of clusters without a method means k-means.
    ///
    /// # Errors
    /// `invalid_request` when something is missing, out of bounds, or not a parameter of the method.
    pub fn of(params: &BatchParams) -> Result<Self, Failure> {
        let BatchParams { model: _, clusters, seed: _, method, similarity, least } = *params;
        let usual = if clusters.is_some() { MethodName::KMeans } else { MethodName::Graph };
        let name = method.unwrap_or(usual);
        let bounds = 2..=BatchParams::MAX_CLUSTERS;
        let found = match name {
            MethodName::Graph => Self::Graph,
            MethodName::KMeans => Self::KMeans { clusters: wanted(name, "clusters", clusters, &bounds)? },
            MethodName::Mixture => Self::Mixture { clusters: wanted(name, "clusters", clusters, &bounds)? },
            MethodName::Dbscan => Self::Dbscan {
                similarity: wanted(name, "similarity", similarity, &Self::SIMILARITY)?,
                least: wanted(name, "least", least.or(Some(Self::USUAL_LEAST)), &Self::LEAST)?,
            },
            MethodName::Hierarchical => {
                Self::Hierarchical { similarity: wanted(name, "similarity", similarity, &Self::SIMILARITY)? }
            }
        };
        let given = [("clusters", clusters), ("similarity", similarity), ("least", least)];
        match given.into_iter().find(|(field, value)| value.is_some() && !name.takes(field)) {
            Some((field, _)) => Err(Failure::new(FailureCode::InvalidRequest, format!("{name} takes no `{field}`"))
                .with_hint("Leave that field empty, or choose another method.")),
            None => Ok(found),
        }
    }
}

/// A parameter without which the method cannot be, within its bounds.
fn wanted(
    method: MethodName,
    field: &str,
    value: Option<u32>,
    bounds: &std::ops::RangeInclusive<u32>,
) -> Result<u32, Failure> {
    let (low, high) = (bounds.start(), bounds.end());
    let message = match value {
        Some(value) if bounds.contains(&value) => return Ok(value),
        Some(value) => format!("{field} is {value}; it must be between {low} and {high}"),
        None => format!("{method} wants `{field}`, between {low} and {high}"),
    };
    let failure = Failure::new(FailureCode::InvalidRequest, message);
    Err(match method {
        MethodName::KMeans => failure.with_hint("Leave the number empty to have it found, or give one in this range."),
        MethodName::Graph | MethodName::Dbscan | MethodName::Mixture | MethodName::Hierarchical => failure,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_say_which_method_or_what_is_wrong() {
        let check = |json: &str, expect: Result<Method, &str>| {
            let params: BatchParams = serde_json::from_str(json).expect("JSON");
            let found = Method::of(&params).map_err(|failure| failure.message);
            assert_eq!(found, expect.map_err(str::to_owned), "{json}");
        };
        check("{}", Ok(Method::Graph));
        check(r#"{"clusters":4}"#, Ok(Method::KMeans { clusters: 4 }));
        check(r#"{"method":"kmeans","clusters":4}"#, Ok(Method::KMeans { clusters: 4 }));
        check(r#"{"method":"mixture","clusters":4}"#, Ok(Method::Mixture { clusters: 4 }));
        check(r#"{"method":"dbscan","similarity":60}"#, Ok(Method::Dbscan { similarity: 60, least: 5 }));
        check(r#"{"method":"dbscan","similarity":60,"least":3}"#, Ok(Method::Dbscan { similarity: 60, least: 3 }));
        check(r#"{"method":"hierarchical","similarity":30}"#, Ok(Method::Hierarchical { similarity: 30 }));
        check(r#"{"clusters":1}"#, Err("clusters is 1; it must be between 2 and 1000"));
        check(r#"{"method":"mixture"}"#, Err("mixture wants `clusters`, between 2 and 1000"));
        check(r#"{"method":"dbscan"}"#, Err("dbscan wants `similarity`, between 1 and 99"));
        check(r#"{"method":"dbscan","similarity":100}"#, Err("similarity is 100; it must be between 1 and 99"));
        check(r#"{"method":"dbscan","similarity":9,"least":1}"#, Err("least is 1; it must be between 2 and 1000"));
        check(r#"{"method":"graph","clusters":4}"#, Err("graph takes no `clusters`"));
        check(r#"{"method":"hierarchical","similarity":9,"least":4}"#, Err("hierarchical takes no `least`"));
        check(r#"{"similarity":9}"#, Err("graph takes no `similarity`"));
    }

    #[test]
    fn what_was_recorded_before_there_were_methods_is_read_and_written_as_it_was() {
        let recorded = r#"{"model":"fast","clusters":4,"seed":7}"#;
        let params: BatchParams = serde_json::from_str(recorded).expect("JSON");
        assert_eq!(serde_json::to_string(&params).expect("JSON"), recorded);
    }

    #[test]
    fn some_methods_bound_the_number_of_documents() {
        assert!(MethodName::Hierarchical.check_size(5_000).is_ok());
        let failure = MethodName::Hierarchical.check_size(5_001).expect_err("too many");
        assert_eq!(failure.message, "hierarchical takes at most 5000 documents, and there are 5001");
        assert!(MethodName::Graph.check_size(10_000_000).is_ok());
    }
}
