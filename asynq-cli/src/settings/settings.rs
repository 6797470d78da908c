//! [`Settings`]: where Redis is and how to log in there, gathered from the command line, the environment and the
//! configuration file.
//!
//! The command line comes first, then environment variables (`ASYNQ_` and the name in capitals), then the context in
//! the file, then the file's top level. What is misspelled is an error, not a default.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::{ConfigFile, default_file};
use crate::failure::Failure;
use crate::{complete, human};
use asynq_core::broker::redis::{Address, ConnectOptions, TlsOptions};
use asynq_web::{Accent, UnknownAccent};
use clap::Args;

/// Where Redis is when nothing says so.
const DEFAULT_URL: &str = "redis://127.0.0.1:6379";

/// Where a cluster is when nothing says so: Go's default.
const DEFAULT_CLUSTER: &str =
    "127.0.0.1:7000,127.0.0.1:7001,127.0.0.1:7002,127.0.0.1:7003,127.0.0.1:7004,127.0.0.1:7005";

/// The names of settings, as in the file.
pub(super) const NAMES: [&str; 18] = [
    "redis_url",
    "db",
    "username",
    "password",
    "password_file",
    "cluster",
    "cluster_addrs",
    "tls",
    "tls_server",
    "ca_file",
    "cert_file",
    "key_file",
    "timeout",
    "key_prefix",
    "insecure",
    "web_url",
    "web_badge",
    "web_links",
];

/// What stands between the parts of a setting that may be a list in the file.
pub(super) fn separator(name: &str) -> Option<&'static str> {
    match name {
        "cluster_addrs" => Some(","),
        "web_links" => Some("\n"),
        _ => None,
    }
}

/// How to reach Redis.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ConnectionArguments {
    /// Where Redis is: a URL (redis, rediss, unix, redis-sentinel, redis-cluster), or host:port.
    #[arg(
        short = 'u',
        long = "redis-url",
        visible_alias = "uri",
        alias = "redis-addr",
        global = true,
        value_name = "URL"
    )]
    redis_url: Option<String>,
    /// Number of the database.
    #[arg(short = 'n', long, alias = "redis-db", global = true, value_name = "N")]
    db: Option<u32>,
    /// User name at Redis.
    #[arg(short = 'U', long, alias = "redis-username", global = true, value_name = "NAME")]
    username: Option<String>,
    /// Password at Redis; other users of this machine can see it here, so better `ASYNQ_PASSWORD` or a file.
    #[arg(
        short = 'p',
        long,
        alias = "redis-password",
        global = true,
        value_name = "PASSWORD",
        conflicts_with = "password_file"
    )]
    password: Option<String>,
    /// File that has the password in its first line; `-` asks for it on the terminal.
    #[arg(long, global = true, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Connect to a cluster, by `--cluster-addrs`.
    #[arg(long, global = true)]
    cluster: bool,
    /// Some nodes of the cluster: host:port, separated by commas.
    #[arg(long, alias = "cluster_addrs", global = true, value_name = "LIST")]
    cluster_addrs: Option<String>,
    /// Encrypt the connection.
    #[arg(long, global = true)]
    tls: bool,
    /// Encrypt it, and expect a certificate for this name.
    #[arg(long, alias = "tls_server", global = true, value_name = "NAME")]
    tls_server: Option<String>,
    /// Encrypt it, and accept any certificate: only for a try.
    #[arg(long, global = true)]
    insecure: bool,
    /// Certificate authorities to trust, PEM.
    #[arg(long, global = true, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Our certificate, PEM.
    #[arg(long, global = true, value_name = "FILE", requires = "key_file")]
    cert_file: Option<PathBuf>,
    /// Its private key, PEM.
    #[arg(long, global = true, value_name = "FILE", requires = "cert_file")]
    key_file: Option<PathBuf>,
    /// How long connecting, and an answer, may take.
    #[arg(long, global = true, value_name = "TIME")]
    redis_timeout: Option<String>,
    /// What the names of keys begin with.
    #[arg(long, global = true, value_name = "TEXT")]
    key_prefix: Option<String>,
    /// Configuration file: TOML, or the YAML or JSON of Go's tool.
    #[arg(long, global = true, value_name = "FILE", env = "ASYNQ_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Which `[context.NAME]` of the file to use; `asynq web` takes several.
    #[arg(long = "context", global = true, value_name = "NAME", env = "ASYNQ_CONTEXT", add = complete::contexts())]
    pub(crate) contexts: Vec<String>,
}

