//! The files that pages load, embedded in the program. Each has a name that its content decides, so browsers may keep it.

use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use crate::links::Link;
use crate::problem::Problem;

/// A file.
pub(crate) struct Asset {
    stem: &'static str,
    extension: &'static str,
    media_type: &'static str,
    content: &'static str,
}

/// How everything looks.
pub(crate) const STYLE: Asset = Asset {
    stem: "style",
    extension: "css",
    media_type: "text/css",
    content: include_str!("../assets/style.css"),
};

/// What pages can do beyond forms.
pub(crate) const SCRIPT: Asset = Asset {
    stem: "page",
    extension: "js",
    media_type: "text/javascript",
    content: concat!(
        include_str!("../assets/page.js"),
        include_str!("../assets/suggest.js"),
        include_str!("../assets/palette.js"),
        include_str!("../assets/start.js")
    ),
};

/// The sign in the browser's tab.
pub(crate) const ICON: Asset = Asset {
    stem: "icon",
    extension: "svg",
    media_type: "image/svg+xml",
    content: include_str!("../assets/icon.svg"),
};

const ALL: [Asset; 3] = [STYLE, SCRIPT, ICON];

impl Asset {
    /// `style-0123456789abcdef.css`.
    pub(crate) fn name(&self) -> String {
        format!("{}-{:016x}.{}", self.stem, fingerprint(self.content.as_bytes()), self.extension)
    }

    pub(crate) fn link(&self, base: &str) -> Link {
        Link::new(base).to("assets").to(&self.name())
    }
}

/// A file by its name.
pub(crate) async fn asset(Path(name): Path<String>) -> Result<Response, Problem> {
    let asset = ALL.iter().find(|asset| asset.name() == name).ok_or_else(Problem::not_found)?;
    let kept = "public, max-age=31536000, immutable";
    Ok((
        [(CONTENT_TYPE, format!("{}; charset=utf-8", asset.media_type)), (CACHE_CONTROL, kept.to_owned())],
        asset.content,
    )
        .into_response())
}

/// FNV-1a: two versions of a file differ in it. It protects nothing.
pub(crate) fn fingerprint(content: &[u8]) -> u64 {
    content
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}
