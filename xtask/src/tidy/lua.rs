//! A script's header is its contract: the keys and arguments it declares are those it uses.
//!
//! A header is the comment a script opens with:
//!
//! ```lua
//! -- enqueue: store a task and put it on its queue's pending list.
//! -- KEYS[1] asynq:{<queue>}:t:<id>   KEYS[2..] more of them
//! -- ARGV[1] encoded TaskMessage   ARGV[2] task id
//! -- Returns 1 stored, 0 the id already exists.
//! ```
//!
//! `KEYS[2]` is used by that very number. `KEYS[2..]`, or `KEYS[2..4]`, is a list: it is used by numbers within it, by
//! an index that is computed, or as a whole (`#KEYS`). Where no list is declared, a computed index may mean any.

use super::{File, Finding};

/// Faults of one file.
pub(crate) fn check(file: &File) -> Vec<Finding> {
    let Some(name) =
        file.path.split("broker/redis/scripts/").nth(1).and_then(|name| name.strip_suffix(".lua"))
    else {
        return Vec::new();
    };
    let is_comment = |line: &&str| line.starts_with("--");
    let header: Vec<&str> = file.text.lines().take_while(is_comment).collect();
    let body: Vec<&str> = file.text.lines().skip(header.len()).map(without_comment).collect();

    let mut findings = Vec::new();
    let title = format!("-- {name}: ");
    if !header.first().is_some_and(|line| line.len() > title.len() && line.starts_with(&title)) {
        findings.push(file.finding(1, format!("the first line is `{title}` and what the script does")));
    }
    if !header.iter().any(|line| line.starts_with("-- Returns ")) {
        findings.push(file.finding(1, "the header has no line `-- Returns `"));
    }
    for table in ["KEYS", "ARGV"] {
        let declared = declarations(table, &header);
        let uses = Uses::read(table, &body, header.len());
        compare(file, table, &declared, &uses, &mut findings);
    }
    findings
}

/// `KEYS[2]`, `KEYS[2..]`, `KEYS[2..4]` in a header.
struct Declaration {
    line: usize,
    first: usize,
    /// The same as `first` unless it is a list.
    last: usize,
    is_list: bool,
}

impl Declaration {
    fn covers(&self, used: &Use) -> bool {
        (self.first..=self.last).contains(&used.number)
    }
}

/// How a body uses a table.
#[derive(Default)]
struct Uses {
    numbers: Vec<Use>,
    /// The first line with a computed index.
    computed: Option<usize>,
    /// The first line that uses the table without an index.
    whole: Option<usize>,
}

/// A number in the body.
struct Use {
    line: usize,
    number: usize,
}

fn compare(file: &File, table: &str, declared: &[Declaration], uses: &Uses, findings: &mut Vec<Finding>) {
    let has_list = declared.iter().any(|declaration| declaration.is_list);
    let mut next = 1;
    for declaration in declared {
        if declaration.first != next {
            let message = format!("{table}[{}] is declared where {table}[{next}] is next", declaration.first);
            findings.push(file.finding(declaration.line, message));
        }
        next = declaration.last.saturating_add(1);
        let may_be_computed = uses.computed.is_some() && (declaration.is_list || !has_list);
        let is_used = uses.numbers.iter().any(|used| declaration.covers(used))
            || may_be_computed
            || (declaration.is_list && uses.whole.is_some());
        if !is_used {
            let message = format!("{table}[{}] is declared and never used", declaration.first);
            findings.push(file.finding(declaration.line, message));
        }
    }
    for used in &uses.numbers {
        if !declared.iter().any(|declaration| declaration.covers(used)) {
            let message = format!("{table}[{}] is used and not in the header", used.number);
            findings.push(file.finding(used.line, message));
        }
    }
    if let Some(line) = uses.computed
        && declared.is_empty()
    {
        findings.push(file.finding(line, format!("{table} is used and not in the header")));
    }
    if let Some(line) = uses.whole
        && !has_list
    {
        let message =
            format!("{table} is used as a list, and the header declares none, such as {table}[2..]");
        findings.push(file.finding(line, message));
    }
}

fn declarations(table: &str, header: &[&str]) -> Vec<Declaration> {
    let mut found = Vec::new();
    for (index, line) in header.iter().enumerate() {
        for inside in line.split(&format!("{table}[")).skip(1) {
            let inside = inside.split(']').next().unwrap_or_default();
            let (first, last) = inside.split_once("..").map_or((inside, None), |(a, b)| (a, Some(b)));
            let Ok(first) = first.parse() else { continue };
            let last_number = match last {
                None => first,
                Some(number) => number.parse().unwrap_or(usize::MAX),
            };
            found.push(Declaration { line: index + 1, first, last: last_number, is_list: last.is_some() });
        }
    }
    found
}

