//! The program's deployment: through the chain's own loader, cut off, taken up, done twice, and by hands that may not.

use crate::desk::Desk;
use crate::plan::write;
use rampart_client::Pubkey;
use rampart_keeper::chain::rpc::Rpc;
use rampart_keeper::cli::guard::Answer;
use rampart_keeper::cli::{self, Command};
use rampart_keeper::config::Commitment;
use rampart_keeper::config::payer::PayerKey;
use rampart_keeper::deploy::plan::CHUNK;
use rampart_keeper::deploy::standing::{Buffer, Site};
use rampart_keeper::deploy::{Drive, DriveError, Image, PlanError, Step, Wants};
use rampart_keeper::error::KeeperError;
use rampart_keeper::guard::spec::Key;
use rampart_keeper::metrics::Metrics;
use rampart_keeper::takeover::{HEADER_LEN, data_address};
use rampart_rig::templates::{filled, template};
use rampart_rig::until;
use rampart_tests::integrator::fixture;
use solana_sdk::instruction::Instruction;
use solana_sdk::message::Message;
use solana_sdk::signature::Keypair;
use solana_sdk::signer::Signer;
use solana_sdk::transaction::Transaction;

/// Blocks for which a blockhash lives: nearly all that the chain keeps.
const LIFE_BLOCKS: u64 = 390;

/// Who deploys what where.
struct Crew {
    payer: PayerKey,
    program: PayerKey,
    image: Image,
}

fn copy(key: &Keypair) -> PayerKey {
    PayerKey::new(key.insecure_clone())
}

impl Crew {
    /// A payer with money, and a program that isn't there yet.
    async fn new(desk: &Desk, code: Vec<u8>) -> Self {
        // slots are short here: a busy machine must not let blockhashes die under way
        desk.scene.chain.state().landing.life_blocks = LIFE_BLOCKS;
        let payer = copy(&desk.rich());
        desk.settle().await;
        Self { payer, program: PayerKey::new(Keypair::new()), image: Image::new(code) }
    }

    fn drive(&self, desk: &Desk, authority: Option<Pubkey>) -> Drive<'_> {
        let signer = self.payer.pubkey();
        let site = Site::of(self.program.pubkey(), &self.image, &signer).expect("a site");
        let endpoints = vec![Rpc::new(desk.scene.endpoints[0].http(), Commitment::Confirmed, Metrics::new())];
        let (image, wants) = (self.image.clone(), Wants { signer, authority });
        Drive { site, image, wants, key: &self.payer, program_key: Some(&self.program), endpoints, price: 1 }
    }

    /// Chunks that aren't zeros, as a new buffer is.
    fn chunks(&self) -> usize {
        self.image.bytes.chunks(CHUNK).filter(|chunk| chunk.iter().any(|byte| *byte != 0)).count()
    }
}

fn sends(desk: &Desk) -> usize {
    desk.scene.chain.state().sends.len()
}

