//! Exports, decoded by other code than that which wrote them: the SDK's message, and Borsh structs of our own.

use crate::desk::{Desk, assert_refused};
use anchor_lang::AnchorDeserialize;
use anchor_lang::InstructionData as _;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rampart_client::{Pubkey, address};
use rampart_keeper::error::KeeperError;
use rampart_tests::officers::Officer;
use solana_sdk::instruction::{AccountMeta, Instruction};
use solana_sdk::message::Message;
use solana_sdk::signer::Signer;

/// What Realms calls `AccountMetaData`.
#[derive(AnchorDeserialize)]
struct MetaData {
    pubkey: Pubkey,
    is_signer: bool,
    is_writable: bool,
}

/// What Realms calls `InstructionData`.
#[derive(AnchorDeserialize)]
struct GovernedInstruction {
    program_id: Pubkey,
    accounts: Vec<MetaData>,
    data: Vec<u8>,
}

const PROPOSE: [&str; 3] = ["propose", "vault-limits", "supply_cap_amount=120000000000000"];

fn exports(data: &serde_json::Value) -> Vec<String> {
    let list = data["result"]["exports"].as_array().expect("a list");
    list.iter().map(|text| text.as_str().expect("text").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn squads_gets_a_message_in_base58_that_the_vault_pays_and_the_program_takes() {
    let desk = Desk::new().await;
    let answer = desk.guard(&[&PROPOSE[..], &["--export", "squads"]].concat()).await.expect("an export");
    let [text] = exports(&answer.data).try_into().expect("one message");
    assert!(answer.text.contains(&text));
    let bytes = bs58::decode(text).into_vec().expect("base58");
    let message: Message = bincode::deserialize(&bytes).expect("a message");
    assert_eq!(message.serialize(), bytes, "and nothing else");
    let root = desk.world(|world| world.root.insecure_clone());
    assert_eq!((message.account_keys[0], message.header.num_required_signatures), (root.pubkey(), 1));
    assert_eq!(message.instructions.len(), 1);
    let key = address::change(&desk.scene.guard, 0);
    // the very message, signed by the role's holder
    let landed = desk.world(|world| {
        let transaction = solana_sdk::transaction::Transaction::new(&[&root], message, world.svm.latest_blockhash());
        world.svm.send_transaction(transaction).is_ok()
    });
    assert!(landed && desk.world(|world| world.exists(&key)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn realms_gets_each_instruction_in_base64_borsh_and_the_program_takes_it() {
    let desk = Desk::new().await;
    let hash = "ab".repeat(32);
    let words = [&PROPOSE[..], &["--export", "realms", "--report", &hash]].concat();
    let answer = desk.guard(&words).await.expect("an export");
    let all = exports(&answer.data);
    assert_eq!(all.len(), 2, "the note and the proposal");
    let decoded: Vec<Instruction> = all
        .iter()
        .map(|text| {
            let bytes = STANDARD.decode(text).expect("base64");
            let read = GovernedInstruction::try_from_slice(&bytes).expect("Borsh, with nothing left over");
            let meta =
                |m: &MetaData| AccountMeta { pubkey: m.pubkey, is_signer: m.is_signer, is_writable: m.is_writable };
            Instruction {
                program_id: read.program_id,
                accounts: read.accounts.iter().map(meta).collect(),
                data: read.data,
            }
        })
        .collect();
    assert!(String::from_utf8_lossy(&decoded[0].data).ends_with(&format!("report sha256:{hash}")));
    assert_eq!(decoded[1].program_id, rampart::ID);
    desk.world(|world| world.send_as_root(&decoded).expect("the program takes it"));
    assert!(desk.world(|world| world.exists(&address::change(&world.guard, 0))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn veto_is_exported_for_the_guardian_that_is_named() {
    let desk = Desk::new().await;
    let root = desk.root();
    desk.guard(&["propose", "delay", "loosen_delay_secs=259200", "--signer", &root]).await.expect("it lands");
    desk.settle().await;
    let unnamed = desk.guard(&["veto", "0", "--export", "squads"]).await.expect_err("three may");
    assert!(
        matches!(&unnamed, KeeperError::Refused { what, .. } if what.contains("the vetoer or a guardian")),
        "{unnamed}"
    );
    let guardian = Officer::SecondGuardian.address();
    let words = ["veto", "0", "--export", "squads", "--as", &guardian.to_string()];
    let answer = desk.guard(&words).await.expect("an export");
    let bytes = bs58::decode(&exports(&answer.data)[0]).into_vec().expect("base58");
    let message: Message = bincode::deserialize(&bytes).expect("a message");
    assert_eq!(message.account_keys[0], guardian);
    assert_eq!(message.instructions[0].data, rampart::instruction::VetoChange {}.data());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn halt_of_two_guardians_is_no_export() {
    let desk = Desk::new().await;
    let guardians = [Officer::FirstGuardian, Officer::SecondGuardian].map(|officer| officer.address().to_string());
    let words = ["pause", "halt", "--secs", "60", "--export", "squads", "--as", &guardians[0], "--as", &guardians[1]];
    let error = desk.guard(&words).await.expect_err("a refusal");
    assert!(error.to_string().contains("needs 2 signatures, and a multisig's export has one"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exported_text_is_said_in_words_and_tried_as_the_multisig_would_run_it() {
    let desk = Desk::new().await;
    let hash = "ab".repeat(32);
    for (form, extra) in [("squads", vec![]), ("realms", vec!["--report", &hash])] {
        let words = [&PROPOSE[..], &["--export", form], &extra].concat();
        let texts = exports(&desk.guard(&words).await.expect("an export").data);
        let words: Vec<&str> = std::iter::once("simulate").chain(texts.iter().map(String::as_str)).collect();
        let tried = desk.guard(&words).await.expect("the program takes it");
        let root = desk.world(|world| world.root.pubkey());
        for told in [
            "propose_change: ",
            &format!("what the text holds: signed by {root}"),
            "effect on change: change 0 waits",
            "nothing is sent",
        ] {
            assert!(tried.text.contains(told), "{form}: {told}\n{}", tried.text);
        }
        assert_eq!(tried.text.contains("a note: `rampart guard"), form == "realms", "{}", tried.text);
        assert_eq!(tried.data["instructions"].as_array().map(Vec::len), Some(texts.len()));
        assert!(!desk.world(|world| world.exists(&address::change(&world.guard, 0))), "nothing was done");
    }
    let stale = exports(
        &desk
            .guard(&[
                "pause",
                "caution",
                "--secs",
                "60",
                "--export",
                "squads",
                "--as",
                &Officer::FirstGuardian.address().to_string(),
            ])
            .await
            .expect("an export")
            .data,
    );
    let guardian = Officer::FirstGuardian.address().to_string();
    desk.world(|world| world.svm.airdrop(&Officer::FirstGuardian.address(), 1_000_000_000).expect("airdrop"));
    desk.scene.chain.advance(8 * 86_400);
    desk.settle().await;
    let late = ["simulate", &stale[0], "--as", &guardian];
    assert_refused!(desk, &late, "(InstructionExpired); nothing was sent", "--valid-secs");
    assert_refused!(desk, &["simulate", "not a text"], "is neither a message in base58 (Squads)", "--export squads");
}
