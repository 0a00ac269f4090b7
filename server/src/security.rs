//! What keeps other sites and hostile documents out: who may send requests, and what a page may do.

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{
    CONTENT_SECURITY_POLICY, HOST, HeaderName, HeaderValue, ORIGIN, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use http::uri::Authority;
use http::{HeaderMap, Method};
use leptos::nonce::use_nonce;
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;
use sheaf_domain::{Failure, FailureCode};

use crate::http::failure::HttpFailure;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// For everything that is not a page: nothing in it may run, load or be framed.
const INERT: &str = "default-src 'none'; frame-ancestors 'none'; sandbox";

/// Refuses requests that other sites make, by name tricks (DNS rebinding) or in the user's browser (CSRF).
pub async fn own_site_only(request: Request<Body>, next: Next) -> Response {
    match refusal(request.method(), request.headers()) {
        Some(failure) => HttpFailure(failure).into_response(),
        None => next.run(request).await,
    }
}

fn refusal(method: &Method, headers: &HeaderMap) -> Option<Failure> {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if !is_this_machine(host) {
        let message = "the request is not addressed to this machine";
        return Some(Failure::new(FailureCode::ForeignHost, message));
    }
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return None;
    }
    // Browsers send at least one of these with every request that can change something; other programs neither.
    let from_here = match (headers.get(SEC_FETCH_SITE), headers.get(ORIGIN)) {
        (Some(site), _) => matches!(site.as_bytes(), b"same-origin" | b"none"),
        (None, Some(origin)) => origin.as_bytes() == format!("http://{host}").as_bytes(),
        (None, None) => true,
    };
    (!from_here).then(|| Failure::new(FailureCode::CrossSite, "the request came from another site"))
}

/// Whether a `Host` names the loopback interface, whatever the port.
fn is_this_machine(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let name = authority.host().trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Headers for every response. Pages have a policy of their own already.
pub async fn safe_headers(request: Request<Body>, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(INERT));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    response
}

/// Gives the page that is being rendered its policy: only scripts that carry this request's nonce run, and what they
/// load; styles, images and connections come from here only. A developer's page also listens for reloads.
pub fn set_page_policy() {
    let (Some(nonce), Some(response)) = (use_nonce(), use_context::<ResponseOptions>()) else { return };
    let watch = if std::env::var_os("LEPTOS_WATCH").is_some() { " ws://127.0.0.1:3001" } else { "" };
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; \
         style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; font-src 'self'; connect-src 'self'{watch}; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.insert_header(CONTENT_SECURITY_POLICY, policy);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(method: Method, headers: &[(&'static str, &'static str)]) -> Option<FailureCode> {
        let headers = headers
            .iter()
            .map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        refusal(&method, &headers).map(|failure| failure.code)
    }

    #[test]
    fn only_this_machine_is_addressed() {
        for host in ["localhost:3000", "127.0.0.1:3000", "[::1]:3000", "LOCALHOST", "127.9.9.9"] {
            assert_eq!(code(Method::GET, &[("host", host)]), None, "{host}");
        }
        for host in ["evil.example:3000", "127.0.0.1.evil.example", "192.168.1.2", "", "localhost.evil.example"] {
            assert_eq!(code(Method::GET, &[("host", host)]), Some(FailureCode::ForeignHost), "{host}");
        }
    }

    #[test]
    fn changes_come_from_the_own_site_or_from_no_browser() {
        let host = ("host", "localhost:3000");
        let check = |headers: &[(&'static str, &'static str)], expect| {
            let headers: Vec<_> = std::iter::once(host).chain(headers.iter().copied()).collect();
            assert_eq!(code(Method::POST, &headers), expect, "{headers:?}");
        };
        check(&[], None);
        check(&[("sec-fetch-site", "same-origin")], None);
        check(&[("sec-fetch-site", "cross-site")], Some(FailureCode::CrossSite));
        check(&[("sec-fetch-site", "same-site")], Some(FailureCode::CrossSite));
        check(&[("origin", "http://localhost:3000")], None);
        check(&[("origin", "http://localhost:3001")], Some(FailureCode::CrossSite));
        check(&[("origin", "null")], Some(FailureCode::CrossSite));
        check(&[("sec-fetch-site", "cross-site"), ("origin", "http://localhost:3000")], Some(FailureCode::CrossSite));
    }
}