impl ConnectionArguments {
    /// The configuration file: the one that is named, or the usual one if it is there.
    pub(crate) fn file(&self) -> Option<PathBuf> {
        self.config.clone().or_else(|| default_file().filter(|path| path.exists()))
    }

    /// The context that is named, if one is.
    pub(crate) fn context(&self) -> Result<Option<&str>, Failure> {
        match self.contexts.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(one)),
            _ => Err(Failure::usage("--context goes here once; `asynq web` alone takes several")),
        }
    }

    fn given(&self) -> BTreeMap<&'static str, String> {
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
        let flag = |flag: bool| flag.then(|| "true".to_owned());
        let all = [
            ("redis_url", self.redis_url.clone()),
            ("db", self.db.map(|db| db.to_string())),
            ("username", self.username.clone()),
            ("password", self.password.clone()),
            ("password_file", path(&self.password_file)),
            ("cluster", flag(self.cluster)),
            ("cluster_addrs", self.cluster_addrs.clone()),
            ("tls", flag(self.tls)),
            ("tls_server", self.tls_server.clone()),
            ("insecure", flag(self.insecure)),
            ("ca_file", path(&self.ca_file)),
            ("cert_file", path(&self.cert_file)),
            ("key_file", path(&self.key_file)),
            ("timeout", self.redis_timeout.clone()),
            ("key_prefix", self.key_prefix.clone()),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

/// Where a setting was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    CommandLine,
    Variable(String),
    File(PathBuf, Option<String>),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CommandLine => f.write_str("command line"),
            Self::Variable(name) => write!(f, "environment, {name}"),
            Self::File(path, None) => write!(f, "{}", path.display()),
            Self::File(path, Some(context)) => write!(f, "{}, context {context}", path.display()),
        }
    }
}

/// What was found, and where.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    /// The context of the file that is used, if one is.
    pub(crate) context: Option<String>,
    found: BTreeMap<&'static str, (String, Origin)>,
}

impl Settings {
    /// Looks everywhere.
    pub(crate) fn gather(arguments: &ConnectionArguments) -> Result<Self, Failure> {
        Self::gather_in(arguments, arguments.context()?)
    }

    /// Likewise, for each of several contexts; what says where Redis is must be in the file, for it would be the same in
    /// all of them.
    pub(crate) fn gather_each(
        arguments: &ConnectionArguments,
        contexts: &[String],
    ) -> Result<Vec<Self>, Failure> {
        let gather = |context: &String| {
            let settings = Self::gather_in(arguments, Some(context))?;
            let outside = ["redis_url", "db", "cluster", "cluster_addrs"].into_iter().find(|name| {
                let found = settings.found.get(name);
                found.is_some_and(|(_, origin)| !matches!(origin, Origin::File(..)))
            });
            match outside {
                Some(name) => {
                    Err(settings.wrong(name, "with several contexts, each says by itself where its Redis is"))
                }
                None => Ok(settings),
            }
        };
        contexts.iter().map(gather).collect()
    }

    /// Likewise, in this context of the file.
    pub(crate) fn gather_in(arguments: &ConnectionArguments, context: Option<&str>) -> Result<Self, Failure> {
        let mut settings = Self::default();
        for (name, value) in arguments.given() {
            settings.add(name, value, Origin::CommandLine);
        }
        for name in NAMES {
            let variable = format!("ASYNQ_{}", name.to_uppercase());
            #[expect(clippy::disallowed_methods, reason = "these are the variables of the command line")]
            if let Ok(value) = std::env::var(&variable)
                && !value.is_empty()
            {
                settings.add(name, value, Origin::Variable(variable));
            }
        }
        match arguments.file() {
            Some(path) => settings.add_file(&ConfigFile::read(&path)?, context)?,
            None => {
                if let Some(context) = context {
                    return Err(Failure::usage(format!(
                        "there is no context `{context}`: no configuration file was found"
                    )));
                }
            }
        }
        Ok(settings)
    }

