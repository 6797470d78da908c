//! Asking whether it is meant; where there is no terminal to ask on, nothing is.

use std::io::{BufRead, IsTerminal, Write, stderr, stdin};

use crate::failure::{Failure, Kind};

/// Asks for a yes.
pub(crate) fn yes(question: &str) -> Result<(), Failure> {
    let answer = answer(question, &format!("{question} [y/N]"))?;
    confirmed(matches!(&*answer, "y" | "Y" | "yes"))
}

/// Asks for a word, where a yes is said too quickly.
pub(crate) fn for_word(question: &str, word: &str) -> Result<(), Failure> {
    confirmed(answer(question, question)? == word)
}

fn answer(question: &str, prompt: &str) -> Result<String, Failure> {
    if !stdin().is_terminal() {
        return Err(Failure::new(
            Kind::Refused,
            format!("{question} Not confirmed: there is no terminal to ask on; add --yes"),
        ));
    }
    eprint!("{prompt} ");
    stderr().flush()?;
    let mut answer = String::new();
    stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim().to_owned())
}

fn confirmed(is: bool) -> Result<(), Failure> {
    if is { Ok(()) } else { Err(Failure::new(Kind::Refused, "not confirmed; nothing was changed")) }
}
