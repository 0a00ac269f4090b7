//! A server that speaks S3, in a thread of the test, so that it cannot outlive it. It can go away for a while.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::thread::JoinHandle;

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use tokio_util::sync::CancellationToken;

pub const BUCKET: &str = "sheaf";
pub const KEY: &str = "a-key";
pub const SECRET: &str = "a-secret";

/// Holds one empty bucket.
pub struct S3 {
    folder: tempfile::TempDir,
    address: SocketAddr,
    running: Option<(CancellationToken, JoinHandle<()>)>,
}

impl S3 {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::create_dir(folder.path().join(BUCKET)).expect("a bucket");
        let mut server = Self { folder, address: ([127, 0, 0, 1], 0).into(), running: None };
        server.resume();
        server
    }

    /// Comes back at the same address, with what it held.
    pub fn resume(&mut self) {
        let listener = TcpListener::bind(self.address).expect("the port is free");
        listener.set_nonblocking(true).expect("a listener for tokio");
        self.address = listener.local_addr().expect("bound");
        let (root, stop) = (self.folder.path().to_owned(), CancellationToken::new());
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
            runtime.expect("a runtime").block_on(serve(listener, root, stopped));
            // Dropping the runtime cuts every connection.
        });
        self.running = Some((stop, thread));
    }

    /// Cuts every connection and refuses new ones.
    pub fn pause(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            stop.cancel();
            thread.join().expect("it ends");
        }
    }

    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it holds, as files.
    pub fn bucket(&self) -> PathBuf {
        self.folder.path().join(BUCKET)
    }

    /// What a program needs to reach it.
    pub fn variables(&self) -> [(&'static str, String); 4] {
        [
            ("AWS_ENDPOINT_URL", self.endpoint()),
            ("AWS_ACCESS_KEY_ID", KEY.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", SECRET.to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
        ]
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        self.pause();
    }
}

async fn serve(listener: TcpListener, root: PathBuf, stop: CancellationToken) {
    let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
    let mut service = S3ServiceBuilder::new(FileSystem::new(root).expect("a folder"));
    service.set_auth(SimpleAuth::from_single(KEY, SECRET));
    let service = service.build();
    loop {
        let connection = tokio::select! {
            connection = listener.accept() => connection,
            () = stop.cancelled() => return,
        };
        let Ok((socket, _)) = connection else { continue };
        let service = service.clone();
        tokio::spawn(async move {
            // A connection that is cut is the client's to report.
            let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(socket), service).await;
        });
    }
}
