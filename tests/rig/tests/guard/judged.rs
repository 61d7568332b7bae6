//! A proposal and the lab's report of it: the vault of a template, as its file and as the chain has it.

use crate::desk::{Desk, ripen};
use crate::plan::write;
use rampart_client::{Pubkey, address};
use rampart_keeper::cli::guard::Answer;
use rampart_keeper::cli::{self, Command};
use rampart_keeper::error::KeeperError;
use rampart_keeper::guard::file::GuardFile;
use rampart_keeper::guard::played;
use rampart_lab::validate::{Config, Verdict};
use rampart_rig::templates::{filled, template};
use rampart_tests::World;

/// The template for SOL on the desk's chain, with its scale as the file has it.
struct Governed {
    desk: Desk,
    file: GuardFile,
    root: String,
}

impl Governed {
    async fn new() -> Self {
        let desk = Desk::new().await;
        let (root, file) = (desk.root(), desk.world(|world| filled(template("sol"), world)));
        let path = write(&desk, &file);
        desk.guard(&["apply", &path, "--yes", "--signer", &root]).await.expect("all land");
        ripen(&desk);
        desk.settle().await;
        let governed = Self { desk, file, root };
        governed.ask(&["execute", "0"]).await.expect("the scale is ripe");
        governed.desk.settle().await;
        governed
    }

    async fn ask(&self, words: &[&str]) -> Result<Answer, KeeperError> {
        let guard = self.file.address().to_string();
        self.desk.guard(&[words, &["--guard", &guard, "--signer", &self.root]].concat()).await
    }

    fn vault(&self) -> Pubkey {
        self.desk.world(|world: &mut World| address::vault(&self.file.address(), &world.sol.mint, &world.usdc.mint))
    }

    /// Asserts that a proposal is refused, that the change isn't there and that nothing was sent.
    async fn assert_refused(&self, words: &[&str], error: &str, hint: &str) {
        let sends = self.desk.scene.chain.state().sends.len();
        let failure = self.ask(words).await.expect_err("a refusal");
        assert_eq!((failure.to_string().as_str(), failure.hint().as_str()), (error, hint));
        assert_eq!(self.desk.scene.chain.state().sends.len(), sends, "nothing was sent");
        assert!(!self.desk.world(|world| world.exists(&address::change(&self.file.address(), 1))));
    }

    /// Lets the lab judge a configuration, from the command line.
    async fn judge(&self, file: &str, report: &str) -> Result<(), KeeperError> {
        let words = ["rampart", "lab", "validate", file, "--without-data", "--draws", "1", "--out", report];
        let cli = cli::parse(words.map(Into::into)).unwrap_or_else(|(error, _)| panic!("{error}"));
        assert!(matches!(cli.command, Command::Lab { .. }));
        cli.execute().await
    }

    fn path(&self, name: &str) -> String {
        self.desk.path(name).display().to_string()
    }
}

