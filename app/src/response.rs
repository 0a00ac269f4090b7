//! The HTTP status of the page that is being rendered. In the browser there is none to set.

#[cfg(feature = "ssr")]
mod on_server {
    use leptos::prelude::use_context;
    use leptos_axum::ResponseOptions;
    use sheaf_domain::FailureCode;

    /// Answers the request with the status that belongs to `code`.
    pub fn set_status(code: FailureCode) {
        let status = code.http_status().try_into().ok();
        if let (Some(response), Some(status)) = (use_context::<ResponseOptions>(), status) {
            response.set_status(status);
        }
    }
}

#[cfg(not(feature = "ssr"))]
mod in_browser {
    use sheaf_domain::FailureCode;

    /// The page is already there.
    pub fn set_status(_code: FailureCode) {}
}

#[cfg(not(feature = "ssr"))]
pub use in_browser::set_status;
#[cfg(feature = "ssr")]
pub use on_server::set_status;
