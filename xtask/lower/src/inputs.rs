//! Reads the bitcode that rustc hands to its linker.

use crate::Error;
use crate::ir::Module;
use std::io::Read;
use std::path::Path;

/// How bitcode begins.
const MAGIC: &[u8] = b"BC\xC0\xDE";

/// Links every object and every member of every library in `folder`, in the order of the file names.
///
/// # Errors
/// A file can't be read, isn't bitcode, or nothing is there.
pub fn link_folder(folder: &Path) -> Result<Module, Error> {
    let unreadable = |e| Error(format!("failed to read `{}`: {e}", folder.display()));
    let entries = std::fs::read_dir(folder).map_err(unreadable)?;
    let mut paths = entries.map(|e| e.map(|e| e.path())).collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
    paths.sort();
    let mut module = Module::empty();
    for path in &paths {
        link_file(&mut module, path)?;
    }
    if paths.is_empty() {
        return Err(Error(format!("`{}` holds no bitcode", folder.display())));
    }
    Ok(module)
}

fn link_file(module: &mut Module, path: &Path) -> Result<(), Error> {
    let name = path.display().to_string();
    let unreadable = |e| Error(format!("failed to read `{name}`: {e}"));
    let bytes = std::fs::read(path).map_err(unreadable)?;
    if path.extension().is_none_or(|e| e != "rlib") {
        return module.link_bitcode(&name, &bytes);
    }
    let mut archive = ar::Archive::new(&bytes[..]);
    while let Some(entry) = archive.next_entry() {
        let mut member = Vec::new();
        entry.map_err(unreadable)?.read_to_end(&mut member).map_err(unreadable)?;
        // The other members are the crate's metadata.
        if member.starts_with(MAGIC) {
            module.link_bitcode(&name, &member)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folder_is_refused_when_missing() {
        let error = link_folder(Path::new("no/such/folder")).err().unwrap();
        assert!(error.0.contains("no/such/folder"), "{error}");
    }
}
