//! What a misspelled word may have meant.

/// `did you mean …?` where one of the known words is near, and else all of them.
pub(crate) fn hint<'a>(word: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    if let Some(near) = nearest(word, known.clone()) {
        return format!("did you mean `{near}`?");
    }
    let known = known.into_iter().collect::<Vec<_>>().join(", ");
    format!("known are: {}", if known.is_empty() { "none" } else { &known })
}

/// The known word that differs from this one in the fewest places, if those are few.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let most = (word.chars().count() / 3).max(1);
    let far = known.into_iter().map(|known| (strsim::osa_distance(word, known), known));
    far.filter(|(distance, _)| *distance <= most).min().map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_near_is_suggested_and_else_all_is_named() {
        assert_eq!(hint("mial", ["low", "mail"]), "did you mean `mail`?");
        assert_eq!(hint("redis_ulr", ["db", "redis_url"]), "did you mean `redis_url`?");
        assert_eq!(hint("x", ["low", "mail"]), "known are: low, mail");
        assert_eq!(hint("x", []), "known are: none");
    }
}
