//! One update of each kind as the modes keep it: what other services are tried with.
//!
//! In: `shared/events/golden/updates.jsonl`. Out: a failure when a mask makes anything else of them.
//! After a wanted change: `GRAMTAP_BLESS=1 cargo test -p gramtap-privacy corpus` writes the file anew.

use std::collections::BTreeSet;
use std::path::Path;

use super::*;

#[test]
fn the_corpus_holds_what_the_masks_keep_of_every_kind() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/events/golden/updates.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    let (mut made, mut kinds) = (String::new(), BTreeSet::new());
    let blessing = std::env::var_os("GRAMTAP_BLESS").is_some();
    for line in text.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let (about, full) = (&row["about"], &row["full"]);
        assert_eq!(&update(Privacy::Full, full), full, "{about}");
        let metadata = update(Privacy::Metadata, full);
        assert!(
            blessing || metadata == row["metadata"],
            "{about}: {metadata}"
        );
        kinds.extend(full.as_object().unwrap().keys().cloned());
        let row = json!({"about": about, "full": full, "metadata": metadata});
        made.push_str(&(row.to_string() + "\n"));
    }
    if blessing {
        std::fs::write(&path, &made).unwrap();
    }
    for kind in gramtap_telegram::update::KNOWN {
        assert!(kinds.contains(*kind), "{kind} is not in the corpus");
    }
}
