//! The templates of guards that ship, with a world's keys put in.

use rampart_keeper::guard::file::GuardFile;
use rampart_keeper::guard::spec::{Key, OracleSpec, Part, RolesSpec, SourceSpec};
use rampart_tests::World;
use rampart_tests::oracles::Feeds;
use std::path::PathBuf;

/// Their names.
pub const TEMPLATES: [&str; 4] = ["sol", "btc", "stablecoin", "long-tail"];

/// Returns where a template lies.
pub fn template_path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../../deploy/guards/{name}.toml"))
}

/// Reads a template.
///
/// # Panics
/// If it is none.
pub fn template(name: &str) -> GuardFile {
    let text = std::fs::read_to_string(template_path(name)).expect("a template");
    GuardFile::read(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Puts the world's keys, mints and feeds where the template has its own.
///
/// # Panics
/// If the world has what the file has no word for.
pub fn filled(mut file: GuardFile, world: &World) -> GuardFile {
    file.guard.id = 2;
    file.roles = RolesSpec::of(&world.guard_state().roles).expect("known roles");
    for asset in &mut file.assets {
        let (mint, feeds) =
            if asset.name == "USDC" { (world.usdc, world.usdc_feeds) } else { (world.sol, world.sol_feeds) };
        asset.mint = Key(mint.mint);
        sources(&mut asset.oracle, &feeds);
    }
    file
}

fn sources(oracle: &mut OracleSpec, feeds: &Feeds) {
    let world = OracleSpec::of(&feeds.set()).expect("known sources");
    for (source, of) in oracle.sources.iter_mut().zip(world.sources) {
        let (max_age_secs, max_confidence_bps) = (source.max_age_secs, source.max_confidence_bps);
        *source = SourceSpec { max_age_secs, max_confidence_bps, ..of };
    }
}