    /// What comes first, stays.
    fn add(&mut self, name: &'static str, value: String, origin: Origin) {
        self.found.entry(name).or_insert((value, origin));
    }

    fn add_file(&mut self, file: &ConfigFile, context: Option<&str>) -> Result<(), Failure> {
        if let Some(name) = context.or(file.current.as_deref()) {
            self.context = Some(name.to_owned());
            for (setting, value) in file.context(name)? {
                self.add(setting, value.clone(), Origin::File(file.path.clone(), Some(name.to_owned())));
            }
        }
        for (setting, value) in &file.settings {
            self.add(setting, value.clone(), Origin::File(file.path.clone(), None));
        }
        Ok(())
    }

    /// Whether somebody would be asked for the password.
    pub(crate) fn asks(&self) -> bool {
        self.get("password").is_none() && self.get("password_file") == Some("-")
    }

    /// Every setting with its value and where it was found; passwords hidden.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&'static str, String, &Origin)> {
        self.found.iter().map(|(name, (value, origin))| (*name, shown(name, value), origin))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.found.get(name).map(|(value, _)| value.as_str())
    }

    fn wrong(&self, name: &str, what: impl fmt::Display) -> Failure {
        let origin = self.found.get(name).map(|(_, origin)| format!(" ({origin})")).unwrap_or_default();
        Failure::usage(format!("{name}: {what}{origin}"))
    }

    fn flag(&self, name: &str) -> Result<bool, Failure> {
        match self.get(name) {
            None | Some("false" | "0") => Ok(false),
            Some("true" | "1") => Ok(true),
            Some(other) => Err(self.wrong(name, format!("`{other}` must be true or false"))),
        }
    }

    fn file(&self, name: &str) -> Result<Option<Vec<u8>>, Failure> {
        let Some(path) = self.get(name) else { return Ok(None) };
        std::fs::read(path).map(Some).map_err(|error| self.wrong(name, format!("{path}: {error}")))
    }

    /// How to connect.
    pub(crate) fn options(&self) -> Result<ConnectOptions, Failure> {
        let address = if self.flag("cluster")? {
            format!("redis-cluster://{}", self.get("cluster_addrs").unwrap_or(DEFAULT_CLUSTER))
        } else {
            url(self.get("redis_url").unwrap_or(DEFAULT_URL))
        };
        let mut address: Address = address.parse().map_err(|error| self.wrong("redis_url", error))?;
        if let (Some(db), false) = (self.get("db"), self.flag("cluster")?) {
            address.db =
                db.parse().map_err(|_error| self.wrong("db", format!("`{db}` must be a whole number")))?;
        }
        if let Some(username) = self.get("username") {
            address.username = Some(username.to_owned());
        }
        if let Some(password) = self.password()? {
            address.password = Some(password.into());
        }
        let mut options = ConnectOptions::at(address);
        if let Some(tls) = self.tls()? {
            options = options.tls(tls);
        }
        if let Some(limit) = self.timeout()? {
            options = options.connect_timeout(limit).response_timeout(limit);
        }
        if let Some(prefix) = self.get("key_prefix") {
            options = options.key_prefix(prefix)?;
        }
        Ok(options)
    }

    /// Where the Web UI is.
    pub(crate) fn web_url(&self) -> Result<Option<String>, Failure> {
        self.get("web_url").map(web_address).transpose().map_err(|error| self.wrong("web_url", error))
    }

    /// Which environment the Web UI says that this is.
    pub(crate) fn web_badge(&self) -> Result<Option<(String, Accent)>, Failure> {
        self.get("web_badge").map(web_badge).transpose().map_err(|error| self.wrong("web_badge", error))
    }

    /// The links that the Web UI has for each task: labels with addresses, one on each line.
    pub(crate) fn web_links(&self) -> Result<Vec<(String, String)>, Failure> {
        let lines = self.get("web_links").unwrap_or_default().lines().filter(|line| !line.trim().is_empty());
        lines.map(|line| web_link(line).map_err(|error| self.wrong("web_links", error))).collect()
    }

    fn timeout(&self) -> Result<Option<Duration>, Failure> {
        self.get("timeout").map(human::duration).transpose().map_err(|error| self.wrong("timeout", error))
    }

    fn password(&self) -> Result<Option<String>, Failure> {
        if let Some(password) = self.get("password") {
            return Ok(Some(password.to_owned()));
        }
        match self.get("password_file") {
            None => Ok(None),
            Some("-") => {
                let asked = rpassword::prompt_password("Password at Redis: ");
                asked
                    .map(Some)
                    .map_err(|error| self.wrong("password_file", format!("no terminal to ask on: {error}")))
            }
            Some(path) => {
                let text = std::fs::read_to_string(path);
                let text = text.map_err(|error| self.wrong("password_file", format!("{path}: {error}")))?;
                Ok(Some(text.lines().next().unwrap_or_default().to_owned()))
            }
        }
    }

    /// How to encrypt, when something says so beside the URL.
    fn tls(&self) -> Result<Option<TlsOptions>, Failure> {
        let names = ["tls_server", "ca_file", "cert_file", "key_file"];
        let insecure = self.flag("insecure")?;
        if !self.flag("tls")? && !insecure && names.iter().all(|name| self.get(name).is_none()) {
            return Ok(None);
        }
        let mut tls = TlsOptions::new();
        if insecure {
            tls = tls.accept_any_certificate();
        }
        if let Some(name) = self.get("tls_server") {
            tls = tls.server_name(name);
        }
        if let Some(pem) = self.file("ca_file")? {
            tls = tls.authorities(pem);
        }
        match (self.file("cert_file")?, self.file("key_file")?) {
            (Some(certificate), Some(key)) => tls = tls.identity(certificate, key),
            (None, None) => {}
            _ => return Err(Failure::usage("cert_file and key_file go together: give both")),
        }
        Ok(Some(tls))
    }
}

