//! Failures of files: uploads, files by URL or id, downloads.
//!
//! In: 413, and 400s about files. Out: rows of the catalogue.

use super::Again::{Never, Soon};
use super::Class::{Bug, Capacity, Expected};
use super::{Advice, Fits};

pub(super) const ROWS: &[Advice] = &[
    Advice {
        key: "upload_too_large",
        class: Capacity,
        title: "The upload is too large",
        meaning: "Telegram's cloud takes 50 MB (photos 10 MB); a server before it may take less and says so with a page of its own.",
        remedy: "Send it smaller, in parts, or by a URL; a local Bot API server takes 2,000 MB.",
        again: Never,
        fits: Fits::Answer {
            codes: &[413],
            methods: &[],
            texts: &[],
        },
    },
    Advice {
        key: "download_too_large",
        class: Capacity,
        title: "The file is too large to download",
        meaning: "getFile gives out files up to 20 MB.",
        remedy: "Tell the user, or use a local Bot API server, which has no such limit.",
        again: Never,
        fits: Fits::Answer {
            codes: &[400],
            methods: &["getFile"],
            texts: &["file is too big"],
        },
    },
    Advice {
        key: "file_too_large",
        class: Capacity,
        title: "The file is too large",
        meaning: "It is above the limit of its kind: 20 MB by URL (photos 5 MB), 50 MB as an upload (photos 10 MB).",
        remedy: "Send it smaller, or as an upload instead of a URL.",
        again: Never,
        fits: Fits::Answer {
            codes: &[400],
            methods: &[],
            texts: &["file is too big", "FILE_TOO_BIG"],
        },
    },
    Advice {
        key: "file_unavailable",
        class: Bug,
        title: "Telegram cannot use this file id",
        meaning: "It is another bot's, of another kind of file, cut off, or the file is away for the moment.",
        remedy: "File ids belong to one bot: after a change of bots, upload anew. If it worked before, try again later.",
        again: Soon,
        fits: Fits::Answer {
            codes: &[400],
            methods: &[],
            texts: &[
                "temporarily unavailable",
                "wrong file identifier",
                "wrong remote file",
                "invalid file_id",
                "FILE_REFERENCE_EXPIRED",
                "type of file mismatch",
                "can't use file of type",
            ],
        },
    },
    Advice {
        key: "url_unreachable",
        class: Bug,
        title: "Telegram could not fetch the URL",
        meaning: "Telegram's servers asked the URL and got no file of the right type: it is private, slow, redirects to a page, or is too large.",
        remedy: "Open the URL from outside of your network and look at its Content-Type and size; or upload the file.",
        again: Never,
        fits: Fits::Answer {
            codes: &[400],
            methods: &[],
            texts: &[
                "failed to get HTTP URL content",
                "wrong type of the web page content",
                "WEBPAGE_CURL_FAILED",
                "WEBPAGE_MEDIA_EMPTY",
                "URL host is empty",
                "wrong HTTP URL",
            ],
        },
    },
    Advice {
        key: "media_broken",
        class: Bug,
        title: "Telegram cannot read the media",
        meaning: "The picture's sides are too long or too uneven, or the file is damaged or of another format.",
        remedy: "Photos: width and height together up to 10,000, at most 20 to 1. Send odd ones as documents.",
        again: Never,
        fits: Fits::Answer {
            codes: &[400],
            methods: &[],
            texts: &[
                "PHOTO_INVALID_DIMENSIONS",
                "IMAGE_PROCESS_FAILED",
                "PHOTO_SAVE_FILE_INVALID",
                "VIDEO_CONTENT_TYPE_INVALID",
                "MEDIA_INVALID",
                "STICKER_",
                "wrong file type",
                "can't parse media",
                "MEDIA_EMPTY",
            ],
        },
    },
    Advice {
        key: "file_empty",
        class: Bug,
        title: "The file did not arrive",
        meaning: "The request names a file and holds none, or an empty one.",
        remedy: "Check that the file was open and at its beginning; a retry that reads a stream again sends nothing.",
        again: Never,
        fits: Fits::Answer {
            codes: &[400],
            methods: &[],
            texts: &[
                "file must be non-empty",
                "there is no photo in the request",
                "there is no document in the request",
                "there is no ",
                "attached file not found",
                "FILE_PARTS_INVALID",
                "FILE_PART_",
                "wrong padding",
            ],
        },
    },
    Advice {
        key: "voice_forbidden",
        class: Expected,
        title: "The user does not accept voice or video messages",
        meaning: "A setting of the user's privacy.",
        remedy: "Send text or an audio file instead.",
        again: Never,
        fits: Fits::Answer {
            codes: &[400],
            methods: &[],
            texts: &["VOICE_MESSAGES_FORBIDDEN"],
        },
    },
];
