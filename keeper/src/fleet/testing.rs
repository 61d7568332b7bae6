//! For tests: a real etcd on this machine, and a way to cut one member off from it.
//!
//! Stands alone, so that the tests of other packages include the file by its path.

use std::io;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How often a condition is asked for, and how long between.
const ASKS: u32 = 600;
const PAUSE: Duration = Duration::from_millis(50);

/// Waits until `is_true`; panics after half a minute.
pub async fn until(what: &str, mut is_true: impl AsyncFnMut() -> bool) {
    for _ in 0..ASKS {
        if is_true().await {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
    panic!("{what}: not within {:?}", PAUSE * ASKS);
}

/// An etcd of one node.
pub struct Etcd {
    binary: PathBuf,
    child: Option<Child>,
    ports: [u16; 3],
    /// Further flags; with any of them its clients speak TLS.
    tls: Vec<String>,
    dir: tempfile::TempDir,
}

impl Etcd {
    /// Starts one on free ports; nothing, with the reason printed, where etcd is not installed.
    pub async fn start() -> Option<Self> {
        Self::start_with(Vec::new()).await
    }

    /// Starts one whose clients speak TLS, by these flags.
    pub async fn start_with(tls: Vec<String>) -> Option<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let Some(binary) = std::env::split_paths(&path).map(|dir| dir.join("etcd")).find(|file| file.is_file()) else {
            eprintln!("skipped: there is no etcd (Debian: apt-get install --no-install-recommends etcd-server)");
            return None;
        };
        let dir = tempfile::tempdir().expect("a directory");
        let mut etcd = Self { binary, child: None, ports: free_ports(), tls, dir };
        etcd.resume().await;
        Some(etcd)
    }

    /// Returns the port of its clients.
    pub const fn port(&self) -> u16 {
        self.ports[0]
    }

    /// Kills it.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().and_then(|()| child.wait()).expect("etcd ends");
        }
    }

    /// Starts it again on what it has on disk, and waits until it answers.
    pub async fn resume(&mut self) {
        let [clients, peers, health] = self.ports.map(|port| format!("http://127.0.0.1:{port}"));
        let clients = if self.tls.is_empty() { clients } else { clients.replacen("http", "https", 1) };
        let log = std::fs::File::options().create(true).append(true).open(self.dir.path().join("log")).expect("a log");
        let child = Command::new(&self.binary)
            .args(["--name", "one", "--data-dir"])
            .arg(self.dir.path().join("data"))
            .args(["--listen-client-urls", &clients, "--advertise-client-urls", &clients])
            .args(["--listen-peer-urls", &peers, "--initial-advertise-peer-urls", &peers])
            .args(["--initial-cluster", &format!("one={peers}"), "--listen-metrics-urls", &health])
            .args(&self.tls)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        self.child = Some(child.expect("etcd starts"));
        until("etcd is healthy", async || self.is_healthy().await).await;
    }

    async fn is_healthy(&self) -> bool {
        request(self.ports[2], "GET", "/health", "").await.is_ok_and(|answer| answer.contains("\"true\""))
    }
}

impl Drop for Etcd {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Asks etcd's gateway, and returns the whole answer.
pub async fn request(port: u16, method: &str, path: &str, body: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let length = body.len();
    let head = format!("{method} {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\nContent-Length: {length}\r\n\r\n{body}");
    stream.write_all(head.as_bytes()).await?;
    let mut answer = String::new();
    let read = tokio::time::timeout(Duration::from_secs(2), stream.read_to_string(&mut answer)).await;
    read.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    Ok(answer)
}

fn free_ports() -> [u16; 3] {
    let listeners = [(); 3].map(|()| std::net::TcpListener::bind("127.0.0.1:0").expect("a port"));
    listeners.map(|listener| listener.local_addr().expect("an address").port())
}

/// A way to etcd that can be closed. While it is, bytes neither pass nor are they refused, as in a partition.
pub struct Gate {
    port: u16,
    is_open: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Gate {
    /// Opens a way to `to` on this machine.
    pub async fn open(to: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let is_open = watch::Sender::new(true);
        let watched = is_open.subscribe();
        let task = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(carry(near, to, watched.clone()));
            }
        });
        Self { port, is_open, task }
    }

    /// Returns the port of its near end.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Opens or closes it.
    pub fn set(&self, is_open: bool) {
        self.is_open.send_replace(is_open);
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(near: TcpStream, to: u16, mut is_open: watch::Receiver<bool>) {
    if is_open.wait_for(|open| *open).await.is_err() {
        return;
    }
    let Ok(far) = TcpStream::connect(("127.0.0.1", to)).await else { return };
    let ((near_read, near_write), (far_read, far_write)) = (near.into_split(), far.into_split());
    tokio::select! {
        () = pass(near_read, far_write, is_open.clone()) => {}
        () = pass(far_read, near_write, is_open) => {}
    }
}

async fn pass(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    mut is_open: watch::Receiver<bool>,
) {
    let mut bytes = vec![0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        if is_open.wait_for(|open| *open).await.is_err() || to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}