/// The address of the Web UI's first page, without a slash at the end.
pub(crate) fn web_address(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    let is_address = rest.is_some_and(|rest| {
        !rest.is_empty() && rest.chars().all(|c| c.is_ascii_graphic() && !"\"<>\\^`{|}?#".contains(c))
    });
    if !is_address {
        return Err(format!(
            "`{text}` is no address; write http://HOST or https://HOST, with a path if it has one"
        ));
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// A badge of the Web UI: `production:red`, or a word alone, in gray.
pub(crate) fn web_badge(text: &str) -> Result<(String, Accent), String> {
    let (word, accent) = match text.rsplit_once(':') {
        Some((word, accent)) => (word, accent.parse().map_err(|error: UnknownAccent| error.to_string())?),
        None => (text, Accent::default()),
    };
    match word.trim() {
        "" => Err(format!("`{text}` is no badge: write it as in production:red")),
        word => Ok((word.to_owned(), accent)),
    }
}

/// A link of tasks: `Logs=https://logs.example/?q={id}`. What may stand in the address is for the Web UI to say.
pub(crate) fn web_link(text: &str) -> Result<(String, String), String> {
    let (label, address) = text
        .split_once('=')
        .ok_or_else(|| format!("`{text}` is no link: write it as in Logs=https://logs.example/?q={{id}}"))?;
    Ok((label.trim().to_owned(), address.trim().to_owned()))
}

/// What Go's tool takes, host and port, is a URL too.
fn url(text: &str) -> String {
    let is_url =
        text.contains("://") || ["unix:", "redis-socket:"].iter().any(|scheme| text.starts_with(scheme));
    if is_url { text.to_owned() } else { format!("redis://{text}") }
}

/// The value of a setting as anybody may see it.
pub(crate) fn shown(name: &str, value: &str) -> String {
    match name {
        "password" => "(hidden)".to_owned(),
        "redis_url" => {
            url(value).parse::<Address>().map_or_else(|_| "(not readable)".to_owned(), |a| a.to_string())
        }
        _ => value.to_owned(),
    }
}