fn verdict(path: &str) -> Verdict {
    serde_json::from_slice(&std::fs::read(path).expect("a report")).expect("a verdict")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn report_of_what_the_vault_becomes_is_noted_and_of_anything_else_refused() {
    let governed = Governed::new().await;
    let (vault, dir) = (governed.vault(), governed.path("lab"));
    let propose = ["propose", "vault-risk", "ltv_bps=6900", "target_ltv_bps=6900"];
    let told = governed.ask(&[&propose[..], &["--lab", &dir]].concat()).await.expect("files");
    let (next, today) = (format!("{dir}/{vault}.toml"), format!("{dir}/{vault}.today.toml"));
    assert!(told.text.contains(&format!("rampart lab validate {next} --against {today}")), "{}", told.text);

    // the file that governance keeps says the same as the chain
    let mut file = governed.file.clone();
    let hash_of = |file: &GuardFile| {
        let path = write(&governed.desk, file);
        played::read(path.as_ref(), None).expect("it is played").sha256()
    };
    assert_eq!(hash_of(&file), Config::load(today.as_ref()).expect("today's").sha256());
    (file.vaults[0].risk.ltv_bps, file.vaults[0].risk.target_ltv_bps) = (6_900, 6_900);
    let wanted = hash_of(&file);
    assert_eq!(told.data[0]["config_sha256"], serde_json::json!(wanted));

    let (right, of_today, failed) =
        (governed.path("right.json"), governed.path("today.json"), governed.path("failed.json"));
    governed.judge(&write(&governed.desk, &file), &right).await.expect("it passes");
    governed.judge(&today, &of_today).await.expect("it passes");
    let bare = std::fs::read_to_string(&next).expect("a file").replace("max_bad_debt_bps = 1", "max_bad_debt_bps = -1");
    std::fs::write(governed.path("bare.toml"), bare).expect("a file");
    governed.judge(&governed.path("bare.toml"), &failed).await.expect_err("it fails");
    assert_eq!(verdict(&right).config_sha256, wanted);

    let with = |report: &str, more: &[&str]| {
        let words = [&propose[..], &["--validate", report], more].concat();
        words.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let refuse = async |report: &str, more: &[&str], error: &str, hint: &str| {
        let words = with(report, more);
        governed.assert_refused(&words.iter().map(String::as_str).collect::<Vec<_>>(), error, hint).await;
    };
    let other = verdict(&of_today);
    refuse(
        &of_today,
        &["--accept-skipped"],
        &format!(
            "no report is of vault {vault} after this change: its configuration becomes {wanted}, and `{vault}` is of {}",
            other.config_sha256
        ),
        "the same proposal with `--lab DIR` writes what is to be judged, `rampart lab validate DIR/VAULT.toml --out FILE` judges it",
    )
    .await;
    refuse(
        &failed,
        &[],
        &format!("report `{failed}` says that `{vault}` failed"),
        &format!("mend what failed and validate again; `--report {}` notes it all the same", verdict(&failed).hash()),
    )
    .await;
    refuse(
        &right,
        &[],
        &format!("the report of `SOL/USDC` has not met {}", verdict(&right).skipped.join("; ")),
        "validate again with recorded markets (`--data DIR`), or take it as it is: `--accept-skipped`",
    )
    .await;

    let sends = governed.desk.scene.chain.state().sends.len();
    let words = with(&right, &["--accept-skipped"]);
    governed.ask(&words.iter().map(String::as_str).collect::<Vec<_>>()).await.expect("it lands");
    assert!(governed.desk.world(|world| world.exists(&address::change(&governed.file.address(), 1))));
    let state = governed.desk.scene.chain.state();
    let sent: solana_sdk::transaction::Transaction =
        bincode::deserialize(&state.sends[sends].bytes).expect("a transaction");
    let note = format!("rampart guard {} change 1 report sha256:{}", governed.file.address(), verdict(&right).hash());
    assert_eq!(sent.message.instructions.iter().filter(|ix| ix.data == note.as_bytes()).count(), 1, "{note}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn change_that_the_lab_plays_no_part_of_is_refused_with_a_report() {
    let governed = Governed::new().await;
    let report = governed.path("report.json");
    let passed = r#"{"cases":[],"config_sha256":"ab","data":{},"draws":1,"failed":[],"is_passed":true,"mean_bad_debt_bps":0.0,"name":"sol","seed":1,"skipped":[],"unplayed":[],"against":null}"#;
    std::fs::write(&report, passed).expect("a file");
    let by_itself = "propose that by itself, without `--validate`";
    let fields = [
        (&["vault-limits", "supply_cap_amount=21000000000000"][..], "`supply_cap_amount`"),
        (&["vault-scale", "cap.calm_bps=6900", "volatility.calm_bps=400"], "`cap.calm_bps`"),
        (
            &["vault-limits", "loan_flow.hourly_bps=2100", "collateral_flow.hourly_bps=2100"],
            "`collateral_flow.hourly_bps`",
        ),
    ];
    for (edits, field) in fields {
        let words = [&["propose"][..], edits, &["--validate", &report]].concat();
        let error = format!("the lab plays no part of {field}, so that no report says anything about it");
        governed.assert_refused(&words, &error, by_itself).await;
    }
    let rule = |id| address::rule(&governed.file.address(), id).to_string();
    // keepers' median, which nobody reports to the pool
    let words = ["propose", "rule", "threshold=3100", "--target", &rule(6), "--validate", &report];
    let error = "the lab plays no part of `threshold`, so that no report says anything about it";
    governed.assert_refused(&words, error, by_itself).await;
    let without = "propose it without `--validate`; `--report HASH` notes what else it was judged by";
    let loan = governed.desk.world(|world| address::asset(&governed.file.address(), &world.usdc.mint));
    let words = ["propose", "rule", "threshold=210", "--target", &rule(5), "--validate", &report];
    let error =
        format!("the lab can't judge this: {loan} is no collateral of a vault, and a loan stands for a dollar there");
    governed.assert_refused(&words, &error, without).await;
    let words = ["propose", "delay", "loosen_delay_secs=259200", "--validate", &report];
    let error = "the lab can't judge `delay`: it plays lines, outflow limits, scale and rules of a vault, and its collateral's prices";
    governed.assert_refused(&words, error, without).await;
    let words = ["tighten", "vault-risk", "ltv_bps=6900", "--validate", &report];
    let error = "what gets tighter at once is judged by nobody before, and notes no report";
    let hint = "leave `--report`, `--validate` and `--lab` out, or `rampart guard propose` it";
    governed.assert_refused(&words, error, hint).await;
}
