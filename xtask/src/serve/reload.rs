//! Tells open pages to reload, over the web socket that Leptos' `AutoReload` connects to. Loopback only.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use tungstenite::{Message, WebSocket};

/// The pages that are open.
#[derive(Clone, Default)]
pub struct Pages(Arc<Mutex<Vec<WebSocket<TcpStream>>>>);

impl Pages {
    pub fn listen(port: u16) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .with_context(|| format!("port {port} is taken; it is needed for reloading"))?;
        let pages = Self::default();
        let open = pages.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if let Ok(page) = tungstenite::accept(stream) {
                    open.0.lock().unwrap_or_else(PoisonError::into_inner).push(page);
                }
            }
        });
        Ok(pages)
    }

    /// Each page connects anew once it has loaded, so all of them are let go.
    pub fn reload(&self) {
        for mut page in self.0.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            // A page that was closed meanwhile needs no reload.
            let _ = page.send(Message::text(r#"{"all":"reload"}"#));
            let _ = page.close(None);
            let _ = page.flush();
        }
    }
}
