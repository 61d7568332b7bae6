//! The files for batch engines say what the command takes.

use rampart_lab::sweep::{Plan, Shard};
use serde_yaml::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/lab").join(name)
}

#[test]
fn job_plays_as_many_shards_as_it_has_pods() {
    let job: Value = serde_yaml::from_str(&std::fs::read_to_string(file("sweep.job.yaml")).unwrap()).unwrap();
    let spec = &job["spec"];
    assert_eq!((job["kind"].as_str(), spec["completionMode"].as_str()), (Some("Job"), Some("Indexed")));
    let pods = spec["completions"].as_u64().unwrap();
    let args = spec["template"]["spec"]["containers"][0]["args"].as_sequence().unwrap();
    let args: Vec<&str> = args.iter().map(|arg| arg.as_str().unwrap()).collect();
    assert_eq!(args[0], "sweep");
    for index in 0..pods {
        let shard = args.iter().find_map(|arg| arg.strip_prefix("--shard=")).unwrap();
        let shard: Shard = shard.replace("$(JOB_COMPLETION_INDEX)", &index.to_string()).parse().unwrap();
        assert!(shard.holds(index as usize) && shard.holds((index + pods) as usize));
    }
    assert!(args.iter().any(|arg| arg.starts_with("--out=") && arg.contains("$(JOB_COMPLETION_INDEX)")));
}

#[test]
fn array_is_a_script_that_bash_reads_and_names_a_shard_of_its_own() {
    let path = file("sweep.slurm");
    let checked = Command::new("bash").arg("-n").arg(&path).output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    // run with the lab replaced by echo: what a task would start
    let run = Command::new("bash")
        .arg(&path)
        .arg("plan.toml")
        .envs([("RAMPART_LAB", "echo"), ("SLURM_ARRAY_TASK_ID", "3"), ("SLURM_ARRAY_TASK_COUNT", "8")])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&run.stdout).trim(), "sweep plan.toml --shard 3/8 --out cells-3.jsonl");
}

#[test]
fn plan_that_is_shipped_is_one() {
    let plan = Plan::load(&file("plan.toml")).unwrap();
    assert_eq!(plan.count(), 144);
}
