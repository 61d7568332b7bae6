//! A PostgreSQL server of its own for a test: Debian's package, in a temporary directory, on a free port of loopback.

use super::*;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use tempfile::TempDir;

pub const PASSWORD: &str = "c0rrect-horse";

pub struct Server {
    dir: TempDir,
    tools: PathBuf,
    /// User and group that the server runs as: it refuses to run as root.
    owner: Option<(u32, u32)>,
    pub port: u16,
}

impl Server {
    /// Starts a server. Nothing where PostgreSQL is not installed; the reason is printed.
    pub fn start() -> Option<Self> {
        let Some(tools) = tools() else {
            eprintln!("skipped: no /usr/lib/postgresql/*/bin/initdb; install Debian's package `postgresql`");
            return None;
        };
        let dir = tempfile::tempdir().expect("a directory");
        let server = Self { dir, tools, owner: owner(), port: free_port() };
        std::fs::set_permissions(server.dir.path(), std::fs::Permissions::from_mode(0o755)).expect("its mode");
        std::fs::write(server.dir.path().join("password"), PASSWORD).expect("a file");
        for path in [server.dir.path().to_owned(), server.dir.path().join("password")] {
            server.owner.into_iter().for_each(|(user, group)| chown(&path, Some(user), Some(group)).expect("an owner"));
        }
        let arguments = ["-U", "rampart", "-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "--no-sync"];
        server.run(
            "initdb",
            &[&["-D", &server.path("data"), "--pwfile", &server.path("password")], &arguments[..]].concat(),
        );
        server.up("");
        Some(server)
    }

    /// Starts it, with more options of the server.
    pub fn up(&self, more: &str) {
        let options = format!("-p {} -h 127.0.0.1 -F -k {} {more}", self.port, self.path(""));
        let (data, log) = (self.path("data"), self.path("log"));
        self.run("pg_ctl", &["-D", &data, "-l", &log, "-o", &options, "-w", "-t", "60", "start"]);
    }

    /// Ends it as a crash does.
    pub fn down(&self) {
        self.run("pg_ctl", &["-D", &self.path("data"), "-m", "immediate", "-w", "-t", "60", "stop"]);
    }

    /// Makes a certificate of its own for 127.0.0.1, and starts the server anew with it. Returns the certificate's file.
    pub fn up_with_tls(&self) -> String {
        let (cert, key, about) = (self.path("cert.pem"), self.path("key.pem"), self.path("about"));
        let text = "[req]\ndistinguished_name = dn\nx509_extensions = ext\nprompt = no\n[dn]\nCN = localhost\n\
                    [ext]\nbasicConstraints = critical, CA:FALSE\nsubjectAltName = IP:127.0.0.1\n";
        std::fs::write(&about, text).expect("a file");
        let arguments = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-config", &about];
        let made = Command::new("openssl").args(arguments).args(["-keyout", &key, "-out", &cert]).output();
        assert!(made.is_ok_and(|made| made.status.success()), "openssl makes a certificate");
        for path in [&key, &cert] {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).expect("its mode");
            self.owner.into_iter().for_each(|(user, group)| chown(path, Some(user), Some(group)).expect("an owner"));
        }
        self.down();
        self.up(&format!("-c ssl=on -c ssl_cert_file={cert} -c ssl_key_file={key}"));
        cert
    }

    /// Returns the settings of a history kept here. The password is in a file in `dir`.
    pub fn settings(&self, dir: &Path) -> String {
        let path = dir.join("history.password");
        std::fs::write(&path, format!("{PASSWORD}\n")).expect("a file");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("its mode");
        let port = self.port;
        format!(
            "url = \"postgres://rampart@127.0.0.1:{port}/postgres\"\npassword_file = {:?}",
            path.display().to_string()
        )
    }

    /// Connects past the keeper.
    pub async fn client(&self) -> tokio_postgres::Client {
        let address = format!("postgres://rampart:{PASSWORD}@127.0.0.1:{}/postgres", self.port);
        let (client, connection) =
            tokio_postgres::connect(&address, tokio_postgres::NoTls).await.expect("a connection");
        tokio::spawn(connection);
        client
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }

    fn command(&self, tool: &str) -> Command {
        let mut command = Command::new(self.tools.join(tool));
        if let Some((user, group)) = self.owner {
            command.uid(user).gid(group);
        }
        command
    }

    fn run(&self, tool: &str, arguments: &[&str]) {
        let mut command = self.command(tool);
        // the server keeps what it inherits: pipes would never end
        command.args(arguments).current_dir(self.dir.path()).stdin(Stdio::null()).stdout(Stdio::null());
        let status = command.status().expect("a tool of PostgreSQL");
        assert!(status.success(), "{tool}: {}", std::fs::read_to_string(self.path("log")).unwrap_or_default());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let data = self.path("data");
        let _ = self
            .command("pg_ctl")
            .args(["-D", &data, "-m", "immediate", "-w", "stop"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
    }
}

/// The tools of the newest version that is installed.
fn tools() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let tools = versions.filter_map(|version| Some(version.ok()?.path().join("bin")));
    tools.filter(|tools| ["initdb", "pg_ctl", "postgres"].iter().all(|tool| tools.join(tool).exists())).max()
}

fn owner() -> Option<(u32, u32)> {
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    let users = std::fs::read_to_string("/etc/passwd").ok().filter(|_| is_root)?;
    let find = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    find("postgres").or_else(|| find("nobody"))
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port()
}
