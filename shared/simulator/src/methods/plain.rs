//! Methods that are not modelled: what each answers.
//!
//! In: a method's name in lower case. Out: JSON of the documented type, empty where it can be.
//! Invariant: a library that reads results by type can read every one of these.

/// The result of a known method that is not modelled and does not answer `true`.
pub(super) fn result(name: &str) -> Option<&'static str> {
    const GIFTS: &str = r#"{"total_count":0,"gifts":[]}"#;
    const STORY: &str = r#"{"chat":{"id":1,"first_name":"Business","type":"private"},"id":1}"#;
    Some(match name {
        "getuserprofilephotos" => r#"{"total_count":0,"photos":[]}"#,
        "getuserprofileaudios" => r#"{"total_count":0,"audios":[]}"#,
        "getuserchatboosts" => r#"{"boosts":[]}"#,
        "getforumtopiciconstickers"
        | "getcustomemojistickers"
        | "getgamehighscores"
        | "getuserpersonalchatmessages" => "[]",
        "getavailablegifts" => r#"{"gifts":[]}"#,
        "getbusinessaccountgifts" | "getchatgifts" | "getusergifts" => GIFTS,
        "getmystarbalance" | "getbusinessaccountstarbalance" => r#"{"amount":0}"#,
        "getstartransactions" => r#"{"transactions":[]}"#,
        "getmanagedbotaccesssettings" => r#"{"is_access_restricted":false}"#,
        "savepreparedinlinemessage" => r#"{"id":"simulated","expiration_date":4102444800}"#,
        "savepreparedkeyboardbutton" => r#"{"id":"simulated"}"#,
        "poststory" | "editstory" | "repoststory" => STORY,
        _ => return None,
    })
}

/// What Telegram says where nothing is there to be found.
pub(super) fn failure(name: &str) -> Option<&'static str> {
    Some(match name {
        "getstickerset" => "STICKERSET_INVALID",
        "getbusinessconnection" => "business connection not found",
        _ => return None,
    })
}
