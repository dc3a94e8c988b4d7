//! nginx: unbuffered, with connections to the upstream that are kept.
//!
//! In: the upstream, a folder. Out: its process. Invariant: nothing of it is outside of the folder.

use std::path::Path;
use std::process::Child;

use anyhow::{Context as _, Result};

use super::Setup;
use crate::client::NAME;
use crate::site::open_files;

pub(super) fn start(setup: &Setup<'_>) -> Result<Child> {
    let (site, address) = (setup.site, setup.address);
    let upstream = site.upstream(setup.tls).address;
    let (scheme, verify) = match setup.tls {
        false => ("http", String::new()),
        true => (
            "https",
            format!(
                "proxy_ssl_server_name on; proxy_ssl_name {NAME}; proxy_ssl_verify on;
                 proxy_ssl_trusted_certificate {};",
                site.authority()
            ),
        ),
    };
    let folder = setup.folder.display();
    // What is counted is one process.
    let master = if setup.counted { "off" } else { "on" };
    // A worker has two connections for a call, and some for itself.
    let connections = open_files() - 100;
    let text = format!(
        "daemon off; master_process {master}; worker_processes 1; pid {folder}/pid; error_log stderr crit; user root;
         events {{ worker_connections {connections}; }}
         http {{
           access_log off; server_tokens off;
           client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
           uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
           keepalive_requests 100000000; keepalive_timeout 300s;
           client_max_body_size 0;
           upstream telegram {{ server {upstream}; keepalive 256; keepalive_requests 100000000; keepalive_timeout 300s; }}
           server {{
             listen {address} backlog=4096;
             location / {{
               proxy_pass {scheme}://telegram; proxy_http_version 1.1; proxy_set_header Connection \"\"; proxy_set_header Host $host;
               proxy_buffering off; proxy_request_buffering off; proxy_read_timeout 120s; {verify}
             }}
           }}
         }}"
    );
    let file = super::write(Path::new(&format!("{folder}/nginx.conf")), &text)?;
    // The folder is not its root's: nginx would make the paths of its own build otherwise.
    setup
        .program("nginx")
        .args(["-c", &file, "-e", "stderr"])
        .spawn()
        .context("nginx, of Debian's nginx-light")
}