impl Uses {
    fn read(table: &str, body: &[&str], header_lines: usize) -> Self {
        let mut uses = Self::default();
        for (index, text) in body.iter().enumerate() {
            let line = header_lines + index + 1;
            for (at, _) in text.match_indices(table) {
                let (before, after) = (text.get(..at), text.get(at + table.len()..).unwrap_or_default());
                let is_part = |c: char| c.is_alphanumeric() || c == '_';
                if before.is_some_and(|before| before.ends_with(is_part)) || after.starts_with(is_part) {
                    continue;
                }
                let Some(inside) = after.strip_prefix('[').and_then(|inside| inside.split(']').next()) else {
                    uses.whole.get_or_insert(line);
                    continue;
                };
                match inside.trim().parse() {
                    Ok(number) => uses.numbers.push(Use { line, number }),
                    Err(_) => {
                        uses.computed.get_or_insert(line);
                    }
                }
            }
        }
        uses
    }
}

fn without_comment(line: &str) -> &str {
    line.split("--").next().unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(text: &str) -> Vec<String> {
        let file = File::new("asynq-core/src/broker/redis/scripts/done.lua", text);
        check(&file).iter().map(|finding| finding.to_string().split_once(':').unwrap().1.to_owned()).collect()
    }

    const GOOD: &str = "\
-- done: forget a finished task.
-- Compat: hibiken/asynq internal/rdb/rdb.go, doneCmd.
-- KEYS[1] asynq:{<queue>}:active
-- ARGV[1] task id   ARGV[2] now, unix seconds
-- Returns 1 done, 0 the task was not active.

if redis.call('LREM', KEYS[1], -1, ARGV[1]) == 0 then
  return 0 -- as KEYS[9] would say
end
return tonumber(ARGV[2]) > 0 and 1 or 0
";

    #[test]
    fn a_header_that_agrees_is_fine() {
        assert!(findings(GOOD).is_empty());
    }

    #[test]
    fn other_files_are_not_scripts() {
        assert!(check(&File::new("asynq-core/src/broker/redis/script.rs", "KEYS[1]")).is_empty());
    }

    #[test]
    fn the_first_line_names_the_file() {
        let expected = ["1: the first line is `-- done: ` and what the script does"];
        assert_eq!(findings(&GOOD.replace("-- done: ", "-- finish: ")), expected);
        assert_eq!(findings(&GOOD.replace("-- done: forget a finished task.", "-- done: ")), expected);
    }

    #[test]
    fn what_it_returns_is_said() {
        assert_eq!(
            findings(&GOOD.replace("-- Returns", "-- Gives")),
            ["1: the header has no line `-- Returns `"]
        );
    }

    #[test]
    fn numbers_declared_and_used_agree() {
        assert_eq!(
            findings(&GOOD.replace("   ARGV[2] now, unix seconds", "")),
            ["10: ARGV[2] is used and not in the header"]
        );
        assert_eq!(
            findings(&GOOD.replace("tonumber(ARGV[2])", "1")),
            ["4: ARGV[2] is declared and never used"]
        );
        assert_eq!(
            findings(&GOOD.replace("KEYS[1] asynq", "KEYS[2] asynq")),
            [
                "3: KEYS[2] is declared where KEYS[1] is next",
                "3: KEYS[2] is declared and never used",
                "7: KEYS[1] is used and not in the header"
            ]
        );
    }

    #[test]
    fn lists_are_used_by_computed_indexes() {
        let list = "-- done: all of them.\n-- KEYS[1] one   KEYS[2..] more\n-- Returns how many.\n";
        assert!(findings(&format!("{list}return #KEYS + KEYS[1]\n")).is_empty());
        assert!(findings(&format!("{list}for i = 2, 9 do f(KEYS[i]) end f(KEYS[1])\n")).is_empty());
        assert!(findings(&format!("{list}f(KEYS[1], KEYS[2], KEYS[3])\n")).is_empty());
        assert_eq!(findings(&format!("{list}f(KEYS[1])\n")), ["2: KEYS[2] is declared and never used"]);
        assert_eq!(
            findings(&GOOD.replace("ARGV[2])", "#ARGV)")),
            [
                "4: ARGV[2] is declared and never used",
                "10: ARGV is used as a list, and the header declares none, such as ARGV[2..]"
            ]
        );
    }

    #[test]
    fn computed_indexes_may_mean_any_number() {
        assert!(findings(&GOOD.replace("ARGV[2])", "ARGV[1 + 1])")).is_empty());
        let none = "-- done: nothing.\n-- Returns nothing.\nreturn KEYS[n]\n";
        assert_eq!(findings(none), ["3: KEYS is used and not in the header"]);
    }

    #[test]
    fn bounded_lists_end() {
        let list = "-- done: all of them.\n-- KEYS[1..3] three   KEYS[4] one\n-- Returns how many.\n";
        assert!(findings(&format!("{list}f(KEYS[i], KEYS[4])\n")).is_empty());
        assert_eq!(
            findings(&format!("{list}f(KEYS[i], KEYS[4], KEYS[5])\n")),
            ["4: KEYS[5] is used and not in the header"]
        );
    }
}
