//! The program's deployment on Surfpool, by its loader and over its own JSON-RPC: cut off, taken up, and done once.

use rampart_demo::network::{Network, Pace};
use rampart_demo::run::program;
use rampart_keeper::chain::rpc::Rpc;
use rampart_keeper::config::Commitment;
use rampart_keeper::config::payer::PayerKey;
use rampart_keeper::deploy::plan::CHUNK;
use rampart_keeper::deploy::standing::{Buffer, Site};
use rampart_keeper::deploy::{Drive, Image, Standing, Wants};
use rampart_keeper::metrics::Metrics;
use solana_sdk::signature::Keypair;
use solana_sdk::signer::Signer;
use std::time::Duration;

/// Chunks of the image that the buffer holds, but for those of zeros, which no transaction writes.
fn held(standing: &Standing, image: &Image) -> usize {
    let Buffer::Ready { bytes, .. } = &standing.buffer else { return 0 };
    let pairs = bytes.chunks(CHUNK).zip(image.bytes.chunks(CHUNK));
    pairs.filter(|(held, wanted)| held == wanted && wanted.iter().any(|byte| *byte != 0)).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn program_is_deployed_on_surfpool_once_though_the_first_run_is_cut_off() {
    let (payer, multisig) = (Keypair::new(), Keypair::new().pubkey());
    let network = Network::start(Pace::of_speed(10, 100), payer.insecure_clone()).await.expect("a network");
    network.at_pace();
    let image = Image::new(std::fs::read(program()).expect("the built program"));
    let (key, program_key) = (PayerKey::new(payer.insecure_clone()), PayerKey::new(Keypair::new()));
    let wants = Wants { signer: payer.pubkey(), authority: Some(multisig) };
    let site = Site::of(program_key.pubkey(), &image, &wants.signer).expect("a site");
    let rpc = || Rpc::new(network.rpc_url(), Commitment::Confirmed, Metrics::new());
    let drive = |image: &Image| Drive {
        site: site.clone(),
        image: image.clone(),
        wants,
        key: &key,
        program_key: Some(&program_key),
        endpoints: vec![rpc()],
        price: 0,
    };
    let all = image.bytes.chunks(CHUNK).filter(|chunk| chunk.iter().any(|byte| *byte != 0)).count();
    let first = drive(&image);
    let watched = async {
        loop {
            let standing = first.standing(0).await.expect("what stands");
            if held(&standing, &image) > all / 4 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    // the future is dropped in the middle of it, as a process that is killed
    tokio::select! {
        done = first.run(|_| {}) => panic!("it was done before it was cut off: {done:?}"),
        () = watched => {}
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let stands = held(&first.standing(0).await.expect("what stands"), &image);
    assert!(stands > all / 4 && stands < all, "{stands} of {all}");
    let done = drive(&image).run(|_| {}).await.expect("it goes on");
    let names: Vec<_> = done.steps.iter().map(|(name, ..)| *name).collect();
    assert_eq!(names, ["write", "deploy", "hand_over"]);
    assert_eq!(done.writes, all - stands, "what stood was not written again");
    let deployed = done.standing.deployed().expect("a program");
    assert!(deployed.code == image.bytes && deployed.authority == Some(multisig));
    let again = drive(&image).run(|_| {}).await.expect("nothing is left");
    assert_eq!((again.steps.len(), again.writes), (0, 0));
    network.stop().expect("it stops");
}
