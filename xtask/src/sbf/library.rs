//! Std's sources, with the two things changed that a program can't have.

use crate::failure::{Failure, Result};
use crate::files;
use std::path::{Path, PathBuf};

/// A change of one file of std.
struct Patch {
    file: &'static str,
    /// The changed text begins with this..
    from: &'static str,
    /// ..and ends with this.
    to: &'static str,
    with: &'static str,
}

const PATCHES: [Patch; 2] = [
    // The allocator's alignment on the architecture `bpf`; std has no line for it.
    Patch {
        file: "std/src/sys/alloc/mod.rs",
        from: "    target_arch = \"x86\",\n",
        to: "    target_arch = \"arm\",\n",
        with: "    target_arch = \"x86\",\n    target_arch = \"bpf\",\n    target_arch = \"arm\",\n",
    },
    // Hash keys come from a writable static, which a program can't have.
    Patch {
        file: "std/src/hash/random.rs",
        from: "        thread_local!(static KEYS",
        to: "            RandomState { k0, k1 }\n        })\n",
        with: "        RandomState { k0: 0, k1: 0 }\n",
    },
];

/// Returns the folder of the changed sources, made in `folder` from `source` when `version` is another one than the last.
///
/// # Errors
/// The sources don't have the text that is changed.
pub fn prepare(source: &Path, version: &str, folder: &Path) -> Result<PathBuf> {
    let (library, stamp) = (folder.join("library"), folder.join("library.version"));
    if std::fs::read_to_string(&stamp).is_ok_and(|last| last == version) {
        return Ok(library);
    }
    files::remove_folder(&library)?;
    files::copy_folder(source, &library)?;
    PATCHES.iter().try_for_each(|patch| apply(&library, patch))?;
    files::write(&stamp, version)?;
    Ok(library)
}

fn apply(library: &Path, patch: &Patch) -> Result<()> {
    let path = library.join(patch.file);
    let text = files::read_text(&path)?;
    let changed = replace(&text, patch).ok_or_else(|| {
        Failure::new(format!("`{}` of this rustc lacks the text to change", patch.file))
            .hint("adapt `xtask/src/sbf/library.rs` to the new version; rustc 1.96 is known to work")
    })?;
    files::write(&path, changed)
}

/// Returns the text with the patched part replaced, nothing if it has no such part.
fn replace(text: &str, patch: &Patch) -> Option<String> {
    let start = text.find(patch.from)?;
    let end = start + text[start..].find(patch.to)? + patch.to.len();
    Some(format!("{}{}{}", &text[..start], patch.with, &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patch_replaces_from_start_to_end() {
        let text = "a(\n    target_arch = \"x86\",\n    target_arch = \"arm\",\n    b\n";
        let changed = replace(text, &PATCHES[0]).unwrap();
        assert_eq!(
            changed,
            "a(\n    target_arch = \"x86\",\n    target_arch = \"bpf\",\n    target_arch = \"arm\",\n    b\n"
        );
    }

    #[test]
    fn patch_is_refused_when_the_text_is_another() {
        assert!(replace("fn new() -> RandomState", &PATCHES[1]).is_none());
    }
}
