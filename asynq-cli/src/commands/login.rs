//! What the file of users of `asynq web` is made of: hashes of passwords, and tokens. Neither needs Redis.

use std::io::{IsTerminal as _, Read as _};

use asynq_web::{Token, hash_password};
use clap::{Args, Subcommand};

use crate::failure::{Failure, Kind};

/// What a file of users is made of.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Secret {
    /// Asks for a password, and prints its hash for the file of users: `password = "…"`.
    ///
    /// Without a terminal it is the first line of what comes in. It is never an argument, for those can be seen by
    /// everybody on the machine.
    HashPassword(HashPassword),
    /// Makes a token for a program, prints it, and the lines for the file of users, which has only its hash.
    ///
    /// The token is shown this once. Programs send it as `Authorization: Bearer TOKEN`.
    NewToken(NewToken),
}

#[derive(Args, Clone, Debug)]
pub(crate) struct HashPassword {}

#[derive(Args, Clone, Debug)]
pub(crate) struct NewToken {
    /// What the program is called where it is told who changed something.
    name: String,
    /// What it may do: viewer, operator or admin.
    #[arg(long, default_value = "viewer", value_parser = ["viewer", "operator", "admin"])]
    role: String,
}

impl Secret {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self {
            Self::HashPassword(HashPassword {}) => {
                let password = password()?;
                if password.is_empty() {
                    return Err(Failure::usage("a password has one character at least"));
                }
                println!("{}", hash_password(&password).map_err(|error| Failure::usage(error.to_string()))?);
            }
            Self::NewToken(NewToken { name, role }) => {
                let token = Token::new().map_err(failed)?;
                let name = toml_edit::Value::from(name);
                eprintln!("the token, which is shown this once:");
                println!("{}", token.secret());
                eprintln!("for the file of users:");
                println!("\n[[tokens]]\nname = {name}\nsha256 = \"{}\"\nrole = \"{role}\"", token.sha256());
            }
        }
        Ok(())
    }
}

fn password() -> Result<String, Failure> {
    if std::io::stdin().is_terminal() {
        let password = rpassword::prompt_password("Password: ").map_err(failed)?;
        let again = rpassword::prompt_password("Once more: ").map_err(failed)?;
        return if password == again { Ok(password) } else { Err(Failure::usage("these are two passwords")) };
    }
    let mut text = String::new();
    std::io::stdin().take(64 * 1024).read_to_string(&mut text).map_err(failed)?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::new(Kind::Failed, error.to_string())
}
