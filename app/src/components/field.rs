//! Fields of forms that are links too: what they hold is in the URL.

use leptos::html::Input;
use leptos::prelude::*;

/// A field that takes a value when that changes. What was typed before the script was there stays, which a bound property would
/// overwrite.
pub fn follows(value: impl Fn() -> Option<String> + 'static) -> NodeRef<Input> {
    let field = NodeRef::<Input>::new();
    Effect::new(move |before: Option<Option<String>>| {
        let now = value();
        if before.is_some_and(|before| before != now)
            && let Some(field) = field.get_untracked()
        {
            field.set_value(now.as_deref().unwrap_or_default());
        }
        now
    });
    field
}
