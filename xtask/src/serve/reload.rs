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
        Ok(Self::accept(listener))
    }

    fn accept(listener: TcpListener) -> Self {
        let pages = Self::default();
        let open = pages.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if let Ok(page) = tungstenite::accept(stream) {
                    open.0.lock().unwrap_or_else(PoisonError::into_inner).push(page);
                }
            }
        });
        pages
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_open_page_is_told_to_reload() -> Result<()> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let pages = Pages::accept(listener);
        let (mut page, _) = tungstenite::client(format!("ws://{address}/live_reload"), TcpStream::connect(address)?)?;
        while pages.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty() {
            std::thread::sleep(Duration::from_millis(5));
        }
        pages.reload();
        assert_eq!(page.read()?.into_text()?.as_str(), r#"{"all":"reload"}"#);
        Ok(())
    }
}
