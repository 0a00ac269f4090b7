//! How the batch is called and analysed.

use leptos::prelude::*;
use sheaf_domain::{BatchParams, MethodName, OnError, Priority};

use crate::boxed::Boxed;
use crate::words;

/// The fields before the files, in the order in which the server reads them.
#[component]
pub fn Settings(disabled: Signal<bool>) -> impl IntoView {
    let choice = |value: &'static str, title: &'static str, text: &'static str, checked: bool| {
        view! {
            <label class="choice">
                <input type="radio" name="model" value=value checked=checked />
                <span class="choice-title">{title}</span>
                <span class="choice-text">{text}</span>
            </label>
        }
    };
    let on_error = |value: OnError| {
        let text = match value {
            OnError::Continue => "Go on with the others",
            OnError::FailAll => "Stop the batch",
        };
        let is_usual = value == OnError::default();
        view! {
            <label class="choice slim">
                <input type="radio" name="on_error" value=value.name() checked=is_usual />
                <span class="choice-title">{text}</span>
            </label>
        }
    };
    let priority = |value: Priority| {
        let is_usual = value == Priority::default();
        view! {
            <option value=value.name() selected=is_usual>
                {words::priority(value)}
            </option>
        }
    };
    let method = |value: MethodName| view! { <option value=value.name()>{words::method(value)}</option> };
    let number = |title: &'static str, name: &'static str, min: &'static str, max: u32, hint: &'static str| {
        view! {
            <label class="field">
                <span>{title}</span>
                <input type="number" name=name min=min max=max.to_string() placeholder=hint />
            </label>
        }
    };
    view! {
        <fieldset class="settings" disabled=disabled>
            <legend class="unseen">"The batch"</legend>
            <label class="field">
                <span>"Name"</span>
                <input type="text" name="name" maxlength="200" placeholder="Made from the date when empty" autocomplete="off" />
            </label>
            <fieldset class="choices">
                <legend>"Model"</legend>
                {choice("accurate", "Accurate", "Understands sentences; the better groups", true)}
                {choice("fast", "Fast", "Compares words; thousands of documents in seconds", false)}
            </fieldset>
            <details class="options">
                <summary>"Options"</summary>
                <fieldset class="choices">
                    <legend>"If a document fails"</legend>
                    {OnError::ALL.map(on_error)}
                </fieldset>
                <label class="field">
                    <span>"Priority"</span>
                    <select name="priority">{Priority::ALL.map(priority)}</select>
                </label>
                <label class="field">
                    <span>"Grouped by"</span>
                    <select name="method">
                        <option value="">"The usual method"</option>
                        {MethodName::ALL.map(method)}
                    </select>
                </label>
                {number("Number of clusters", "clusters", "2", BatchParams::MAX_CLUSTERS, "Found from the documents")}
                {number("Similarity in percent", "similarity", "1", 99, "For DBSCAN and hierarchical")}
                {number("Documents near one another", "least", "2", 1000, "For DBSCAN")}
                <label class="field">
                    <span>"Seed"</span>
                    <input type="number" name="seed" min="0" step="1" placeholder="0" />
                </label>
                <label class="field">
                    <span>"Passwords"</span>
                    <textarea
                        name="passwords"
                        rows="3"
                        autocomplete="off"
                        spellcheck="false"
                        placeholder="One on each line"
                    ></textarea>
                </label>
                <p class="fine">
                    "Tried on PDFs, Office files and ZIPs that ask for one. They are kept with the batch, on this machine only, and go with it."
                </p>
                <p class="fine">"The same documents with the same seed give the same clusters."</p>
            </details>
        </fieldset>
    }
    .boxed()
}
