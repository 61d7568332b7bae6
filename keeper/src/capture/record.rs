//! Writes a recording, on a thread of its own.

use super::{CaptureError, Frame, Header, VERSION};
use crate::config::{Config, Mode};
use crate::metrics::{Metrics, OnlyResultLabel};
use crate::run::OBSERVE_PATIENCE_SLOTS;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Frames that may wait for the disk.
const BACKLOG: usize = 65_536;
/// What a crash may lose at most.
const FLUSH: Duration = Duration::from_secs(1);

/// Takes frames; the file ends when it is dropped.
pub struct Recorder {
    frames: Option<SyncSender<Frame>>,
    lost: Arc<AtomicU64>,
    metrics: Metrics,
    writer: Option<JoinHandle<()>>,
}

impl Recorder {
    /// Starts a recording. A file that exists is moved aside, never overwritten.
    ///
    /// # Errors
    /// `Write`.
    pub fn start(path: &Path, config: &Config, metrics: Metrics) -> Result<Self, CaptureError> {
        let failed = |source| CaptureError::Write { path: path.to_owned(), source };
        set_aside(path).map_err(failed)?;
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
        let (frames, receiver) = sync_channel(BACKLOG);
        let lost = Arc::<AtomicU64>::default();
        let header = Header {
            version: VERSION,
            keeper: env!("CARGO_PKG_VERSION").to_owned(),
            guard: config.cluster.guard,
            patience_slots: (config.keeper.mode == Mode::Observe).then_some(OBSERVE_PATIENCE_SLOTS),
        };
        let mut writer = Writer {
            path: path.to_owned(),
            file: GzEncoder::new(Counted { file, written: 0 }, Compression::fast()),
            max_bytes: config.capture.max_bytes,
            lost: lost.clone(),
            metrics: metrics.clone(),
        };
        writer.put(&Frame::Header(header)).map_err(failed)?;
        let handle = std::thread::Builder::new().name("capture".into()).spawn(move || writer.run(&receiver));
        Ok(Self { frames: Some(frames), lost, metrics, writer: Some(handle.map_err(failed)?) })
    }

    /// Hands a frame over. Never waits: a full backlog loses the frame and counts it.
    pub fn record(&self, frame: Frame) {
        let Some(frames) = &self.frames else { return };
        if let Err(TrySendError::Full(_)) = frames.try_send(frame) {
            self.lost.fetch_add(1, Ordering::Relaxed);
            self.metrics.capture_frames.get_or_create(&OnlyResultLabel { result: "lost" }).inc();
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        drop(self.frames.take());
        // A writer that panicked has told so.
        let _ = self.writer.take().map(JoinHandle::join);
    }
}

/// Moves an older recording aside, under the time of its last change.
fn set_aside(path: &Path) -> io::Result<()> {
    let Ok(found) = fs::metadata(path) else { return Ok(()) };
    let at = found.modified()?.duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_millis();
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{at}"));
    fs::rename(path, PathBuf::from(name))
}

struct Counted {
    file: File,
    written: u64,
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.written += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

struct Writer {
    path: PathBuf,
    file: GzEncoder<Counted>,
    max_bytes: u64,
    lost: Arc<AtomicU64>,
    metrics: Metrics,
}

impl Writer {
    fn run(mut self, frames: &Receiver<Frame>) {
        if let Err(error) = self.write_all(frames) {
            tracing::error!(file = %self.path.display(), "the recording ended: {error}");
        }
        if let Err(error) = self.file.try_finish() {
            tracing::error!(file = %self.path.display(), "the recording has no end: {error}");
        }
    }

    fn write_all(&mut self, frames: &Receiver<Frame>) -> io::Result<()> {
        loop {
            match frames.recv_timeout(FLUSH) {
                Ok(frame) => self.put(&frame)?,
                Err(RecvTimeoutError::Timeout) => self.file.flush()?,
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            let lost = self.lost.swap(0, Ordering::Relaxed);
            if lost > 0 {
                self.put(&Frame::Lost { frames: lost })?;
            }
            if self.file.get_ref().written >= self.max_bytes {
                return Err(io::Error::other("it reached `capture.max_bytes`"));
            }
        }
    }

    fn put(&mut self, frame: &Frame) -> io::Result<()> {
        serde_json::to_writer(&mut self.file, frame)?;
        self.file.write_all(b"\n")?;
        self.metrics.capture_frames.get_or_create(&OnlyResultLabel { result: "written" }).inc();
        Ok(())
    }
}
