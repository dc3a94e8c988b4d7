//! The fuzzer's corpus, run as a test.

#[path = "../../fuzz/check.rs"]
mod check;

#[test]
fn the_corpus_holds() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/answer");
    let mut files = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        check::answer(&std::fs::read(file.unwrap().path()).unwrap());
        files += 1;
    }
    assert!(files >= 300, "{files} files only");
}
