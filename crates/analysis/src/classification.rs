//! Gives texts one of a set of labels: from the words of the labels alone, or from labelled examples too. Each decision
//! has a calibrated probability; a text that is near no label gets none.

mod adapt;
mod calibration;
mod label;
mod logistic;
mod validation;

mod classifier;

pub use adapt::LEAST_TEXTS;
pub use classifier::{
    Classifier, ClassifyError, Confidence, Decision, Example, NONE_BELOW, Prepared, TRAINED_EXAMPLES,
};
pub use label::Label;
pub use validation::Validation;