fn names(steps: &[(&'static str, String, Option<String>)]) -> Vec<&'static str> {
    steps.iter().map(|(name, ..)| *name).collect()
}

/// Calls a program.
fn call(desk: &Desk, program: Pubkey) -> Result<(), String> {
    let key = desk.rich();
    desk.world(|world| {
        let message =
            Message::new(&[Instruction { program_id: program, accounts: vec![], data: vec![] }], Some(&key.pubkey()));
        let hash = world.svm.latest_blockhash();
        let sent = world.svm.send_transaction(Transaction::new(&[&key], message, hash));
        sent.map(drop).map_err(|failed| format!("{:?}", failed.err))
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn program_is_deployed_runs_and_is_handed_over_and_a_second_run_does_nothing() {
    let desk = Desk::new().await;
    let (crew, multisig) = (Crew::new(&desk, fixture("yes")).await, Pubkey::new_unique());
    assert!(call(&desk, crew.program.pubkey()).is_err());
    let drive = crew.drive(&desk, Some(multisig));
    // anybody may send lamports to addresses that are known beforehand
    for key in [drive.site.program, drive.site.buffer] {
        desk.world(|world| world.svm.airdrop(&key, 1_000_000).expect("airdrop"));
    }
    desk.settle().await;
    let done = drive.run(|_| {}).await.expect("it is deployed");
    assert_eq!(names(&done.steps), ["create_buffer", "write", "deploy", "hand_over"]);
    assert_eq!((done.writes, done.left.as_slice()), (crew.chunks(), &[][..]));
    let deployed = done.standing.deployed().expect("a program");
    assert!(deployed.code == crew.image.bytes && deployed.authority == Some(multisig));
    assert!(matches!(done.standing.buffer, Buffer::Absent(0)), "its rent went back");
    call(&desk, crew.program.pubkey()).expect("it runs");

    let before = sends(&desk);
    let again = drive.run(|_| {}).await.expect("nothing is left");
    assert_eq!((again.steps.len(), again.writes, sends(&desk)), (0, 0, before));
    // who gave it away can't take it back, nor give it to somebody else
    let other = Pubkey::new_unique();
    let refused = crew.drive(&desk, Some(other)).run(|_| {}).await.expect_err("not its to give");
    let signer = crew.payer.pubkey();
    let expected = PlanError::NotAuthority { authority: Some(multisig), signer, wanted: other };
    assert!(matches!(refused, DriveError::Plan(found) if found == expected));
    assert_eq!(sends(&desk), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn deployment_that_was_cut_off_goes_on_without_writing_again_what_stands() {
    let desk = Desk::new().await;
    let crew = Crew::new(&desk, rampart_tests::program::bytes()).await;
    let site = crew.drive(&desk, None).site;
    let held = |desk: &Desk| {
        let account = desk.world(|world| world.svm.get_account(&site.buffer));
        let data = account.map(|account| account.data[37..].to_vec()).unwrap_or_default();
        let pairs = data.chunks(CHUNK).zip(crew.image.bytes.chunks(CHUNK));
        pairs.filter(|(held, wanted)| held == wanted && wanted.iter().any(|byte| *byte != 0)).count()
    };
    {
        let drive = crew.drive(&desk, None);
        let run = drive.run(|_| {});
        // the future is dropped in the middle of it, as a process that is killed
        tokio::select! {
            done = run => panic!("it was done before it was cut off: {done:?}"),
            () = until("a third is written", || async { held(&desk) > crew.chunks() / 3 }) => {}
        }
    }
    desk.settle().await;
    desk.settle().await;
    let (stands, before) = (held(&desk), sends(&desk));
    assert!(stands > crew.chunks() / 3 && stands < crew.chunks(), "{stands} of {}", crew.chunks());
    // somebody else's endpoint, another process: nothing but the chain is known
    let done = crew.drive(&desk, None).run(|_| {}).await.expect("it goes on");
    assert_eq!(names(&done.steps)[0], "write");
    assert_eq!(done.writes, crew.chunks() - stands, "what stood was not written again");
    let sent: std::collections::BTreeSet<_> =
        desk.scene.chain.state().sends[before..].iter().map(|send| send.signature).collect();
    assert_eq!(sent.len(), done.writes + 1, "the writes, and the deployment");
    assert!(done.standing.deployed().expect("a program").code == crew.image.bytes);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn upgrade_makes_room_and_after_the_handover_waits_for_the_multisig() {
    let desk = Desk::new().await;
    let mut crew = Crew::new(&desk, fixture("yes")).await;
    crew.drive(&desk, None).run(|_| {}).await.expect("it is deployed");
    crew.image = Image::new(fixture("thief"));
    let multisig = desk.rich();
    let done = crew.drive(&desk, Some(multisig.pubkey())).run(|_| {}).await.expect("it is upgraded");
    assert_eq!(names(&done.steps), ["create_buffer", "write", "extend", "upgrade", "hand_over"]);
    let deployed = done.standing.deployed().expect("a program");
    assert!(crew.image.is_code(&deployed.code) && deployed.authority == Some(multisig.pubkey()));

    // from here on the deployer only prepares
    crew.image = Image::new(fixture("yes"));
    let drive = crew.drive(&desk, Some(multisig.pubkey()));
    let left = drive.run(|_| {}).await.expect("it is prepared");
    assert_eq!(names(&left.steps), ["create_buffer", "write", "hand_buffer"]);
    assert_eq!(left.left, [Step::Await { by: multisig.pubkey() }]);
    let before = sends(&desk);
    let same = drive.run(|_| {}).await.expect("it still waits");
    assert_eq!((same.steps.len(), same.left.len(), sends(&desk)), (0, 1, before));
    assert!(!crew.image.is_code(&same.standing.deployed().expect("a program").code));
    let upgrade = rampart_keeper::deploy::act::upgrade(&drive.site, &multisig.pubkey(), &crew.payer.pubkey());
    desk.world(|world| {
        let message = Message::new(&[upgrade], Some(&multisig.pubkey()));
        let hash = world.svm.latest_blockhash();
        world.svm.send_transaction(Transaction::new(&[&multisig], message, hash)).expect("the multisig upgrades it");
    });
    desk.settle().await;
    let end = drive.run(|_| {}).await.expect("nothing is left");
    assert!(end.steps.is_empty() && end.left.is_empty());
    call(&desk, crew.program.pubkey()).expect("the older one runs again");
}

/// Does `rampart deploy ..` and returns the answer.
async fn deploy(desk: &Desk, words: &[&str]) -> Result<Answer, KeeperError> {
    let line = ["rampart", "deploy"].iter().chain(words).map(|word| (*word).into()).collect::<Vec<_>>();
    let cli = cli::parse(line).unwrap_or_else(|(error, _)| panic!("{error}"));
    let Command::Deploy(args) = &cli.command else { panic!("another command") };
    args.answer(&desk.config()).await
}

fn refusal(result: Result<Answer, KeeperError>) -> (String, String) {
    match result {
        Err(KeeperError::Refused { what, hint }) => (what, hint),
        other => panic!("not refused: {other:?}"),
    }
}

fn code(desk: &Desk) -> Vec<u8> {
    desk.world(|world| world.svm.get_account(&data_address()).expect("the program's code").data[HEADER_LEN..].to_vec())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn terminal_shows_the_plan_first_and_names_a_wrong_hash_and_a_wrong_key() {
    let desk = Desk::new().await;
    let (owner, multisig) = (desk.rich(), Pubkey::new_unique());
    desk.scene.put_program(&owner.pubkey(), &fixture("yes"));
    desk.settle().await;
    let signer = desk.key("owner", &owner);
    let so = desk.path("next.so");
    std::fs::write(&so, fixture("thief")).expect("a file");
    let (so, image) = (so.display().to_string(), Image::new(fixture("thief")));
    let (old, to) = (Image::new(fixture("yes")), multisig.to_string());
    let base = ["--so", &so, "--sha256", &image.sha256, "--signer", &signer, "--upgrade-authority", &to];
    let (before, at_first) = (sends(&desk), code(&desk));

    let (what, hint) =
        refusal(deploy(&desk, &["--so", &so, "--sha256", &old.sha256, "--signer", &signer, "--yes"]).await);
    assert!(what.contains(&image.sha256) && what.contains(&old.sha256), "{what}");
    assert!(hint.contains("build-program --check"), "{hint}");
    let (what, _) = refusal(deploy(&desk, &["--so", &so, "--signer", &signer, "--yes"]).await);
    assert!(what.contains("no SHA-256 is on record"), "{what}");
    let stranger = desk.key("stranger", &Keypair::new());
    let (what, hint) = refusal(deploy(&desk, &[&base[..], &["--yes", "--program-keypair", &stranger]].concat()).await);
    assert!(what.contains(&rampart::ID.to_string()) && hint.contains("declare_id!"), "{what}: {hint}");
    let poor = ["--so", &so, "--sha256", &image.sha256, "--signer", &stranger, "--yes"];
    let (what, hint) = refusal(deploy(&desk, &poor).await);
    assert!(what.contains("holds 0 lamports") && hint.contains("send "), "{what}: {hint}");
    for words in [&base[..], &[&base[..], &["--dry-run"]].concat()] {
        let shown = deploy(&desk, words).await.expect("a plan");
        assert_eq!(shown.data["is_sent"], false);
        let steps: Vec<_> = shown.data["plan"].as_array().expect("steps").iter().map(|step| &step["step"]).collect();
        assert_eq!(steps, ["create_buffer", "write", "extend", "upgrade", "hand_over"]);
        assert!(
            shown.text.contains(&format!("has SHA-256 {}, and not {}", old.sha256, image.sha256)),
            "{}",
            shown.text
        );
        assert!(shown.text.contains("nothing is sent; `--yes` does it"), "{}", shown.text);
    }
    assert_eq!((sends(&desk), code(&desk)), (before, at_first), "nothing was sent so far");

    let done = deploy(&desk, &[&base[..], &["--yes"]].concat()).await.expect("it is upgraded");
    assert_eq!(
        (&done.data["deployed_sha256"], &done.data["upgrade_authority"]),
        (&image.sha256.as_str().into(), &to.as_str().into())
    );
    assert!(done.text.contains("as named") && done.data["export"].is_null(), "{}", done.text);
    assert!(image.is_code(&code(&desk)));
    let before = sends(&desk);
    let again = deploy(&desk, &[&base[..], &["--yes"]].concat()).await.expect("nothing is left");
    assert_eq!((again.data["done"].as_array().map(Vec::len), sends(&desk)), (Some(0), before));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn guard_of_a_file_comes_with_the_program_and_not_before_it() {
    let desk = Desk::new().await;
    let (owner, multisig) = (desk.rich(), Pubkey::new_unique());
    desk.scene.put_program(&multisig, &rampart_tests::program::bytes());
    desk.settle().await;
    let mut file = desk.world(|world| filled(template("sol"), world));
    file.roles.root = Key(owner.pubkey());
    let (guard, signer, so) = (write(&desk, &file), desk.key("owner", &owner), desk.path("next.so"));
    let stands = || desk.world(|world| world.exists(&file.address()));
    let words = |image: &Image| {
        std::fs::write(&so, &image.bytes).expect("a file");
        let (so, hash) = (so.display().to_string(), image.sha256.clone());
        ["--so", &so, "--sha256", &hash, "--signer", &signer, "--guard", &guard].map(str::to_owned)
    };
    let ask = async |image: &Image, end: &str| {
        let words = words(image);
        deploy(&desk, &[&words.each_ref().map(String::as_str)[..], &[end]].concat()).await
    };
    // another program is to run first, and only the multisig may say so
    let waiting = ask(&Image::new(fixture("yes")), "--yes").await.expect("it is prepared");
    assert!(waiting.text.contains("the guard comes once the program is upgraded"), "{}", waiting.text);
    assert!(waiting.data["guard"].is_null() && !stands());

    let same = Image::new(rampart_tests::program::bytes());
    let before = sends(&desk);
    let shown = ask(&same, "--dry-run").await.expect("a plan");
    assert!(shown.text.contains("+ SOL/USDC: create SOL/USDC, holds at once"), "{}", shown.text);
    assert_eq!((stands(), sends(&desk)), (false, before), "nothing was sent");
    let done = ask(&same, "--yes").await.expect("the guard is created");
    let (planned, created) = (&shown.data["guard"]["steps"], &done.data["guard"]["results"]);
    assert_eq!(created.as_array().map(Vec::len), planned.as_array().map(Vec::len));
    assert!(stands());
    desk.settle().await;
    let before = sends(&desk);
    let again = ask(&same, "--yes").await.expect("nothing is left");
    assert!(again.text.contains("nothing to do: the guard is as the file says"), "{}", again.text);
    assert_eq!(sends(&desk), before);
}
