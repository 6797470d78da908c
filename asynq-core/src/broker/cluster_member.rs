//! [`ClusterMember`]: a node of a cluster, as the nodes know each other.

/// A node of a cluster, as one of them tells of it in `CLUSTER NODES`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClusterMember {
    /// Its ID.
    pub id: String,
    /// Host and port.
    pub address: String,
    /// Whether it is a replica; else it is a master.
    pub is_replica: bool,
    /// The ID of the master that a replica follows; else empty.
    pub master: String,
    /// Whether the node that tells has contact with it, and takes it for alive.
    pub is_well: bool,
    /// The slots it has, such as `0-5460`; also those that move, as Redis writes them.
    pub slots: Vec<String>,
    /// The whole line.
    pub line: String,
}

impl ClusterMember {
    /// Reads what `CLUSTER NODES` answers, line by line; what is no line of it is left out.
    #[cfg(feature = "redis")]
    pub(super) fn read_all(text: &str) -> Vec<Self> {
        text.lines().filter_map(Self::read).collect()
    }

    #[cfg(feature = "redis")]
    fn read(line: &str) -> Option<Self> {
        let mut words = line.split_ascii_whitespace();
        let (id, place, flags, master) = (words.next()?, words.next()?, words.next()?, words.next()?);
        let link = words.nth(3)?;
        // `127.0.0.1:7000@17000,host`: the bus is no business of ours.
        let address = place.split(['@', ',']).next().unwrap_or(place);
        let has = |flag: &str| flags.split(',').any(|other| other == flag);
        Some(Self {
            id: id.to_owned(),
            address: address.to_owned(),
            is_replica: has("slave") || has("replica"),
            master: if master == "-" { String::new() } else { master.to_owned() },
            is_well: link == "connected" && !has("fail") && !has("fail?"),
            slots: words.map(str::to_owned).collect(),
            line: line.to_owned(),
        })
    }
}

#[cfg(all(test, feature = "redis"))]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_redis_writes_them() {
        let text = "a1 127.0.0.1:7000@17000,host myself,master - 0 0 1 connected 0-5460 5462 [93-<-b2]\n\
                    b2 127.0.0.1:7001@17001 slave,fail a1 9 9 2 disconnected\n\
                    odd line\n\
                    c3 :0@0 master,noaddr - 0 0 0 disconnected\n";
        let members = ClusterMember::read_all(text);
        let seen = members.iter().map(|m| (m.address.as_str(), m.is_replica, m.is_well, m.slots.len()));
        assert_eq!(
            seen.collect::<Vec<_>>(),
            [("127.0.0.1:7000", false, true, 3), ("127.0.0.1:7001", true, false, 0), (":0", false, false, 0)]
        );
        assert_eq!((members[0].master.as_str(), members[1].master.as_str()), ("", "a1"));
    }
}
