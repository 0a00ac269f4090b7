//! What a page says once after a plain form was sent. It travels in a cookie that the page takes away again, so that it is
//! said without JavaScript, by whichever process answers next, and is gone after a reload.

use http::header::{COOKIE, HeaderValue, SET_COOKIE};
use http::request::Parts;
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;
use serde::{Deserialize, Serialize};
use sheaf_domain::{Failure, NewWebhook};

/// What came of a form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// With the secret, which is not shown again.
    Added(NewWebhook),
    Failed(Failure),
}

/// The name of the cookie, and where it is sent.
const NAME: &str = "sheaf-notice";
const SCOPE: &str = "Path=/webhooks; HttpOnly; SameSite=Strict";

impl Notice {
    /// The value of a `Set-Cookie` header that keeps it for the next page, at most a minute.
    pub fn cookie(&self) -> String {
        let json = serde_json::to_vec(self).unwrap_or_default();
        format!("{NAME}={}; Max-Age=60; {SCOPE}", hex::encode(json))
    }

    /// The notice that came with the request for the page that is being rendered; it does not come again.
    pub fn take() -> Option<Self> {
        let (parts, response) = (use_context::<Parts>()?, use_context::<ResponseOptions>()?);
        let notice = parts.headers.get_all(COOKIE).iter().find_map(|cookies| Self::read(cookies.to_str().ok()?))?;
        let gone = HeaderValue::from_str(&format!("{NAME}=; Max-Age=0; {SCOPE}")).ok()?;
        response.append_header(SET_COOKIE, gone);
        Some(notice)
    }

    fn read(cookies: &str) -> Option<Self> {
        let value = cookies.split(';').find_map(|cookie| cookie.trim().strip_prefix(NAME)?.strip_prefix('='))?;
        serde_json::from_slice(&hex::decode(value).ok()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use sheaf_domain::{Failure, FailureCode};

    use super::*;

    #[test]
    fn a_notice_survives_its_cookie() {
        let notice = Notice::Failed(Failure::new(FailureCode::InvalidRequest, "„so“; a=b\r\n"));
        let cookie = notice.cookie();
        assert!(HeaderValue::from_str(&cookie).is_ok());
        let sent = format!("other=1; {}", cookie.split(';').next().expect("a value"));
        assert_eq!(Notice::read(&sent), Some(notice));
        assert_eq!(Notice::read("sheaf-notice=zz; x=1"), None);
    }
}
