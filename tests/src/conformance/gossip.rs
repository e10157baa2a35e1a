//! What members of a group tell one another.

use futures::StreamExt as _;

use super::fixtures::Bench;

pub async fn a_word_reaches_everybody_in_its_group_and_nobody_else(bench: &impl Bench) {
    let members = bench.open_gossip().await;
    members.tell("a", "too early".into()).await.unwrap();
    let (mut one, mut other) = (members.hear("a").await.unwrap(), members.hear("a").await.unwrap());
    let mut apart = members.hear("b c > *").await.unwrap();
    for word in ["first", "second"] {
        members.tell("a", word.into()).await.unwrap();
    }
    members.tell("b c > *", "apart".into()).await.unwrap();
    for heard in [&mut one, &mut other] {
        assert_eq!(heard.next().await.unwrap(), "first");
        assert_eq!(heard.next().await.unwrap(), "second");
    }
    assert_eq!(apart.next().await.unwrap(), "apart");
}
