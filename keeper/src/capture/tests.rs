use super::*;
use crate::config::Config;
use crate::metrics::Metrics;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

fn config() -> Config {
    toml::from_str(
        "[cluster]\nrpc_url = \"http://127.0.0.1:1\"\nguard = \"11111111111111111111111111111111\"\n\
         [keeper]\nname = \"k\"\nstate_dir = \"s\"\n[keys]\npayer_file = \"p\"\n",
    )
    .expect("settings")
}

fn write(path: &Path, text: &str) {
    let mut file = GzEncoder::new(File::create(path).expect("a file"), Compression::fast());
    file.write_all(text.as_bytes()).expect("a write");
    file.finish().expect("an end");
}

fn read(path: &Path) -> String {
    let mut text = String::new();
    GzDecoder::new(File::open(path).expect("the file")).read_to_string(&mut text).expect("whole");
    text
}

fn replayed(path: &Path) -> Result<Summary, CaptureError> {
    replay(path, |_| {})
}

#[test]
fn older_recording_is_moved_aside_and_the_new_one_is_for_the_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("capture.gz");
    std::fs::write(&path, "older").expect("a file");
    drop(Recorder::start(&path, &config(), Metrics::new()).expect("a recording"));
    assert_eq!(std::fs::metadata(&path).expect("the file").permissions().mode() & 0o777, 0o600);
    assert!(read(&path).starts_with("{\"frame\":\"header\",\"version\":1,"), "{}", read(&path));
    let names: Vec<_> =
        std::fs::read_dir(dir.path()).expect("files").map(|file| file.expect("a file").path()).collect();
    let aside = names.iter().find(|name| **name != path).expect("the older one");
    assert_eq!(std::fs::read_to_string(aside).expect("the older one"), "older");
}

#[test]
fn recording_stops_at_its_largest_size() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("capture.gz");
    let mut config = config();
    config.capture.max_bytes = 1;
    let recorder = Recorder::start(&path, &config, Metrics::new()).expect("a recording");
    for byte in 0..64 {
        recorder.record(Frame::reindex(solana_sdk::pubkey::Pubkey::new_from_array([byte; 32])));
    }
    drop(recorder);
    // whatever was written before the bound was seen is whole
    assert!(replayed(&path).is_ok());
}

#[test]
fn torn_end_is_the_end_and_anything_else_that_is_wrong_is_named() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("capture.gz");
    let header = "{\"frame\":\"header\",\"version\":1,\"keeper\":\"0\",\"guard\":\"11111111111111111111111111111111\",\"patience_slots\":null}\n";
    write(&path, &format!("{header}{{\"frame\":\"lis"));
    assert_eq!(replayed(&path).expect("torn"), Summary { frames: 1, is_torn: true, ..Summary::default() });
    let whole = std::fs::read(&path).expect("the file");
    std::fs::write(&path, &whole[..whole.len() - 10]).expect("a torn file");
    assert!(replayed(&path).expect("torn").is_torn);
    write(&path, &format!("{header}{{\"frame\":\"dance\"}}\n"));
    assert!(matches!(replayed(&path), Err(CaptureError::Frame { frame: 1, .. })));
    write(&path, &header.replace("\"version\":1", "\"version\":2"));
    assert!(matches!(replayed(&path), Err(CaptureError::Version { found: 2, known: 1, .. })));
    write(&path, "{\"frame\":\"lost\",\"frames\":1}\n");
    assert!(matches!(replayed(&path), Err(CaptureError::Frame { frame: 0, .. })));
    write(&path, &format!("{header}{{\"frame\":\"lost\",\"frames\":7}}\n{{\"frame\":\"dance\"}}\n"));
    assert_eq!(replayed(&path).expect("it ends there").lost, 7);
    std::fs::write(&path, "no gzip").expect("a file");
    assert!(matches!(replayed(&path), Err(CaptureError::Read { .. })));
}
